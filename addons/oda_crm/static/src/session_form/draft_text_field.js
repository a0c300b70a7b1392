import { Component, useEffect, useRef } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useAutoresize } from "@web/core/utils/autoresize";
import { useSpellCheck } from "@web/core/utils/hooks";
import { standardFieldProps } from "@web/views/fields/standard_field_props";
import { useSessionDraft } from "./use_session_draft";

/** The notes of a session: saved while they are typed, never lost. */
export class DraftTextField extends Component {
    static template = "oda_crm.DraftTextField";
    static props = { ...standardFieldProps, placeholder: { type: String, optional: true } };

    setup() {
        this.state = useSessionDraft();
        this.textarea = useRef("textarea");
        useSpellCheck({ refName: "textarea" });
        useAutoresize(this.textarea, { minimumHeight: 120 });
        useEffect(
            (el, text) => {
                if (el && el.value !== text) {
                    // Another's text came above: the cursor stays where one types.
                    const fromEnd = el.value.length - el.selectionEnd;
                    el.value = text;
                    if (document.activeElement === el) {
                        el.selectionStart = el.selectionEnd = Math.max(0, text.length - fromEnd);
                    }
                }
            },
            () => [this.textarea.el, this.draft.content]
        );
    }

    get draft() {
        return this.state.draft;
    }

    onInput(ev) {
        this.draft.edit("content", ev.target.value);
    }

    onFocus() {
        this.draft.focused.add("content");
    }

    onBlur() {
        this.draft.focused.delete("content");
        this.draft.flush();
    }
}

registry.category("fields").add("oda_draft_text", {
    component: DraftTextField,
    displayName: _t("Text saved while it is typed"),
    supportedTypes: ["text"],
    extractProps: ({ placeholder }) => ({ placeholder }),
    fieldDependencies: [{ name: "content_version", type: "integer" }],
});
