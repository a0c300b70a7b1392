# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""The one way for whole-system tests to log a person in."""


def login(page, person, path="/odoo"):
    """Log a demo person in through the login page and wait for the web client.

    :param page: a Playwright page whose base URL is the system's
    :param str person: a login of the demo data; the password is the same word
    :param str path: where to go after it
    :return: the page
    """
    page.goto("/web/login")
    page.fill("input[name=login]", person)
    page.fill("input[name=password]", "admin" if person == "admin" else person)
    page.click("form.oe_login_form button[type=submit]")
    # the first page of a new database waits until its styles and scripts are made
    page.wait_for_selector(".o_web_client", timeout=90_000)
    if path != "/odoo":
        page.goto(path)
    page.wait_for_selector(".o_main_navbar")
    return page
