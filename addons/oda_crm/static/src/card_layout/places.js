/** Finding the groups of the card's layout, and the fields in them, on the page. */

const INPUTS = "input, textarea, select, [contenteditable=true]";

/** The element of one group within the form that holds `element`, or null. */
export function groupElement(element, key) {
    const form = element?.closest(".o_form_renderer, .o_form_view");
    return form?.querySelector(`.o_oda_group[data-oda-group="${CSS.escape(key)}"]`) || null;
}

/** What to focus in a group: the first empty field, or else the first field. */
export function firstEmptyInput(group) {
    const fields = [...group.querySelectorAll(".o_field_widget:not(.o_readonly_modifier)")];
    const inputs = fields
        .map((field) => field.querySelector(`:is(${INPUTS}):not([disabled], [readonly])`))
        .filter(Boolean);
    const isEmpty = (input) =>
        !("value" in input ? input.value : input.textContent).trim() &&
        !input.closest(".o_field_widget").querySelector(".o_tag, .badge") &&
        input.type !== "checkbox";
    return inputs.find(isEmpty) || inputs[0] || null;
}
