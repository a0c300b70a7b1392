import { Component, onMounted, onWillUnmount, useEffect, useRef, useState } from "@odoo/owl";
import { browser } from "@web/core/browser/browser";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { InstrumentPicker } from "@oda_crm/instruments/instrument_picker";
import { isPast, sayDay, sayMoment } from "../calls_service/call_format";
import { CallTimer } from "../calls_service/call_timer";
import { DialButton } from "../dial/dial_button";
import { RecordingPlayer } from "../recording_player/recording_player";

/** One call: who it is, what was last said, what is to be done now. */
export class CallPop extends Component {
    static template = "oda_telephony.CallPop";
    static components = { CallTimer, DialButton, InstrumentPicker, RecordingPlayer };
    static props = {
        call: Object,
        isFolded: { type: Boolean, optional: true },
        withHotkey: { type: Boolean, optional: true },
    };

    setup() {
        this.ui = useService("ui");
        this.call = useState(this.props.call);
        this.draft = this.call.draft;
        this.root = useRef("root");
        this.note = useRef("note");
        this.sayDay = sayDay;
        this.sayMoment = sayMoment;
        this.isPast = isPast;
        onMounted(() => {
            browser.performance.mark?.("oda_call_visible", { detail: { id: this.call.id } });
        });
        // The person who worked in the pop goes back where they came from.
        onWillUnmount(() => {
            if (this.root.el?.contains(document.activeElement) && this.cameFrom?.isConnected) {
                const target = this.cameFrom;
                Promise.resolve().then(() => target.focus());
            }
        });
        useEffect(
            (el) => {
                if (el && this.focusNote) {
                    this.focusNote = false;
                    el.focus();
                }
            },
            () => [this.note.el]
        );
    }

    get card() {
        return this.call.card;
    }

    get id() {
        return `o_oda_call_${this.call.key}`;
    }

    get isResult() {
        return this.card.state === "result";
    }

    get lastLine() {
        const { who, when, text } = this.card.last;
        const line = _t("Last spoke with: %(who)s, %(when)s", { who, when: sayDay(when) });
        return text ? `${line} - ${text}` : line;
    }

    /** What the button opens, by its name. */
    get openLabel() {
        return this.card.lead ? _t("Open consultation") : _t("Open card");
    }

    get noteLabel() {
        return this.isResult && !this.call.over ? this.resultText : _t("Note");
    }

    get resultText() {
        return _t("Write the result");
    }

    get isNewPerson() {
        return this.call.askName && Boolean(this.card.partner) && !this.call.over;
    }

    get mustChoose() {
        return (this.card.candidates || []).length > 1 && !this.call.over;
    }

    onFocusin(ev) {
        if (!this.root.el.contains(ev.relatedTarget)) {
            this.cameFrom = ev.relatedTarget;
        }
    }

    onKeydown(ev) {
        if (ev.key === "Escape" && !ev.isComposing) {
            ev.stopPropagation();
            this.minimize();
        }
    }

    onInput(field, ev) {
        this.draft.edit(field, ev.target.value);
    }

    onFocus(field) {
        this.draft.focused.add(field);
        this.call.store.currentKey = this.call.key;
    }

    onBlur(field) {
        this.draft.focused.delete(field);
        this.draft.flush();
    }

    /** A leg that only rings has no session yet to tick in. */
    get mayTick() {
        return ["talking", "result"].includes(this.card.state) && !this.call.over;
    }

    minimize() {
        this.call.minimized = true;
    }

    unfold() {
        this.call.store.currentKey = this.call.key;
        this.root.el.focus(); // the line that was pressed is no more
    }

    addNote() {
        this.focusNote = true;
        this.call.noteOpen = true;
        this.note.el?.focus();
    }

    async openCard() {
        await this.call.openCard();
        if (this.ui.isSmall && !this.call.error) {
            this.minimize(); // the sheet would cover what was just opened
        }
    }

    async finish() {
        if (!(await this.call.finish())) {
            this.note.el?.focus();
        }
    }
}

/** Always mounted, so that a ring costs one RPC and one render. */
export class CallPops extends Component {
    static template = "oda_telephony.CallPops";
    static components = { CallPop };
    static props = {};

    setup() {
        this.ui = useService("ui");
        this.store = useState(useService("oda_telephony.calls"));
    }
}

registry.category("main_components").add("oda_telephony.CallPops", { Component: CallPops });
