import { Component, onWillDestroy, onWillStart, useState } from "@odoo/owl";
import { browser } from "@web/core/browser/browser";
import { ConfirmationDialog } from "@web/core/confirmation_dialog/confirmation_dialog";
import { deserializeDateTime, formatDateTime } from "@web/core/l10n/dates";
import { _t } from "@web/core/l10n/translation";
import { RecordSelector } from "@web/core/record_selectors/record_selector";
import { registry } from "@web/core/registry";
import { SelectMenu } from "@web/core/select_menu/select_menu";
import { KeepLast } from "@web/core/utils/concurrency";
import { useService } from "@web/core/utils/hooks";
import { useDebounced } from "@web/core/utils/timing";
import { useSetupAction } from "@web/search/action_hook";
import { Layout } from "@web/search/layout";
import { standardActionServiceProps } from "@web/webclient/actions/action_service";
import * as grid from "./grid_state";
import { RuleGridTable } from "./grid_table";

const PREVIEW_AFTER = 300; // ms without another change
const LAST_FLOW = "oda_crm.rule_grid.flow";

/**
 * "What must be filled in at each stage?": rows are what may be asked, columns are the
 * stages, a cell holds the place in the order. Nothing is in force before "Save".
 */
export class RuleGrid extends Component {
    static template = "oda_crm.RuleGrid";
    static components = { Layout, RecordSelector, RuleGridTable, SelectMenu };
    static props = { ...standardActionServiceProps };

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.dialog = useService("dialog");
        this.notification = useService("notification");
        this.ui = useService("ui");
        this.bus = useService("bus_service");
        this.display = { controlPanel: {} };
        this.lastPreview = new KeepLast();
        this.state = useState({
            told: null, // what the server said last
            rules: [], // what is on the screen
            added: new Set(), // rows without a rule yet
            stage: false, // of the previewed card, and on a phone of the column
            leadId: false,
            preview: null,
            refusal: "",
            conflict: null,
            outdated: false,
            busy: false,
        });
        this.previewSoon = useDebounced(() => this.preview(), PREVIEW_AFTER);
        onWillStart(() => this.loadFirst());
        const onFlow = ({ flows }) => this.onFlowChanged(flows);
        this.bus.subscribe("oda.flow", onFlow);
        onWillDestroy(() => this.bus.unsubscribe("oda.flow", onFlow));
        useSetupAction({
            beforeLeave: ({ forceLeave } = {}) => forceLeave || this.mayLeave(),
            beforeUnload: (ev) => this.isDirty && ev.preventDefault(),
        });
    }

    // -- reading ------------------------------------------------------------------

    get stages() {
        return this.state.told.stages;
    }

    get groups() {
        return grid.rowsOf(this.state.told.groups, this.state.rules, this.state.added);
    }

    get isDirty() {
        return !grid.isSame(this.state.told.rules, this.state.rules);
    }

    /** All that may be asked and has no row yet, for the picker. */
    get choices() {
        const shown = new Set(this.groups.flatMap(({ rows }) => rows.map((row) => row.item)));
        return this.state.told.groups
            .map((group) => ({
                label: group.name,
                choices: group.items
                    .filter((item) => !shown.has(grid.keyOf(item)))
                    .map((item) => ({ value: grid.keyOf(item), label: item.label })),
            }))
            .filter(({ choices }) => choices.length);
    }

    get leadDomain() {
        return [
            ["team_id", "=", this.state.told.flow.id],
            ["type", "=", "opportunity"],
        ];
    }

    /** The card of the preview: `{stage, next, items, words}`, or null at the end. */
    get card() {
        const { preview, leadId, stage } = this.state;
        if (!preview) {
            return null;
        }
        const real = leadId && preview.real;
        const at = real ? real.stage : stage;
        const index = this.stages.findIndex((one) => one.id === at);
        const next = this.stages[index + 1];
        const items = real ? real.items : preview.empty[at];
        return next && items ? { next: next.name, items, words: this.summary(items) } : null;
    }

    /** "2 fields, 1 task" in a form that every language can say. */
    summary(items) {
        const owed = items.filter((item) => item.mandatory);
        const count = (...kinds) => owed.filter(({ kind }) => kinds.includes(kind)).length;
        return [
            [count("field", "property"), (number) => _t("fields: %s", number)],
            [count("task"), (number) => _t("tasks: %s", number)],
            [count("instrument"), (number) => _t("instruments: %s", number)],
        ]
            .filter(([number]) => number)
            .map(([number, say]) => say(number))
            .join(", ");
    }

    when(at) {
        return at ? formatDateTime(deserializeDateTime(at)) : "";
    }

    // -- loading ------------------------------------------------------------------

    async load(flowId) {
        this.show(await this.orm.call("oda.stage.rule", "get_grid", [flowId]));
    }

    /** The flow that was looked at last in this browser, while it is there. */
    async loadFirst() {
        await this.load(false);
        const last = Number(browser.localStorage.getItem(LAST_FLOW));
        const { flow, flows } = this.state.told;
        if (last !== flow.id && flows.some(([id]) => id === last)) {
            await this.load(last);
        }
    }

    /** Show what the server says, with these rules on top when there are any. */
    show(told, rules = told.rules) {
        const sameFlow = this.state.told?.flow.id === told.flow.id;
        const stageThere = told.stages.some((stage) => stage.id === this.state.stage);
        Object.assign(this.state, {
            told,
            rules: grid.fromServer(rules),
            conflict: null,
            outdated: false,
            leadId: sameFlow && this.state.leadId,
            stage: stageThere ? this.state.stage : told.stages[0]?.id || false,
        });
        if (!sameFlow) {
            this.state.added = new Set();
        }
        return this.preview();
    }

    async preview() {
        const { told, rules, leadId } = this.state;
        if (!told.flow.id) {
            return;
        }
        try {
            const preview = await this.lastPreview.add(
                this.orm.silent.call("oda.stage.rule", "preview_grid", [
                    told.flow.id,
                    told.rules,
                    grid.toServer(rules),
                    leadId,
                ])
            );
            Object.assign(this.state, { preview, refusal: "" });
        } catch (error) {
            if (!error.data?.message) {
                throw error;
            }
            this.state.refusal = error.data.message;
        }
    }

    async chooseFlow(ev) {
        const select = ev.target;
        if (!(await this.mayLeave())) {
            select.value = this.state.told.flow.id;
            return;
        }
        await this.load(Number(select.value));
        browser.localStorage.setItem(LAST_FLOW, this.state.told.flow.id);
    }

    chooseStage(ev) {
        this.state.stage = Number(ev.target.value);
        this.state.leadId = false;
    }

    chooseLead(leadId) {
        this.state.leadId = leadId || false;
        return this.preview();
    }

    /** Somebody changed this flow: show it, or say so where something is in hand. */
    async onFlowChanged(flows) {
        if (this.state.busy || (flows.length && !flows.includes(this.state.told.flow.id))) {
            return;
        }
        if (this.isDirty) {
            this.state.outdated = true;
            return;
        }
        await this.load(this.state.told.flow.id);
    }

    mayLeave() {
        if (!this.isDirty) {
            return true;
        }
        return new Promise((resolve) => {
            this.dialog.add(ConfirmationDialog, {
                title: _t("Changes are not saved"),
                body: _t("What you changed in the grid is not in force yet."),
                confirmLabel: _t("Discard"),
                confirm: () => resolve(true),
                cancelLabel: _t("Stay here"),
                cancel: () => resolve(false),
                dismiss: () => resolve(false),
            });
        });
    }

    // -- changing -----------------------------------------------------------------

    change(rules) {
        this.state.rules = rules;
        this.previewSoon();
    }

    addRow(key) {
        if (key) {
            this.state.added = new Set([...this.state.added, key]);
        }
    }

    // -- saving -------------------------------------------------------------------

    async run(method, args) {
        if (this.state.busy) {
            return null;
        }
        this.state.busy = true;
        try {
            return await this.orm.call("oda.stage.rule", method, args);
        } finally {
            this.state.busy = false;
        }
    }

    async save() {
        const { told, rules } = this.state;
        const done = await this.run("save_grid", [
            told.flow.id,
            told.rules,
            grid.toServer(rules),
        ]);
        if (done?.conflict) {
            this.state.conflict = { ...done.conflict, told: done.grid };
        } else if (done) {
            await this.show(done.grid);
            this.notification.add(_t("Saved: it holds from now on."), { type: "success" });
        }
    }

    discard() {
        return this.show(this.state.told);
    }

    takeTheirs() {
        return this.show(this.state.conflict.told);
    }

    keepMine() {
        const { told, merged } = this.state.conflict;
        return this.show(told, merged);
    }

    async undo() {
        const { told } = this.state;
        const done = await this.run("undo_grid", [told.flow.id, told.last.id]);
        if (!done) {
            return;
        }
        await this.show(done.grid);
        this.notification.add(_t("Undone."), { type: "success" });
        if (done.skipped.length) {
            this.notification.add(
                _t("Gone meanwhile, and not asked again: %s", done.skipped.join(", ")),
                { type: "warning", sticky: true }
            );
        }
    }

    openAll() {
        return this.action.doAction("oda_crm.action_oda_stage_rule");
    }

    openStages() {
        return this.action.doAction("oda_crm.action_oda_stage", {
            additionalContext: {
                searchpanel_default_team_ids: [this.state.told.flow.id],
                default_team_ids: [this.state.told.flow.id],
            },
        });
    }
}

registry.category("actions").add("oda_crm.rule_grid", RuleGrid);
