# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""What a person reads on the sandbox's page."""


def test_connectors_data_can_be_read(sandbox, browser):
    page = browser.new_page()
    try:
        page.goto(sandbox.url)
        page.get_by_text("Datele conectorului").click()
        assert page.get_by_text("demo-moldcell-secret").is_visible()
        words = page.inner_text("body")
    finally:
        page.close()
    for name in ("Adresa comenzilor", "Numărul nostru", "Cheie", "Token"):
        assert name in words
    assert "[object" not in words
