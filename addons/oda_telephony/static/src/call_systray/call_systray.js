import { Component, useState } from "@odoo/owl";
import { Dropdown } from "@web/core/dropdown/dropdown";
import { DropdownItem } from "@web/core/dropdown/dropdown_item";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { CallTimer } from "../calls_service/call_timer";
import { DialButton } from "../dial/dial_button";
import { MyLines } from "./my_lines";

/** The calls of now, and the way back to pops that were minimised. */
export class CallSystray extends Component {
    static template = "oda_telephony.CallSystray";
    static components = { CallTimer, DialButton, Dropdown, DropdownItem, MyLines };
    static props = {};

    setup() {
        this.ui = useService("ui");
        this.store = useState(useService("oda_telephony.calls"));
    }

    /** The call to name in the bar: the one that rings, else the newest. */
    get first() {
        const calls = this.store.calls;
        return calls.find((call) => call.card.state === "ringing") || calls[0];
    }

    get label() {
        const count = this.store.calls.length;
        return count ? _t("Calls: %s now", count) : _t("Calls");
    }

    /** On a phone the sheet itself is the list. */
    toggle() {
        if (this.store.visible.length) {
            this.store.minimizeAll();
        } else {
            this.store.restoreAll();
        }
    }

    onBeforeOpen() {
        this.store.restoreAll();
    }

    show(call) {
        call.minimized = false;
        this.store.currentKey = call.key;
        // After the menu gave the focus back to its button.
        setTimeout(() => {
            document.querySelector(`.o_oda_call_pop[data-call-id="${call.id}"]`)?.focus();
        });
    }
}

registry
    .category("systray")
    .add("oda_telephony.calls", { Component: CallSystray }, { sequence: 30 });
