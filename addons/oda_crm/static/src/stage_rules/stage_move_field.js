import { Component } from "@odoo/owl";
import { Dropdown } from "@web/core/dropdown/dropdown";
import { DropdownItem } from "@web/core/dropdown/dropdown_item";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

/** On a kanban card: what is missing, in short, and "Move" for who does not drag. */
export class StageMoveField extends Component {
    static template = "oda_crm.StageMoveField";
    static components = { Dropdown, DropdownItem };
    static props = { ...standardFieldProps };

    get record() {
        return this.props.record;
    }

    get text() {
        return this.record.data.oda_to_go_on_text;
    }

    get moves() {
        return this.record.data[this.props.name]?.moves || [];
    }

    get label() {
        return _t("Move “%s” to another stage", this.record.data.name || "");
    }

    /** The same as a drag to the end of that column, with all that follows. */
    async moveTo(move) {
        const root = this.record.model.root;
        const groups = root.groups || [];
        const source = groups.find((group) =>
            group.list.records.some((one) => one.id === this.record.id)
        );
        const target = groups.find((group) => group.value === move.id);
        if (source && target && root.groupByField?.name === "stage_id") {
            const last = target.list.records.at(-1);
            await root.moveRecord(this.record.id, source.id, last?.id || null, target.id);
            return;
        }
        const stage_id = { id: move.id, display_name: move.name };
        await this.record.update({ stage_id }, { save: true });
        await this.record.model.load();
    }
}

registry.category("fields").add("oda_stage_move", {
    component: StageMoveField,
    supportedTypes: ["json"],
    fieldDependencies: [
        { name: "oda_to_go_on_text", type: "char", string: _t("To go on, in short") },
        { name: "name", type: "char", string: _t("Name") },
        {
            name: "stage_id",
            type: "many2one",
            relation: "crm.stage",
            string: _t("Stage"),
        },
    ],
});
