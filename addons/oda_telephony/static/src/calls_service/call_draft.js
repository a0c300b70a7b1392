import { _t } from "@web/core/l10n/translation";
import { Draft, DraftStorage } from "@oda_crm/draft/draft";

/** What waits: `{values: Object, card: Object}` by call. */
class CallDraftStorage extends DraftStorage {
    /** @returns {number[]} the calls with text nobody acknowledged */
    callIds() {
        return this.keys().map(Number).filter(Boolean);
    }
}

export const draftStorage = new CallDraftStorage("oda_telephony.draft");

/** What one person types about one call, until the server has it. */
export class CallDraft extends Draft {
    values = { note: "", name: "", company: "", partner_id: false };

    /**
     * @param {number} callId
     * @param {(values: Object) => Promise} save
     * @param {() => Object} snapshot enough of the card to show the text again later
     * @param {() => void} onSaved told each time the server has everything
     */
    constructor(callId, save, snapshot, onSaved) {
        super();
        this.callId = callId;
        this.save = save;
        this.snapshot = snapshot;
        this.onSaved = onSaved;
    }

    get offlineText() {
        return _t("Not saved yet, will retry");
    }

    restore(values) {
        const known = Object.entries(values).filter(([field]) => field in this.values);
        super.restore(Object.fromEntries(known));
    }

    keep(values) {
        draftStorage.write(this.callId, { values, card: this.snapshot() });
    }

    forget() {
        draftStorage.remove(this.callId);
    }
}
