import { markRaw } from "@odoo/owl";
import { browser } from "@web/core/browser/browser";
import { _t } from "@web/core/l10n/translation";
import { Reactive } from "@web/core/utils/reactive";
import { Call } from "./call";
import { draftStorage } from "./call_draft";

/** Pauses before asking again for a card that did not come, in ms. */
const FETCH_RETRIES = [500, 2000, 5000];

/** The calls on this person's screen, newest first. */
export class CallsStore extends Reactive {
    calls = [];
    /** Said once by screen readers when a call comes; never takes the focus. */
    announcement = "";

    /**
     * @param {(method: string, ...args: any[]) => Promise} server calls `oda.call`
     * @param {(action: Object) => Promise} doAction
     */
    constructor(server, doAction) {
        super();
        this.server = server;
        this.doAction = doAction;
        /** call id -> highest version heard of, shown or not */
        this.heard = markRaw(new Map());
        /** call id -> version at which it went */
        this.gone = markRaw(new Map());
        this.shows = 0;
        /** `key` of the call one works at: its card stays whole */
        this.currentKey = 0;
    }

    get(id) {
        return this.calls.find((call) => call.id === id);
    }

    /** Calls still on the line, or waiting for their result. */
    get live() {
        return this.calls.filter((call) => !call.over);
    }

    /** Cards on screen: the talk one types about stays on top, new rings come below. */
    get visible() {
        const calls = this.calls.filter((call) => !call.minimized);
        const talks = (call) => call.card.state === "talking";
        return [...calls.filter(talks), ...calls.filter((call) => !talks(call))];
    }

    get current() {
        return this.visible.find((call) => call.key === this.currentKey);
    }

    /** There is something to do about this call: unfold it, unless one is typing. */
    attend(call) {
        if (!this.current?.draft.focused.size) {
            this.currentKey = call.key;
        }
    }

    /**
     * Several cards at once would cover the screen: what waits becomes one line.
     *
     * @param {Call} call
     * @param {boolean} small on a phone there is room for one card only
     */
    isFolded(call, small) {
        const shown = this.visible;
        if (shown.length < 2 || call.key === (this.current || shown[0]).key) {
            return false;
        }
        const live = call.over ? "" : call.card.state;
        return live !== "ringing" && (live !== "talking" || small);
    }

    /** Bus news: `{id, version, state}`. Older than what is known: ignored. */
    async onPush({ id, version, state }) {
        if (version <= (this.heard.get(id) ?? -1)) {
            return;
        }
        this.heard.set(id, version);
        if (state === "gone") {
            this.leave(id, version);
        } else {
            await this.fetch(id, version);
        }
    }

    async fetch(id, version, failures = 0) {
        let card;
        try {
            card = await this.server("get_card", [id]);
        } catch {
            const delay = FETCH_RETRIES[failures];
            if (delay) {
                browser.setTimeout(() => {
                    if (this.heard.get(id) === version) {
                        this.fetch(id, version, failures + 1);
                    }
                }, delay);
            } else {
                this.heard.delete(id); // the next push, or reconnecting, asks again
            }
            return;
        }
        if (card) {
            this.show(card);
        } else {
            this.leave(id, version);
        }
    }

    /** Ask for everything: at start, and whenever pushes may have been missed. */
    async reload() {
        const before = this.shows;
        let cards;
        try {
            cards = await this.server("get_live_calls");
        } catch {
            return; // no right to calls, or no network: reconnecting asks again
        }
        // Shown oldest first, as they would have come one by one.
        const order = (card) => `${card.started_at || ""} ${String(card.id).padStart(12, "0")}`;
        for (const card of [...cards].sort((a, b) => (order(a) < order(b) ? -1 : 1))) {
            this.show(card);
        }
        const ids = new Set(cards.map((card) => card.id));
        for (const call of [...this.live]) {
            // What came while the answer was on its way is newer than the answer.
            if (!ids.has(call.id) && call.shownAt <= before) {
                this.leave(call.id, call.card.version);
            }
        }
        await this.sendLeftovers();
    }

    show(card) {
        if (card.state === "gone") {
            return this.leave(card.id, card.version);
        }
        const call = this.get(card.id);
        const shown = call?.isLeftover ? undefined : call?.card.version;
        // An equal version may carry this person's own draft: it is welcome.
        if (card.version < shown || card.version <= this.gone.get(card.id)) {
            return;
        }
        this.heard.set(card.id, Math.max(card.version, this.heard.get(card.id) ?? -1));
        if (call) {
            const changed = card.state !== call.card.state;
            call.update(card);
            call.shownAt = ++this.shows;
            if (changed) {
                this.attend(call);
            }
            return;
        }
        this.add(card).shownAt = ++this.shows;
        if (card.state === "ringing") {
            this.announce(this.get(card.id));
        }
    }

    add(card, { over = false } = {}) {
        const call = new Call(card, this);
        call.over = over;
        const left = draftStorage.read(card.id);
        if (left?.values) {
            call.draft.restore(left.values);
            call.noteOpen = true;
            if (!over) {
                call.draft.flush();
            }
        }
        if (!over) {
            this.calls.unshift(call);
            this.attend(call);
        }
        return call;
    }

    announce(call) {
        const { phone, direction, partner } = call.card;
        const who = partner ? `${call.title}, ${phone.display}` : call.title;
        this.announcement =
            direction === "out" ? _t("Calling: %s", who) : _t("Incoming call: %s", who);
    }

    /** The call ended here. Typed text that is not saved keeps it on screen. */
    async leave(id, version) {
        this.gone.set(id, Math.max(version, this.gone.get(id) ?? -1));
        const call = this.get(id);
        if (!call) {
            return;
        }
        call.over = true;
        if (call.draft.isDirty) {
            call.minimized = false;
            await call.draft.flush(); // `draftSaved` then takes it away
        } else {
            this.remove(id);
        }
    }

    remove(id) {
        const index = this.calls.findIndex((call) => call.id === id);
        if (index >= 0) {
            this.calls.splice(index, 1);
        }
    }

    /** @returns {Promise} rejected when the server did not take the text */
    async saveDraft(id, values) {
        const card = await this.server("save_draft", [id], values);
        if (card && !this.get(id)?.over) {
            this.show(card);
        }
    }

    draftSaved(id) {
        if (this.get(id)?.over) {
            this.remove(id);
        }
    }

    /** Text of calls that are no more, left by a page that was closed. */
    async sendLeftovers() {
        for (const id of draftStorage.callIds()) {
            if (this.get(id)) {
                continue;
            }
            const { values, card } = draftStorage.read(id) || {};
            if (!values || !card?.phone) {
                continue;
            }
            const call = this.add(card, { over: true });
            if (!(await call.draft.flush()) && !this.get(id)) {
                this.calls.unshift(call);
            }
        }
    }

    /** Connection is back: news may be missing here, and text there. */
    async reconnect() {
        const drafts = this.calls.flatMap((call) => [call.draft, call.answers]);
        await Promise.all(drafts.map((draft) => draft.flush()));
        await this.reload();
    }

    minimizeAll() {
        this.calls.forEach((call) => (call.minimized = true));
    }

    restoreAll() {
        this.calls.forEach((call) => (call.minimized = false));
    }
}
