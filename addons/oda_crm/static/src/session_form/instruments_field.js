import { Component, onWillStart, onWillUpdateProps, useState } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { standardFieldProps } from "@web/views/fields/standard_field_props";
import { InstrumentPicker } from "../instruments/instrument_picker";
import { useSessionDraft } from "./use_session_draft";

/** The instruments of the session's flow, saved with its draft. */
export class InstrumentsField extends Component {
    static template = "oda_crm.InstrumentsField";
    static components = { InstrumentPicker };
    static props = { ...standardFieldProps };

    setup() {
        this.orm = useService("orm");
        this.state = useSessionDraft();
        this.data = useState({ groups: [] });
        onWillStart(() => this.load(this.props));
        onWillUpdateProps((next) => {
            if (this.flowOf(next) !== this.flow) {
                return this.load(next);
            }
        });
    }

    flowOf(props) {
        return props.record.data.team_id?.id || false;
    }

    /** Asked for at each opening: what an administrator changed is there at once. */
    async load(props) {
        this.flow = this.flowOf(props);
        this.data.groups = await this.orm.call("oda.instrument", "get_catalogue", [this.flow]);
    }

    onChange(id, value) {
        this.state.draft.answer(id, value);
    }

    onLeave() {
        this.state.draft.flush();
    }
}

registry.category("fields").add("oda_instruments", {
    component: InstrumentsField,
    displayName: _t("Instruments advised on"),
    supportedTypes: ["json"],
    fieldDependencies: [
        { name: "chips", type: "json" },
        { name: "content", type: "text" },
        { name: "content_version", type: "integer" },
        { name: "team_id", type: "many2one", relation: "crm.team" },
    ],
});
