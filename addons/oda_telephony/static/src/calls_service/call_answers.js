import { uuid } from "@web/core/utils/strings";
import { Draft, DraftStorage } from "@oda_crm/draft/draft";

/** What waits: answers by instrument, by call. */
export const answersStorage = new DraftStorage("oda_telephony.answers");

/** What is advised on during one call; its fields are instrument ids. */
export class CallAnswers extends Draft {
    /** see `oda.instrument.get_catalogue` */
    groups = [];
    chips = [];

    /**
     * @param {number} callId
     * @param {(method: string, ...args: any[]) => Promise} server calls `oda.call`
     */
    constructor(callId, server) {
        super();
        this.callId = callId;
        this.server = server;
        this.page = uuid();
        this.number = 0;
        this.restore(answersStorage.read(callId) || {});
    }

    /** @returns {Object} instrument id -> value, only what is answered */
    get answers() {
        return Object.fromEntries(
            Object.entries(this.values).filter(([, value]) => value !== null)
        );
    }

    /** @returns {Promise} rejected when the server does not answer */
    async load() {
        const { groups, answers, chips } = await this.server("get_instruments", [this.callId]);
        this.groups = groups;
        this.chips = chips;
        this.sync(answers);
        this.flush();
    }

    keep(values) {
        answersStorage.write(this.callId, values);
    }

    forget() {
        answersStorage.remove(this.callId);
    }

    async save(values) {
        const args = [[this.callId], ++this.number, values, this.page];
        const { chips } = await this.server("save_answers", ...args);
        this.chips = chips;
    }
}
