import { Component, onWillUnmount, useState } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { KeepLast } from "@web/core/utils/concurrency";
import { useRecordObserver } from "@web/model/relational_model/utils";
import { standardWidgetProps } from "@web/views/widgets/standard_widget_props";

export const WAIT = 400; // ms of rest before the server is asked
const TEXTS = ["name", "phone", "email", "oda_idnp", "oda_idno"];
const LINKS = ["oda_locality_id", "parent_id"];

/** "Is this not the same person?": asked while a card is being filled in. */
export class Duplicates extends Component {
    static template = "oda_crm.Duplicates";
    static props = { ...standardWidgetProps };

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.keepLast = new KeepLast();
        this.state = useState({ found: [], dismissed: "" });
        this.asked = undefined;
        useRecordObserver((record) => this.watch(record));
        onWillUnmount(() => clearTimeout(this.timer));
        this.reasons = {
            idnp: _t("same IDNP"),
            idno: _t("same IDNO"),
            phone: _t("same phone"),
            email: _t("same e-mail"),
            name: _t("similar name"),
        };
    }

    watch(record) {
        const vals = { id: record.resId || false };
        const { data } = record;
        for (const name of TEXTS) {
            vals[name] = data[name] || false;
        }
        for (const name of LINKS) {
            vals[name] = data[name]?.id || false;
        }
        vals.is_company = Boolean(data.is_company);
        const question = JSON.stringify(vals);
        if (question === this.asked) {
            return;
        }
        // A card that is only read has been asked about when it was written.
        const first = this.asked === undefined || this.of !== vals.id;
        this.asked = question;
        this.of = vals.id;
        clearTimeout(this.timer);
        if (first) {
            this.state.found = [];
        }
        // Nor is there anything to compare on one that is still empty.
        if ((first && vals.id) || !TEXTS.some((name) => vals[name])) {
            return;
        }
        this.timer = setTimeout(() => this.ask(vals), WAIT);
    }

    async ask(vals) {
        try {
            this.state.found = await this.keepLast.add(
                this.orm.silent.call("res.partner", "oda_find_duplicates", [vals])
            );
        } catch {
            this.state.found = []; // a warning less must not stop anybody's typing
        }
    }

    get visible() {
        return this.state.found.length && this.state.dismissed !== this.asked;
    }

    why(one) {
        return one.reasons.map((reason) => this.reasons[reason] || reason).join(", ");
    }

    open(one) {
        return this.action.doAction({
            type: "ir.actions.act_window",
            res_model: "res.partner",
            res_id: one.id,
            views: [[false, "form"]],
        });
    }

    async merge(one) {
        const { record } = this.props;
        if (!(await record.save())) {
            return;
        }
        const action = await this.orm.call("res.partner", "oda_merge_with", [
            [record.resId],
            one.id,
        ]);
        return this.action.doAction(action);
    }

    dismiss() {
        this.state.dismissed = this.asked;
    }
}

registry.category("view_widgets").add("oda_duplicates", { component: Duplicates });
