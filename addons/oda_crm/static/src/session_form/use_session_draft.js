import { onWillUnmount, useEffect, useState } from "@odoo/owl";
import { useRecordObserver } from "@web/model/relational_model/utils";
import { useService } from "@web/core/utils/hooks";

/**
 * The draft of the session that a field of a form shows; kept in step with its
 * record, made with it when it is new, and sent when the form is left.
 *
 * @returns {{draft: import("./session_draft").SessionDraft}}
 */
export function useSessionDraft() {
    const drafts = useService("oda_crm.session_drafts");
    const state = useState({ draft: null });
    useRecordObserver((record) => {
        const draft = drafts.ofRecord(record);
        const { content, content_version, answers, chips, partner_id } = record.data;
        const isNews = state.draft !== draft;
        if (record.resId && draft.id !== record.resId) {
            draft.id = record.resId; // saved by the form's own button
            draft.discard();
            draft.key = String(record.resId);
            drafts.saved.set(record.resId, draft);
        }
        if (record.resId || isNews) {
            draft.syncRecord({ content, content_version, answers, chips });
        }
        if (!record.resId) {
            draft.create = () => createRecord(record, draft);
            if (partner_id && draft.status === "refused" && draft.isDirty) {
                draft.schedule(0);
            }
        }
        if (isNews) {
            state.draft = draft;
            if (draft.takeLeftover() || draft.isDirty) {
                draft.schedule(0);
            }
        }
    });
    let shown = false;
    const show = (id) => {
        if (id !== shown) {
            shown && drafts.hide(shown);
            id && drafts.show(id);
            shown = id;
        }
    };
    useEffect(
        (id) => show(id),
        () => [state.draft?.id || false]
    );
    onWillUnmount(() => {
        show(false);
        state.draft?.flush();
    });
    return state;
}

/** @returns {Promise<number|false>} the id of the new session, false when not yet */
async function createRecord(record, draft) {
    if (!record.data.partner_id) {
        return false;
    }
    await record.update({ content: draft.content, answers: draft.answers });
    await record.save();
    return record.resId;
}
