import { Component, useRef, useState } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { usePopover } from "@web/core/popover/popover_hook";
import { useDraggable } from "@web/core/utils/draggable";
import { useService } from "@web/core/utils/hooks";
import { RuleCellPopover } from "./cell_popover";
import * as grid from "./grid_state";

/** The cells: numbers are typed, chips dragged, carried by keys or moved by buttons. */
export class RuleGridTable extends Component {
    static template = "oda_crm.RuleGridTable";
    static props = {
        stages: Array,
        groups: Array, // with rows
        state: Object, // of the screen: `rules`, `stage` that a phone shows, `busy`
        onChange: Function, // with the new rules
    };

    setup() {
        this.state = useState(this.props.state);
        this.notification = useService("notification");
        this.ui = useService("ui");
        this.table = useRef("table");
        this.popover = usePopover(RuleCellPopover, { position: "bottom-start" });
        useDraggable({
            ref: this.table,
            elements: ".o_oda_asked",
            handle: ".o_oda_asked_handle",
            cursor: "grabbing",
            onDrop: ({ x, y, element }) => this.onDrop(x, y, Number(element.dataset.uid)),
        });
    }

    get stages() {
        return this.props.stages;
    }

    /** On a phone one stage at a time. */
    get columns() {
        return this.ui.isSmall
            ? this.stages.filter((stage) => stage.id === this.state.stage)
            : this.stages;
    }

    /** What is asked at the end of the flow holds nobody back: no place to ask there. */
    isEnd(stage) {
        return stage.id === this.stages.at(-1).id;
    }

    number(rule) {
        return grid.numberOf(this.state.rules, rule);
    }

    stageName(id) {
        return this.stages.find((stage) => stage.id === id)?.name || "";
    }

    cellLabel(row, stage) {
        return _t("%(what)s, order at %(stage)s", { what: row.label, stage: stage.name });
    }

    /**
     * Put a rule at a number of a stage, unless it is asked there already.
     *
     * @returns {Object[]|false} the rules as they are then
     */
    put(rule, stage, number) {
        if (grid.isTaken(this.state.rules, rule, stage)) {
            this.notification.add(_t("It is asked at “%s” already.", this.stageName(stage)), {
                type: "warning",
            });
            return false;
        }
        const rules = grid.place(this.state.rules, rule, stage, number);
        this.props.onChange(rules);
        return rules;
    }

    /** Ask for the row's thing at a stage, after all that is asked there. */
    add(row, stage) {
        this.put(grid.newRule(row.kind, row.what, stage.id), stage.id, Infinity);
    }

    onNumber(row, stage, ev) {
        const rule = row.cells[stage.id];
        const text = ev.target.value.trim();
        const number = Number(text);
        if (!text) {
            rule && this.props.onChange(grid.remove(this.state.rules, rule.uid));
        } else if (!Number.isInteger(number) || number < 1) {
            this.notification.add(_t("Write a whole number from 1, or nothing."), {
                type: "warning",
            });
            ev.target.value = rule ? this.number(rule) : "";
        } else {
            const asked = rule || grid.newRule(row.kind, row.what, stage.id);
            const rules = this.put(asked, stage.id, number) || this.state.rules;
            // Beyond the last one it becomes the last; refused, it stays what it was.
            ev.target.value = grid.numberOf(rules, asked) || "";
        }
    }

    /** Arrows walk through the grid; with Ctrl they carry the rule along. */
    onKeydown(row, stage, ev) {
        const rule = row.cells[stage.id];
        const step = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[ev.key];
        if (ev.key === "Enter" && !rule && !ev.target.value.trim()) {
            ev.preventDefault();
            return this.add(row, stage);
        }
        if (!step || ev.altKey || ev.metaKey || ev.shiftKey) {
            return;
        }
        const sideways = ["ArrowLeft", "ArrowRight"].includes(ev.key);
        if (ev.ctrlKey) {
            ev.preventDefault();
            if (rule && sideways) {
                this.carry(row, rule, stage, step);
            } else if (rule) {
                this.shift(rule, step);
            }
            return;
        }
        if (!sideways) {
            ev.preventDefault();
            const cells = [
                ...this.table.el.querySelectorAll(`td[data-stage="${stage.id}"] input`),
            ];
            cells[cells.indexOf(ev.target) + step]?.focus();
        }
    }

    carry(row, rule, stage, step) {
        const target = this.columns[this.columns.findIndex(({ id }) => id === stage.id) + step];
        if (target && this.put(rule, target.id, Infinity)) {
            const cell = `tr[data-row="${CSS.escape(row.key)}"] td[data-stage="${target.id}"] input`;
            this.table.el.querySelector(cell)?.focus();
        }
    }

    shift(rule, step) {
        const number = this.number(rule) + step;
        const last = grid.ofStage(this.state.rules, rule.stage).length;
        if (number >= 1 && number <= last) {
            this.props.onChange(grid.place(this.state.rules, rule, rule.stage, number));
        }
    }

    /** A chip was dropped: into the column, and before what stands in that cell. */
    onDrop(x, y, uid) {
        // By place: what is dragged hides what lies under it.
        const cell = [...this.table.el.querySelectorAll("td[data-stage]")].find((one) => {
            const { left, right, top, bottom } = one.getBoundingClientRect();
            return left <= x && x < right && top <= y && y < bottom;
        });
        const rule = this.state.rules.find((one) => one.uid === uid);
        if (!cell || !rule) {
            return;
        }
        const stage = Number(cell.dataset.stage);
        const target = cell.querySelector(".o_oda_asked:not(.o_dragged)");
        const there = target && this.state.rules.find((one) => one.uid === Number(target.dataset.uid));
        this.put(rule, stage, there ? this.number(there) : Infinity);
    }

    openCell(row, stage, ev) {
        const { uid } = row.cells[stage.id];
        const find = () => this.state.rules.find((one) => one.uid === uid);
        this.popover.open(ev.currentTarget, {
            rule: row.cells[stage.id],
            label: row.label,
            stages: this.stages,
            onChange: (values) => this.props.onChange(grid.change(this.state.rules, uid, values)),
            onShift: (step) => this.shift(find(), step),
            onStage: (id) => {
                this.popover.close();
                this.put(find(), id, Infinity);
            },
            onRemove: () => {
                this.popover.close();
                this.props.onChange(grid.remove(this.state.rules, uid));
            },
        });
    }
}
