import { Component } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

const BEST = 5;

/** The client's mark for the talk, 1 to 5, as stars; nothing when there is none. */
export class RatingField extends Component {
    static template = "oda_telephony.RatingField";
    static props = { ...standardFieldProps };

    get mark() {
        const value = this.props.record.data[this.props.name] || 0;
        return Math.max(0, Math.min(BEST, value));
    }

    get stars() {
        return "★".repeat(this.mark) + "☆".repeat(BEST - this.mark);
    }

    get label() {
        return _t("Marked %(mark)s of %(best)s", { mark: this.mark, best: BEST });
    }
}

registry.category("fields").add("oda_rating", {
    component: RatingField,
    displayName: _t("Mark of the talk"),
    supportedTypes: ["integer"],
});
