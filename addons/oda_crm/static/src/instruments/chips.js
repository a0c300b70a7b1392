import { Component } from "@odoo/owl";
import { deserializeDateTime } from "@web/core/l10n/dates";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

/** What was advised, in few words: `{id, name, value?, date?, count?}` each. */
export class Chips extends Component {
    static template = "oda_crm.Chips";
    static props = {
        chips: Array,
        onRemove: { type: Function, optional: true },
        withDate: { type: Boolean, optional: true },
    };

    day(chip) {
        const day = deserializeDateTime(chip.date);
        const sameYear = day.year === luxon.DateTime.now().year;
        return day.toFormat(sameYear ? "d MMM" : "d MMM yyyy");
    }

    title(chip) {
        return chip.count > 1 ? _t("%(name)s: %(count)s times", chip) : chip.name;
    }

    removeLabel(chip) {
        return _t("Remove %s", chip.name);
    }
}

/** Chips that a form, list or card shows of a computed field. */
export class ChipsField extends Component {
    static template = "oda_crm.ChipsField";
    static components = { Chips };
    static props = { ...standardFieldProps, withDate: { type: Boolean, optional: true } };

    get chips() {
        return this.props.record.data[this.props.name] || [];
    }
}

registry.category("fields").add("oda_chips", {
    component: ChipsField,
    displayName: _t("Instruments as chips"),
    supportedTypes: ["json"],
    extractProps: ({ viewType }) => ({ withDate: viewType === "form" }),
});
