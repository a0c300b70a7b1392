import { onMounted, onWillUnmount } from "@odoo/owl";
import { patch } from "@web/core/utils/patch";
import { FormController } from "@web/views/form/form_controller";

/** The forms on the page: each knows whether something was typed in it. */
const forms = new Set();

patch(FormController.prototype, {
    setup() {
        super.setup();
        onMounted(() => forms.add(this));
        onWillUnmount(() => forms.delete(this));
    },
});

const TYPING = [
    ".o_dialog", // a window asks for something
    ".o_kanban_quick_create", // a card is being opened in its column
    ".o_popover", // a menu or a small form is open
    ".o_dragged", // a card is in the hand
];

/** Whether the person is in the middle of something that a reload would take away. */
export async function isBusy() {
    if (document.querySelector(TYPING.join(", "))) {
        return true;
    }
    for (const form of forms) {
        const root = form.model?.root;
        // A new card is not saved for its person behind their back.
        if (root && ((await root.isDirty()) || (root.isNew && hasFocus(form)))) {
            return true;
        }
    }
    return false;
}

function hasFocus(form) {
    return Boolean(form.rootRef?.el?.contains(document.activeElement));
}
