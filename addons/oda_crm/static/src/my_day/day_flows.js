import { Component } from "@odoo/owl";
import { deserializeDateTime } from "@web/core/l10n/dates";
import { _t } from "@web/core/l10n/translation";
import { useService } from "@web/core/utils/hooks";

const { DateTime } = luxon;

/** The head's day: funnels of the flows, time in each stage, open programmes. */
export class DayFlows extends Component {
    static template = "oda_crm.DayFlows";
    static props = { day: Object };

    setup() {
        this.action = useService("action");
        this.labels = {
            open: _t("Open consultations"),
            stale: _t("Stands still"),
            days: _t("Days here: mean, longest"),
        };
    }

    width(flow, stage) {
        return flow.most ? `${Math.max((100 * stage.count) / flow.most, stage.count ? 2 : 0)}%` : "0";
    }

    closes(call) {
        return deserializeDateTime(call.closes).toLocaleString(DateTime.DATETIME_MED);
    }

    openFlow(flow) {
        return this.action.doAction("crm.crm_case_form_view_salesteams_opportunity", {
            additionalContext: { active_id: flow.id },
        });
    }

    openStage(flow, stage, stale = false) {
        return this.action.doAction({
            type: "ir.actions.act_window",
            name: `${flow.name}: ${stage.name}`,
            res_model: "crm.lead",
            views: [
                [false, "list"],
                [false, "kanban"],
                [false, "form"],
            ],
            domain: [
                ["type", "=", "opportunity"],
                ["won_status", "=", "pending"],
                ["team_id", "=", flow.id],
                ["stage_id", "=", stage.id],
                ...(stale ? [["oda_stale_level", ">", 0]] : []),
            ],
            context: { default_team_id: flow.id, default_type: "opportunity" },
        });
    }

    openProgramme(call) {
        return this.action.doAction({
            type: "ir.actions.act_window",
            res_model: "oda.programme",
            res_id: call.programme_id,
            views: [[false, "form"]],
        });
    }
}
