import { browser } from "@web/core/browser/browser";
import { _t } from "@web/core/l10n/translation";
import { user } from "@web/core/user";
import { Reactive } from "@web/core/utils/reactive";
import { session } from "@web/session";
import { CallDraft, refusalOf } from "./call_draft";
import { sayDuration, toMoment } from "./call_format";

let nextKey = 1;

/** One call on this person's screen. */
export class Call extends Reactive {
    key = nextKey++;
    isMinimized = false;
    /** Gone on the server, kept here because typed text is not saved. */
    over = false;
    noteOpen = false;
    /** Why the last button could not do its work, in words. */
    error = "";
    /** Which button that was. */
    failed = "";
    busy = false;
    /** Came as a stranger: name and company stay open even once saved. */
    askName = false;
    clockOffset = 0;

    /**
     * @param {Object} card see `oda.call.get_card`
     * @param {import("./calls_store").CallsStore} store
     */
    constructor(card, store) {
        super();
        this.id = card.id;
        this.store = store;
        this.draft = new CallDraft(
            card.id,
            (values) => store.saveDraft(card.id, values),
            () => ({ id: card.id, phone: this.card.phone, partner: this.card.partner }),
            () => store.draftSaved(card.id)
        );
        this.update(card);
        // Put aside before the page was loaded again, and nothing new since.
        this.isMinimized = browser.sessionStorage.getItem(this.asideKey) === card.state;
    }

    /** Put aside by the person: only the systray shows it. Outlives a reload. */
    get minimized() {
        return this.isMinimized;
    }

    set minimized(aside) {
        this.isMinimized = aside;
        if (aside) {
            browser.sessionStorage.setItem(this.asideKey, this.card.state);
        } else {
            browser.sessionStorage.removeItem(this.asideKey);
        }
    }

    get asideKey() {
        return `oda_telephony.aside/${session.db}/${user.userId}/${this.id}`;
    }

    update(card) {
        const becameResult = card.state === "result" && this.card?.state !== "result";
        this.card = card;
        this.over = false;
        const now = toMoment(card.server_now);
        if (now) {
            this.clockOffset = now.toMillis() - Date.now();
        }
        if (card.state !== "ringing") {
            this.noteOpen = true;
        }
        if (card.partner?.is_new) {
            this.askName = true;
        }
        if (becameResult) {
            this.minimized = false; // there is something to do now
        }
        const isNumber = [card.phone.display, card.phone.raw].includes(card.partner?.name);
        this.draft.sync({
            note: card.session?.content || "",
            name: (!isNumber && card.partner?.name) || "",
            company: card.partner?.company || "",
            partner_id: card.partner?.id || false,
        });
    }

    /** Who is on the line: the name, or the number while there is none. */
    get title() {
        const { partner, phone } = this.card;
        return partner?.name || phone.display || phone.raw || _t("Hidden number");
    }

    get stateText() {
        if (this.over) {
            return _t("Call is over");
        }
        switch (this.card.state) {
            case "ringing":
                return this.card.direction === "out" ? _t("Calling") : _t("Ringing");
            case "talking":
                return _t("Talking");
        }
        return _t("Ended");
    }

    /** Seconds of the phase the call is in, by the server's clock. */
    elapsedAt(browserMillis) {
        const { state, started_at, answered_at, ended_at } = this.card;
        const start = toMoment((state !== "ringing" && answered_at) || started_at);
        const end = state === "result" && toMoment(ended_at);
        const until = end ? end.toMillis() : browserMillis + this.clockOffset;
        return start ? (until - start.toMillis()) / 1000 : 0;
    }

    timerText(browserMillis) {
        return sayDuration(this.elapsedAt(browserMillis));
    }

    /** A page that was closed with unsaved text: only that text is left. */
    get isLeftover() {
        return !this.card.state;
    }

    async finish() {
        const done = await this.attempt("finish", async () => {
            // `finish` carries the note itself, saved as a draft or not; but while
            // nobody is chosen the server has no place for it.
            const note = this.card.candidates?.length > 1 && !this.card.partner ? ["note"] : [];
            await this.saveBefore("name", "company", "partner_id", ...note);
            await this.store.server("finish", [this.id], { note: this.draft.values.note });
        });
        if (done) {
            this.draft.discard();
            this.store.leave(this.id, this.card.version);
        }
        return done;
    }

    async dismiss() {
        // What the server will never take must not hold the pop for ever.
        const again = this.failed === "dismiss" && this.draft.status === "refused";
        const done = await this.attempt("dismiss", async () => {
            if (!again) {
                await this.saveBefore("note", "name", "company", "partner_id");
            }
            await this.store.server("dismiss", [this.id]);
        });
        if (done) {
            this.draft.discard();
            this.store.leave(this.id, this.card.version);
        } else if (this.draft.status === "refused") {
            this.error = _t("%s Press again to close without this text.", this.error);
        }
    }

    /** What was typed must be with the server before the pop may close. */
    async saveBefore(...fields) {
        await this.draft.flush();
        if (fields.some((field) => field in this.draft.changed)) {
            throw this.draft.lastError;
        }
    }

    async openCard() {
        await this.attempt("open_card", async () => {
            const action = await this.store.server("action_open_card", [this.id]);
            await this.store.doAction(action);
        });
    }

    async choosePartner(partnerId) {
        this.draft.edit("partner_id", partnerId);
        await this.draft.flush();
    }

    discardText() {
        this.draft.discard();
        this.store.remove(this.id);
    }

    /** Run a button's work once; what goes wrong is said on the card. */
    async attempt(name, work) {
        if (this.busy) {
            return false;
        }
        this.busy = true;
        this.error = this.failed = "";
        try {
            await work();
            return true;
        } catch (error) {
            this.failed = name;
            this.error =
                refusalOf(error) || _t("No connection. Your text is kept; please try again.");
            return false;
        } finally {
            this.busy = false;
        }
    }
}
