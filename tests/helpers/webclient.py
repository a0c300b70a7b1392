# License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
"""What tests do in the web client again and again."""

CALL = """async ([model, method, args, kwargs]) => {
    const answer = await fetch(`/web/dataset/call_kw/${model}/${method}`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(
            { jsonrpc: "2.0", method: "call", params: { model, method, args, kwargs } }
        ),
    });
    const { result, error } = await answer.json();
    if (error) throw new Error(error.data.message);
    return result;
}"""
SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def call(page, model, method, *args, **kwargs):
    """Call a method as the person who is logged in on ``page``; its answer."""
    kwargs.setdefault("context", {"lang": "ro_RO"})  # as the web client does
    return page.evaluate(CALL, [model, method, list(args), kwargs])


def create(page, model, **values):
    """Create one record as the person on ``page``; its id."""
    return call(page, model, "create", [values])[0]


def choose(page, field, text, within=""):
    """Choose the first record of a many2one that is found by ``text``.

    At a desk it is a list under the field, on a phone a dialog with its own search.

    :param str within: selector of what the field is looked for in
    """
    box = page.locator(f"{within} .o_field_widget[name='{field}'] input").first
    if box.get_attribute("readonly") is None:
        box.fill(text)
        page.locator(".o-autocomplete--dropdown-item", has_text=text).first.click()
        return
    box.click()
    dialog = page.locator(".modal:has(.o_data_row, .o_kanban_record)").last
    dialog_element = dialog.element_handle()
    dialog.locator("button:has(.fa-search)").click()
    dialog.locator(".o_searchview_input").fill(text)
    page.locator(".o_searchview_autocomplete").get_by_text(text).first.click()
    dialog.locator(".o_facet_value").first.wait_for()
    found = dialog.locator(".o_data_row, .o_kanban_record:not(.o_kanban_ghost)")
    found.filter(has_text=text).first.click()
    page.wait_for_function("at => !at.isConnected", arg=dialog_element)


def save(page):
    """Save the form, and wait until the server has it."""
    page.click(".o_form_button_save:visible")
    page.wait_for_selector(".o_form_button_save:visible", state="detached")


def shot(page, artifacts, name):
    """Leave a screenshot, and see to it that nothing scrolls sideways."""
    page.wait_for_timeout(500)
    page.screenshot(path=artifacts / f"{name}.png")
    assert page.evaluate(SIDEWAYS) <= 0, f"{name} scrolls sideways"
