import { _t } from "@web/core/l10n/translation";
import { user } from "@web/core/user";
import { uuid } from "@web/core/utils/strings";
import { Draft, DraftStorage } from "../draft/draft";

/** What waits, by "<session>/<page>": `{values, base, at}`. */
export const sessionStorage = new DraftStorage("oda_crm.session");

/** Answers are fields of a draft under these names. */
const ANSWER = "answer_";
export const answerField = (instrumentId) => `${ANSWER}${instrumentId}`;

/** Said instead of sending: nothing is wrong, something is missing. */
class NotYet extends Error {}

/**
 * The notes and answers of one consultation session, as one person types them.
 * Every packet carries all that the server has not acknowledged, a number, and
 * the version of the text it was typed upon: see `drafts.py`.
 */
export class SessionDraft extends Draft {
    values = { content: "" };
    /** What is noted under each instrument, as the server words it. */
    chips = [];
    /** Said once somebody else's text was found beside this one. */
    notice = "";

    /**
     * @param {number|false} id of the session; false while it is not saved
     * @param {string} key under which it waits
     * @param {(...args: any[]) => Promise<Object>} server saves a packet
     */
    constructor(id, key, server) {
        super();
        this.id = id;
        this.key = key;
        this.server = server;
        this.page = uuid(); // no other page has it
        this.number = 0;
        this.base = 0;
        /** How a session that is not there yet is made; set by its form. */
        this.create = null;
    }

    get content() {
        return this.values.content;
    }

    /** @returns {Object} instrument id -> value, only what is answered */
    get answers() {
        const answers = {};
        for (const [field, value] of Object.entries(this.values)) {
            if (field.startsWith(ANSWER) && value !== null) {
                answers[field.slice(ANSWER.length)] = value;
            }
        }
        return answers;
    }

    answer(instrumentId, value) {
        this.edit(answerField(instrumentId), value);
    }

    /** Take what the server has; what is being typed here stays. */
    syncRecord({ content, content_version: version, answers, chips }) {
        if (version < this.base) {
            return; // read before our last packet was taken
        }
        if (!this.isMine("content") || this.values.content === content) {
            this.values.content = content || "";
            this.base = version || 0;
        }
        const fields = Object.keys(this.values).filter((field) => field.startsWith(ANSWER));
        for (const field of fields) {
            if (!this.isMine(field)) {
                delete this.values[field];
            }
        }
        for (const [id, value] of Object.entries(answers || {})) {
            if (!this.isMine(answerField(id))) {
                this.values[answerField(id)] = value;
            }
        }
        this.chips = chips || [];
    }

    get storageKey() {
        return `${this.key}/${this.page}`;
    }

    /** Take up what a page that was closed has left; the newest, when several. */
    takeLeftover() {
        const left = sessionStorage
            .keys()
            .filter((key) => key.startsWith(`${this.key}/`) && key !== this.storageKey)
            .map((key) => ({ key, ...sessionStorage.read(key) }))
            .filter((entry) => entry.values)
            .sort((one, other) => other.at - one.at)[0];
        if (!left) {
            return false;
        }
        this.restore(left.values);
        if (left.base !== undefined) {
            this.base = Math.min(left.base, this.base || left.base);
        }
        this.status = "typing";
        this.store();
        sessionStorage.remove(left.key);
        return true;
    }

    keep(values) {
        sessionStorage.write(this.storageKey, { values, base: this.base, at: Date.now() });
    }

    forget() {
        sessionStorage.remove(this.storageKey);
    }

    async save(values) {
        if (!this.id) {
            const id = await this.create?.();
            if (!id) {
                throw new NotYet();
            }
            this.forget();
            this.id = id;
            this.key = String(id);
            return; // made with all that was typed
        }
        const packet = {};
        for (const [field, value] of Object.entries(values)) {
            if (field === "content") {
                packet.content = value;
            } else {
                packet.answers ||= {};
                packet.answers[field.slice(ANSWER.length)] = value;
            }
        }
        const answer = await this.server(this.id, ++this.number, this.base, packet, this.page);
        this.onAnswer(answer, values.content);
    }

    fail(error) {
        if (error instanceof NotYet) {
            this.lastError = error;
            this.status = "refused";
            this.problem = _t("choose who is being advised.");
            return;
        }
        super.fail(error);
    }

    /** Say that somebody else has written here. @param {string} [author] */
    tell(author) {
        this.notice =
            author && author !== user.name
                ? _t("%s has written here too: both texts are kept.", author)
                : _t("Written in another window too: both texts are kept.");
    }

    /** @param {string} sent the text of the packet that was answered */
    onAnswer({ version, outcome, chips, content, prefix, cut, author }, sent) {
        this.chips = chips;
        if (outcome === "both") {
            this.tell(author);
            const now = this.values.content;
            if (now !== sent && now.slice(0, cut) !== sent.slice(0, cut)) {
                return; // sent once more, upon what was seen: it goes under the other
            }
            this.values.content = content.slice(0, prefix) + now.slice(cut);
        }
        this.base = version;
    }
}
