import { Component, xml } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

/** A mark where there is something to hear; the row itself leads there. */
export class HasSoundField extends Component {
    static props = standardFieldProps;
    static template = xml`
        <i t-if="props.record.data[props.name]" class="fa fa-play-circle" role="img" t-att-title="label" t-att-aria-label="label"/>`;

    get label() {
        return _t("Has a recording");
    }
}

registry.category("fields").add("oda_has_sound", {
    component: HasSoundField,
    displayName: _t("Has a recording"),
    supportedTypes: ["boolean"],
    listViewWidth: [30, 30],
});
