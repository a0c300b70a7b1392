import { Component, onWillUnmount, useState, xml } from "@odoo/owl";
import { browser } from "@web/core/browser/browser";

/** Ticks alone, so that the card around it is not drawn again each second. */
export class CallTimer extends Component {
    static template = xml`
        <span class="o_oda_call_timer" role="timer" t-esc="props.call.timerText(state.now)"/>`;
    static props = { call: Object };

    setup() {
        this.state = useState({ now: Date.now() });
        const interval = browser.setInterval(() => (this.state.now = Date.now()), 1000);
        onWillUnmount(() => browser.clearInterval(interval));
    }
}
