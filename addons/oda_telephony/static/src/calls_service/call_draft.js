import { markRaw } from "@odoo/owl";
import { browser } from "@web/core/browser/browser";
import { _t } from "@web/core/l10n/translation";
import { RPCError } from "@web/core/network/rpc";
import { user } from "@web/core/user";
import { Reactive } from "@web/core/utils/reactive";
import { session } from "@web/session";
import { sayTime } from "./call_format";

export const AUTOSAVE_DELAY = 800;
/** Pauses before trying again, in ms; the last one repeats. */
export const RETRY_DELAYS = [2000, 5000, 10000, 30000];
/** What the server says when it understood and refuses: trying again is useless. */
const REFUSALS = ["UserError", "ValidationError", "AccessError", "MissingError"];

/**
 * @param {Error} error
 * @returns {string|false} the server's own words, false when it could not answer
 */
export function refusalOf(error) {
    if (!(error instanceof RPCError)) {
        return false;
    }
    const refused = REFUSALS.some((name) => error.exceptionName?.endsWith(`.${name}`));
    return refused && (error.data?.message || error.message);
}

/** Where unsaved text waits. Keyed by database and user: a browser may be shared. */
export const draftStorage = {
    get prefix() {
        return `oda_telephony.draft/${session.db}/${user.userId}/`;
    },
    /** @returns {{values: Object, card: Object}|null} */
    read(callId) {
        try {
            return JSON.parse(browser.localStorage.getItem(this.prefix + callId));
        } catch {
            return null; // not written by us, or cut short
        }
    },
    write(callId, content) {
        try {
            browser.localStorage.setItem(this.prefix + callId, JSON.stringify(content));
        } catch {
            // Full or forbidden: the text is still on screen and still sent.
        }
    },
    remove(callId) {
        browser.localStorage.removeItem(this.prefix + callId);
    },
    /** @returns {number[]} the calls with text nobody acknowledged */
    callIds() {
        return Object.keys(browser.localStorage)
            .filter((key) => key.startsWith(this.prefix))
            .map((key) => Number(key.slice(this.prefix.length)))
            .filter(Boolean);
    },
};

/**
 * What one person types about one call, until the server has it.
 *
 * status: "" nothing typed | "typing" | "saving" | "saved" | "offline" no answer,
 * will retry | "refused" the server said why not, in `problem`.
 */
export class CallDraft extends Reactive {
    values = { note: "", name: "", company: "", partner_id: false };
    /** field -> number of its last edit not yet acknowledged */
    changed = {};
    status = "";
    problem = "";
    savedAt = null;

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
        this.lastError = null;
        this.edits = 0;
        this.failures = 0;
        this.timer = null;
        this.sending = null;
        this.focused = markRaw(new Set());
    }

    get isDirty() {
        return Object.keys(this.changed).length > 0;
    }

    /** One line for the person typing, "" when there is nothing to tell. */
    get statusText() {
        switch (this.status) {
            case "typing":
            case "saving":
                return _t("Saving…");
            case "saved":
                return _t("Saved %s", sayTime(this.savedAt));
            case "offline":
                return _t("Not saved yet, will retry");
            case "refused":
                return _t("Not saved: %s", this.problem);
        }
        return "";
    }

    /** Take up what an earlier page left behind. */
    restore(values) {
        for (const [field, value] of Object.entries(values)) {
            if (field in this.values) {
                this.values[field] = value;
                this.changed[field] = ++this.edits;
            }
        }
    }

    /**
     * Take the server's text, except where the person is typing or has typed
     * something the server does not have yet. Nothing never replaces something:
     * an answer that lacks the text must not make it vanish from the screen.
     */
    sync(serverValues) {
        for (const [field, value] of Object.entries(serverValues)) {
            const mine = field in this.changed || this.focused.has(field);
            if (!mine && (value || !this.values[field])) {
                this.values[field] = value;
            }
        }
    }

    edit(field, value) {
        this.values[field] = value;
        this.changed[field] = ++this.edits;
        this.status = "typing";
        this.store();
        this.schedule(AUTOSAVE_DELAY);
    }

    /**
     * Send what is not saved yet, now. One request at a time, so that an older
     * text can never arrive after a newer one.
     *
     * @returns {Promise<boolean>} true when the server has everything
     */
    async flush() {
        browser.clearTimeout(this.timer);
        if (this.sending) {
            await this.sending;
        }
        if (this.isDirty && !this.sending) {
            this.sending = this.send();
        }
        await this.sending;
        return !this.isDirty;
    }

    async send() {
        const sent = { ...this.changed };
        const values = {};
        for (const field in sent) {
            values[field] = this.values[field];
        }
        this.status = "saving";
        try {
            await this.save(values);
        } catch (error) {
            this.fail(error);
            return;
        } finally {
            this.sending = null;
        }
        this.acknowledge(sent);
    }

    /** @param {Object} sent field -> number of the edit the server now has */
    acknowledge(sent) {
        for (const field in sent) {
            if (this.changed[field] === sent[field]) {
                delete this.changed[field];
            }
        }
        this.failures = 0;
        this.problem = "";
        this.savedAt = luxon.DateTime.now();
        this.status = this.isDirty ? "typing" : "saved";
        this.store();
        if (this.isDirty) {
            this.schedule(AUTOSAVE_DELAY);
        } else {
            this.onSaved();
        }
    }

    fail(error) {
        this.lastError = error;
        const problem = refusalOf(error);
        this.problem = problem || "";
        this.status = problem ? "refused" : "offline";
        if (!problem) {
            const delay = RETRY_DELAYS[Math.min(this.failures, RETRY_DELAYS.length - 1)];
            this.failures++;
            this.schedule(delay);
        }
    }

    schedule(delay) {
        browser.clearTimeout(this.timer);
        this.timer = browser.setTimeout(() => this.flush(), delay);
    }

    store() {
        if (this.isDirty) {
            const values = {};
            for (const field in this.changed) {
                values[field] = this.values[field];
            }
            draftStorage.write(this.callId, { values, card: this.snapshot() });
        } else {
            draftStorage.remove(this.callId);
        }
    }

    /** The person gave the text up, or the server took it another way. */
    discard() {
        browser.clearTimeout(this.timer);
        this.changed = {};
        this.status = "";
        draftStorage.remove(this.callId);
    }
}
