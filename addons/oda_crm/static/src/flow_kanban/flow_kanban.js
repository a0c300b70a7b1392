import { Component, onMounted, onWillUnmount, useRef, useState, useSubEnv } from "@odoo/owl";
import { crmKanbanView } from "@crm/views/crm_kanban/crm_kanban_view";
import { CrmKanbanRenderer } from "@crm/views/crm_kanban/crm_kanban_renderer";
import { _t } from "@web/core/l10n/translation";
import { useService } from "@web/core/utils/hooks";
import { patch } from "@web/core/utils/patch";
import { useDebounced } from "@web/core/utils/timing";

/** A drag changes several things one after another. */
const CALM = 300;

/** What stands above a kanban of consultations: flows to choose, those without a task. */
export class FlowKanbanBar extends Component {
    static template = "oda_crm.FlowKanbanBar";
    static props = { heads: Object, reload: Function };

    setup() {
        this.action = useService("action");
        this.orm = useService("orm");
        this.nextStep = useService("oda_crm.next_step");
        this.chips = useRef("chips");
        // On a phone the chips are one line that scrolls: to the chosen one.
        onMounted(() => {
            const chosen = this.chips.el?.querySelector(".active");
            chosen?.scrollIntoView({ block: "nearest", inline: "center" });
        });
    }

    get missing() {
        const { missing } = this.props.heads;
        return missing === 1
            ? _t("One consultation has no task")
            : _t("%s consultations have no task", missing);
    }

    async choose(flow) {
        await this.orm.call("crm.team", "oda_choose_flow", [[flow.id]]);
        await this.action.doAction("crm.action_your_pipeline", {
            stackPosition: "replaceCurrentAction",
        });
    }

    async plan() {
        await this.nextStep.check(this.props.heads.missing_ids);
        await this.props.reload();
    }
}

patch(crmKanbanView.Controller.prototype, {
    setup() {
        super.setup(...arguments);
        this.odaHeads = useState({ heads: {}, missing: 0, missing_ids: [], flows: [] });
        useSubEnv({ odaKanbanHeads: this.odaHeads });
        this.odaAsked = 0;
        const later = useDebounced(() => this.odaLoadHeads(), CALM);
        this.odaReloadHeads = later;
        const { onRootLoaded } = this.model.hooks;
        this.model.hooks.onRootLoaded = (root) => {
            this.odaLoadHeads(root); // not awaited: the cards need not wait
            return onRootLoaded(root);
        };
        onWillUnmount(() => (this.odaAsked = -1));
        const progress = this.progressBarState;
        if (progress) {
            const updateCounts = progress.updateCounts;
            progress.updateCounts = function () {
                later();
                return updateCounts.apply(this, arguments);
            };
        }
    },

    /** One question for all columns; when it fails, the kanban has none of it. */
    async odaLoadHeads({ domain, context, groupBy } = this.model.root) {
        if (this.props.resModel !== "crm.lead" || groupBy?.[0] !== "stage_id") {
            Object.assign(this.odaHeads, { heads: {}, missing: 0, missing_ids: [] });
            return;
        }
        const asked = ++this.odaAsked;
        try {
            const heads = await this.model.orm.silent.call("crm.lead", "oda_kanban_heads", [], {
                domain,
                flows: Boolean(context.oda_flow_choice),
                context,
            });
            if (asked === this.odaAsked) {
                Object.assign(this.odaHeads, heads);
            }
        } catch (error) {
            console.warn("The heads of the columns could not be asked for.", error);
        }
    },
});
crmKanbanView.Controller.template = "oda_crm.FlowKanbanView";
crmKanbanView.Controller.components = {
    ...crmKanbanView.Controller.components,
    FlowKanbanBar,
};

const { KanbanHeader } = CrmKanbanRenderer.components;

/** The head of a column: how long the oldest is here, how many stand still. */
export class FlowKanbanHeader extends KanbanHeader {
    static template = "oda_crm.FlowKanbanHeader";

    setup() {
        super.setup();
        this.odaHeads = useState(this.env.odaKanbanHeads || { heads: {} });
    }

    get odaHead() {
        const { list } = this.props;
        if (list.groupByField.name !== "stage_id" || list.model.useSampleModel) {
            return false;
        }
        return this.odaHeads.heads[this.group.value || 0] || false;
    }

    get odaOldest() {
        return _t("at most %s d", this.odaHead.oldest);
    }

    get odaStale() {
        return _t("%s stand still", this.odaHead.stale);
    }
}
CrmKanbanRenderer.components = {
    ...CrmKanbanRenderer.components,
    KanbanHeader: FlowKanbanHeader,
};
