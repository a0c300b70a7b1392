import { browser } from "@web/core/browser/browser";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { Reactive } from "@web/core/utils/reactive";
import { session } from "@web/session";
import { refusalOf } from "@oda_crm/draft/draft";

/** A button that heard nothing for so long may be pressed again, in ms. */
export const FORGET_AFTER = 60000;

/** @returns {string} what two spellings of one number have in common */
export function keyOf(number) {
    return String(number || "")
        .replace(/\D/g, "")
        .slice(-8);
}

/** Asks the exchange to call numbers, and knows which are being called. */
export class Dialler extends Reactive {
    /** key of the number -> id of the dial, 0 while it is being asked for */
    pending = {};

    /**
     * @param {(method: string, ...args: any[]) => Promise} server calls `oda.call`
     * @param {(words: string, type: string) => void} say
     */
    constructor(server, say) {
        super();
        this.server = server;
        this.say = say;
        this.timers = {};
    }

    /** 'yes', 'unmapped' (an exchange, but no phone of mine) or 'no'. */
    get ability() {
        return session.oda_dial || "no";
    }

    /** Is a number a button here? On a mobile the phone itself can call. */
    takes(isMobile) {
        return this.ability === "yes" || (this.ability === "unmapped" && !isMobile);
    }

    isCalling(number) {
        return keyOf(number) in this.pending;
    }

    /**
     * @param {string} number as it stands on the card
     * @param {string|false} model
     * @param {number|false} resId
     */
    async dial(number, model, resId) {
        const key = keyOf(number);
        if (!key || key in this.pending) {
            return; // pressed twice: once is enough
        }
        this.hold(key, 0);
        try {
            this.onNews(await this.server("oda_dial", number, model, resId), key);
        } catch (error) {
            this.release(key);
            this.say(
                refusalOf(error) ||
                    _t("No connection. Nothing was dialled; please try again."),
                "danger"
            );
        }
    }

    /** What became of a dial: the server's answer, or news from the bus. */
    onNews({ id, phone, state, words }, key = keyOf(phone)) {
        if (state === "asked" || state === "sent") {
            this.hold(key, id);
            return;
        }
        const shown = this.pending[key];
        this.release(key);
        if (words && shown !== undefined) {
            this.say(words, state === "failed" ? "danger" : "warning");
        }
    }

    hold(key, id) {
        browser.clearTimeout(this.timers[key]);
        this.pending[key] = id;
        this.timers[key] = browser.setTimeout(() => this.release(key), FORGET_AFTER);
    }

    release(key) {
        browser.clearTimeout(this.timers[key]);
        delete this.timers[key];
        delete this.pending[key];
    }
}

export const dialService = {
    dependencies: ["bus_service", "notification", "orm"],

    start(env, { bus_service: bus, notification, orm }) {
        const dialler = new Dialler(
            (method, ...args) => orm.silent.call("oda.call", method, args),
            (words, type) => notification.add(words, { type })
        );
        bus.subscribe("oda_telephony.dial", (payload) => dialler.onNews(payload));
        return dialler;
    },
};

registry.category("services").add("oda_telephony.dial", dialService);
