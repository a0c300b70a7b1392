# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
{
    "name": "ODA Bench",
    "summary": "Peers and people of the benches; never for a real database",
    "version": "19.0.1.0.0",
    "license": "AGPL-3",
    "author": "ODA",
    "category": "Hidden/Tests",
    "depends": ["oda_telephony", "oda_bench_count"],
    "data": ["security/ir.model.access.csv"],
    "post_init_hook": "post_init_hook",
}
