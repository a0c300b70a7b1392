import { Component } from "@odoo/owl";
import { deserializeDateTime } from "@web/core/l10n/dates";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { standardFieldProps } from "@web/views/fields/standard_field_props";
import { askForResult } from "./next_step_service";

const { DateTime } = luxon;

/** The next step of a consultation in one line: for the kanban. */
export class NextStepLine extends Component {
    static template = "oda_crm.NextStepLine";
    static props = standardFieldProps;

    get step() {
        return this.props.record.data[this.props.name] || false;
    }

    get dueAt() {
        return this.step.due_at ? deserializeDateTime(this.step.due_at) : false;
    }

    /** @returns {"late"|"today"|"planned"} */
    get urgency() {
        const due = this.dueAt;
        if (!due) {
            return "planned";
        }
        if (due < DateTime.now()) {
            return "late";
        }
        return due.hasSame(DateTime.now(), "day") ? "today" : "planned";
    }

    get color() {
        return { late: "text-danger", today: "text-warning-emphasis", planned: "text-muted" }[
            this.urgency
        ];
    }

    get when() {
        const due = this.dueAt;
        if (!due) {
            return "";
        }
        const time = due.toLocaleString(DateTime.TIME_SIMPLE);
        const now = DateTime.now();
        if (due.hasSame(now, "day")) {
            return _t("today %s", time);
        }
        if (due.hasSame(now.plus({ days: 1 }), "day")) {
            return _t("tomorrow %s", time);
        }
        return due.toLocaleString({
            day: "numeric",
            month: "short",
            hour: "2-digit",
            minute: "2-digit",
        });
    }
}

/** The same as a card above the consultation, red when it is missing. */
export class NextStepCard extends NextStepLine {
    static template = "oda_crm.NextStepCard";

    setup() {
        this.nextStep = useService("oda_crm.next_step");
        this.action = useService("action");
    }

    async plan() {
        if (await this.props.record.save()) {
            const action = await this.env.services.orm.call(
                "crm.lead",
                "action_oda_plan_next_step",
                [[this.props.record.resId]]
            );
            await this.action.doAction(action, { onClose: () => this.props.record.load() });
        }
    }

    async done() {
        await askForResult(this.env, [this.step.id], "done");
        await this.props.record.load();
    }
}

registry.category("fields").add("oda_next_step", {
    component: NextStepCard,
    displayName: _t("Next step"),
    supportedTypes: ["json"],
});
registry.category("fields").add("oda_next_step_line", {
    component: NextStepLine,
    displayName: _t("Next step in one line"),
    supportedTypes: ["json"],
});
