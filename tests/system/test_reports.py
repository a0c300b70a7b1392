# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""Reports print: the PDF engine is there and Odoo can drive it."""

from tests.helpers.login import login


def test_a_report_is_a_pdf(page, system):
    login(page, "admin.andrei")
    company = system.psql("SELECT min(id) FROM res_company")
    answer = page.request.get(
        f"/report/pdf/web.preview_externalreport/{company}", timeout=60_000
    )
    assert answer.status == 200
    assert answer.body().startswith(b"%PDF")
    assert len(answer.body()) > 2000
