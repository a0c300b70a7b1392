import { toRaw } from "@odoo/owl";
import { browser } from "@web/core/browser/browser";
import { registry } from "@web/core/registry";
import { SessionDraft, sessionStorage } from "./session_draft";

const CHANNEL = "oda.consultation.session_";
const READ = ["content", "content_version", "answers", "chips"];

/** One draft a session and page, whoever shows it; they outlive the form. */
export class SessionDrafts {
    /**
     * @param {Object} orm
     * @param {Object} [bus] where changes made elsewhere are heard of
     */
    constructor(orm, bus) {
        this.orm = orm;
        this.bus = bus;
        /** @type {Map<number, number>} how many forms show a session */
        this.shown = new Map();
        this.server = (...args) =>
            // Silent: the person did not ask, so nothing should look busy.
            orm.silent.call("oda.consultation.session", "oda_session_save_draft", args);
        /** @type {Map<number, SessionDraft>} */
        this.saved = new Map();
        /** @type {WeakMap<Object, SessionDraft>} of records that are not saved yet */
        this.unsaved = new WeakMap();
    }

    of(id) {
        if (!this.saved.has(id)) {
            this.saved.set(id, new SessionDraft(id, String(id), this.server));
        }
        return this.saved.get(id);
    }

    /** @param {Object} record of a form; its draft stays the same when it is saved */
    ofRecord(record) {
        const raw = toRaw(record);
        const young = this.unsaved.get(raw);
        if (young) {
            if (record.resId && young.id === record.resId) {
                this.saved.set(young.id, young);
            }
            return young;
        }
        if (record.resId) {
            return this.of(record.resId);
        }
        const { partner_id: partner, lead_id: lead } = record.data;
        const key = `new-${partner?.id || 0}-${lead?.id || 0}`;
        const draft = new SessionDraft(false, key, this.server);
        this.unsaved.set(raw, draft);
        return draft;
    }

    /** A form shows this session: hear at once when it is changed elsewhere. */
    show(id) {
        const forms = this.shown.get(id) || 0;
        this.shown.set(id, forms + 1);
        if (!forms) {
            this.bus?.addChannel(CHANNEL + id);
        }
    }

    hide(id) {
        const forms = (this.shown.get(id) || 0) - 1;
        if (forms > 0) {
            this.shown.set(id, forms);
        } else if (this.shown.delete(id)) {
            this.bus?.deleteChannel(CHANNEL + id);
        }
    }

    /** @param {{id: number, version: number, page: string, author: string}} news */
    async hear({ id, version, page, author }) {
        const draft = this.saved.get(id);
        if (!draft || !this.shown.has(id) || page === draft.page || version <= draft.base) {
            return;
        }
        draft.tell(author);
        if (draft.isDirty) {
            return; // the next packet is answered with both texts
        }
        try {
            const [record] = await this.orm.silent.read("oda.consultation.session", [id], READ);
            if (record) {
                draft.syncRecord(record);
            }
        } catch {
            // Not to be read any more, or no connection: the next packet will tell.
        }
    }

    /** Text that a closed page left: sent without being asked for. */
    async sendLeftovers() {
        const ids = new Set(sessionStorage.keys().map((key) => parseInt(key, 10)));
        for (const id of ids) {
            if (id && !this.saved.has(id)) {
                const draft = this.of(id);
                draft.takeLeftover();
                await draft.flush();
            }
        }
    }

    async reconnect() {
        await Promise.all([...this.saved.values()].map((draft) => draft.flush()));
    }
}

export const sessionDraftsService = {
    dependencies: ["orm", "bus_service"],
    start(env, { orm, bus_service: bus }) {
        const drafts = new SessionDrafts(orm, bus);
        bus.subscribe("oda.session.changed", (news) => drafts.hear(news));
        browser.addEventListener("online", () => drafts.reconnect());
        drafts.sendLeftovers(); // not awaited: the web client must not wait for us
        return drafts;
    },
};

registry.category("services").add("oda_crm.session_drafts", sessionDraftsService);
