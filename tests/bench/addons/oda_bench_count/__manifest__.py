# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
{
    "name": "ODA Bench Count",
    "summary": "Time and queries of one call, also on a stock database",
    "version": "19.0.1.0.0",
    "license": "AGPL-3",
    "author": "ODA",
    "category": "Hidden/Tests",
    "depends": ["web"],
}
