import { Component, onWillStart, useRef, useState } from "@odoo/owl";
import { deserializeDateTime, formatDateTime } from "@web/core/l10n/dates";
import { _t } from "@web/core/l10n/translation";
import { RecordSelector } from "@web/core/record_selectors/record_selector";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { Layout } from "@web/search/layout";
import { standardActionServiceProps } from "@web/webclient/actions/action_service";

/**
 * "Who can do what?": rows are levels, columns are rights, each cell is a choice that
 * holds at once. Native selects and checkboxes: keyboard and thumb need nothing else.
 */
export class RightsMatrix extends Component {
    static template = "oda_crm.RightsMatrix";
    static components = { Layout, RecordSelector };
    static props = { ...standardActionServiceProps };

    setup() {
        this.orm = useService("orm");
        this.notification = useService("notification");
        this.root = useRef("root");
        this.display = { controlPanel: {} };
        this.state = useState({
            matrix: null,
            subject: "consultation",
            department: false,
            busy: false,
            person: false,
            preview: null, // what that person sees and edits now
        });
        onWillStart(() => this.load());
    }

    async load() {
        this.state.matrix = await this.orm.call("oda.right", "get_matrix", [
            this.state.department,
        ]);
    }

    isYesNo(right) {
        return this.state.matrix.yes_no.includes(right);
    }

    cell(level) {
        return level.cells[this.state.subject];
    }

    isLocked(level, right) {
        return (
            !this.state.matrix.may_change || this.cell(level).locked.includes(right)
        );
    }

    /** What a choice needs and has not got: said on the choice itself, beforehand. */
    needs(level, right, value) {
        const values = this.cell(level).values;
        const order = this.state.matrix.scopes.map(([key]) => key);
        if (["edit", "delete"].includes(right)) {
            return order.indexOf(value) > order.indexOf(values.see) && _t("See");
        }
        if (right === "export") {
            return values.see === "none" && _t("See");
        }
        return (
            ["import", "merge"].includes(right) && values.edit === "none" && _t("Edit")
        );
    }

    hint(needed) {
        return needed && _t("First widen: %s", needed);
    }

    scopeName(key) {
        return Object.fromEntries(this.state.matrix.scopes)[key];
    }

    label(level, rightName) {
        return `${level.name}: ${rightName}`;
    }

    when(change) {
        return formatDateTime(deserializeDateTime(change.at));
    }

    chooseSubject(subject) {
        this.state.subject = subject;
    }

    async chooseDepartment(ev) {
        this.state.department = Number(ev.target.value) || false;
        await this.load();
    }

    /** Run a change; whatever comes of it, the screen shows what holds. */
    async change(method, args, said) {
        if (this.state.busy) {
            return;
        }
        this.state.busy = true;
        try {
            this.state.matrix = await this.orm.call("oda.right", method, args);
            this.notification.add(said, { type: "success" });
            await this.preview();
        } catch (error) {
            await this.load();
            throw error;
        } finally {
            this.state.busy = false;
        }
    }

    choosePerson(person) {
        this.state.person = person || false;
        return this.preview();
    }

    async preview() {
        const { person } = this.state;
        this.state.preview =
            person && (await this.orm.call("oda.right", "preview_person", [person]));
    }

    count(number) {
        const { most } = this.state.preview;
        return number > most ? _t("more than %s", most) : String(number);
    }

    get people() {
        return [["share", "=", false]];
    }

    onCell(level, right, ev) {
        const value = this.isYesNo(right) ? ev.target.checked : ev.target.value;
        return this.change(
            "set_cell",
            [level.key, this.state.subject, this.state.department, right, value],
            _t("Changed: it holds from now on.")
        );
    }

    onReset(level) {
        return this.change(
            "reset_row",
            [level.key, this.state.subject, this.state.department],
            _t("The row of all departments holds again.")
        );
    }

    async onUndo(change) {
        await this.change("undo_change", [change.id], _t("Undone."));
        await this.load();
    }
}

registry.category("actions").add("oda_crm.rights_matrix", RightsMatrix);
