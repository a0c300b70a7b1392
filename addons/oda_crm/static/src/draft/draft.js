import { markRaw } from "@odoo/owl";
import { browser } from "@web/core/browser/browser";
import { _t } from "@web/core/l10n/translation";
import { RPCError } from "@web/core/network/rpc";
import { user } from "@web/core/user";
import { Reactive } from "@web/core/utils/reactive";
import { session } from "@web/session";

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
export class DraftStorage {
    /** @param {string} name of the kind of draft, e.g. "oda_crm.session" */
    constructor(name) {
        this.name = name;
    }

    get prefix() {
        return `${this.name}/${session.db}/${user.userId}/`;
    }

    /** @returns {any} what was written, null when there is nothing or not ours */
    read(key) {
        try {
            return JSON.parse(browser.localStorage.getItem(this.prefix + key));
        } catch {
            return null; // not written by us, or cut short
        }
    }

    write(key, content) {
        try {
            browser.localStorage.setItem(this.prefix + key, JSON.stringify(content));
        } catch {
            // Full or forbidden: the text is still on screen and still sent.
        }
    }

    remove(key) {
        browser.localStorage.removeItem(this.prefix + key);
    }

    /** @returns {string[]} everything that waits */
    keys() {
        return Object.keys(browser.localStorage)
            .filter((key) => key.startsWith(this.prefix))
            .map((key) => key.slice(this.prefix.length));
    }
}

/**
 * What one person types in one place, until the server has it.
 *
 * status: "" nothing typed | "typing" | "saving" | "saved" | "offline" no answer,
 * will retry | "refused" the server said why not, in `problem`.
 *
 * Who inherits says where it waits (`keep`, `forget`), how it is sent (`save`), and
 * may want to know when all is saved (`onSaved`).
 */
export class Draft extends Reactive {
    /** @type {Object} field -> what is on screen */
    values = {};
    /** field -> number of its last edit not yet acknowledged */
    changed = {};
    status = "";
    problem = "";
    savedAt = null;

    constructor() {
        super();
        this.lastError = null;
        this.edits = 0;
        this.failures = 0;
        this.timer = null;
        this.sending = null;
        this.focused = markRaw(new Set());
    }

    /**
     * @param {Object} values of the changed fields
     * @returns {Promise} rejected when the server did not take them
     */
    async save(values) {
        throw new Error("to be said by who inherits");
    }

    /** Remember on this machine what the server does not have. */
    keep(values) {}

    /** The server has everything. */
    forget() {}

    onSaved() {}

    get isDirty() {
        return Object.keys(this.changed).length > 0;
    }

    get changedValues() {
        return Object.fromEntries(
            Object.keys(this.changed).map((field) => [field, this.values[field]])
        );
    }

    get offlineText() {
        return _t("No connection: the text is kept here");
    }

    /** One line for the person typing, "" when there is nothing to tell. */
    get statusText() {
        switch (this.status) {
            case "typing":
            case "saving":
                return _t("Saving…");
            case "saved":
                return _t("Saved %s", this.savedAt.toFormat("HH:mm"));
            case "offline":
                return this.offlineText;
            case "refused":
                return _t("Not saved: %s", this.problem);
        }
        return "";
    }

    /** Take up what an earlier page left behind. */
    restore(values) {
        for (const [field, value] of Object.entries(values)) {
            this.values[field] = value;
            this.changed[field] = ++this.edits;
        }
    }

    /** Is the person in this field, or has it something the server has not? */
    isMine(field) {
        return field in this.changed || this.focused.has(field);
    }

    /**
     * Take the server's text, except where the person is typing or has typed
     * something the server does not have yet. Nothing never replaces something:
     * an answer that lacks the text must not make it vanish from the screen.
     */
    sync(serverValues) {
        for (const [field, value] of Object.entries(serverValues)) {
            if (!this.isMine(field) && (value || !this.values[field])) {
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
        this.status = "saving";
        try {
            await this.save(this.changedValues);
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
            this.keep(this.changedValues);
        } else {
            this.forget();
        }
    }

    /** The person gave the text up, or the server took it another way. */
    discard() {
        browser.clearTimeout(this.timer);
        this.changed = {};
        this.status = "";
        this.forget();
    }
}
