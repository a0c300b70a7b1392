import { Component, onWillDestroy, onWillStart, useState } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { useService } from "@web/core/utils/hooks";
import { refusalOf } from "@oda_crm/draft/draft";

/** The person's own phones, and the switch "do not disturb" of each. */
export class MyLines extends Component {
    static template = "oda_telephony.MyLines";
    static props = {};

    setup() {
        this.orm = useService("orm");
        this.notification = useService("notification");
        this.bus = useService("bus_service");
        this.state = useState({ lines: [], busy: false });
        const onLine = (line) => this.take(line, true);
        this.bus.subscribe("oda_telephony.line", onLine);
        onWillDestroy(() => this.bus.unsubscribe("oda_telephony.line", onLine));
        onWillStart(async () => {
            try {
                this.state.lines = await this.orm.silent.call("oda.pbx.user", "get_my_lines", []);
            } catch {
                this.state.lines = []; // the calls above are what the menu is for
            }
        });
    }

    take(line, news = false) {
        const known = this.state.lines.find((one) => one.id === line.id);
        if (known) {
            Object.assign(known, line);
        }
        if (news && line.words) {
            this.notification.add(line.words, { type: "warning" });
        }
    }

    presenceText({ presence }) {
        return {
            available: _t("Available"),
            busy: _t("In a call"),
            dnd: _t("Do not disturb"),
            offline: _t("Phone is off"),
        }[presence];
    }

    async toggle(line, ev) {
        ev.stopPropagation();
        const on = ev.target.checked;
        this.state.busy = true;
        try {
            this.take(await this.orm.call("oda.pbx.user", "set_silent", [[line.id], on]));
        } catch (error) {
            ev.target.checked = line.silent;
            this.notification.add(
                refusalOf(error) || _t("No connection. Nothing was switched."),
                { type: "danger" }
            );
        } finally {
            this.state.busy = false;
        }
    }
}
