import { _t } from "@web/core/l10n/translation";
import { FormViewDialog } from "@web/views/view_dialogs/form_view_dialog";

const OWNER = "partner_id.";

/**
 * Open a form with just the fields of the given items; with fields of both the
 * beneficiary and the consultation, one form after the other.
 *
 * @param {Object} dialog the dialog service
 * @param {Object} params
 * @param {number} params.leadId
 * @param {number | false} params.partnerId
 * @param {{ kind: string, name: string }[]} params.items
 * @param {Function} params.onSaved called after the last form
 */
export function openFillIn(dialog, { leadId, partnerId, items, onSaved }) {
    const ofPartner = items
        .filter((item) => item.name.startsWith(OWNER))
        .map((item) => item.name.slice(OWNER.length));
    const ofLead = items
        .filter((item) => !item.name.startsWith(OWNER))
        .map((item) => (item.kind === "property" ? "lead_properties" : item.name));
    const forms = [];
    if (ofPartner.length && partnerId) {
        forms.push(["res.partner", partnerId, ofPartner, _t("Beneficiary")]);
    }
    if (ofLead.length) {
        forms.push(["crm.lead", leadId, [...new Set(ofLead)], _t("Fill in")]);
    }
    const openNext = () => {
        const form = forms.shift();
        if (!form) {
            return onSaved();
        }
        const [resModel, resId, names, title] = form;
        const view = resModel === "crm.lead" ? "crm_lead" : "res_partner";
        dialog.add(FormViewDialog, {
            resModel,
            resId,
            title,
            size: "md",
            canExpand: false,
            // Only keys that end so reach the server with a request for a view.
            context: {
                form_view_ref: `oda_crm.${view}_view_form_fill`,
                oda_fill_view_ref: names.join(","),
            },
            onRecordSaved: openNext,
        });
    };
    return openNext();
}
