import { Component, xml } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { standardWidgetProps } from "@web/views/widgets/standard_widget_props";
import { RecordingPlayer } from "./recording_player";

/** `<widget name="oda_recording_player"/>` on any view of `oda.recording`. */
export class RecordingWidget extends Component {
    static components = { RecordingPlayer };
    static props = standardWidgetProps;
    // Listening must not open the row of a list or the card of a kanban.
    static template = xml`
        <div t-if="record.resId" class="mb-2" t-on-click.stop="() => {}">
            <RecordingPlayer t-key="record.resId" id="record.resId" state="record.data.state or 'pending'" duration="record.data.duration" eager="eager"/>
        </div>`;

    /** One recording on a form shows its waveform at once; rows of a list wait. */
    get eager() {
        return this.env.config?.viewType === "form";
    }

    get record() {
        return this.props.record;
    }
}

registry.category("view_widgets").add("oda_recording_player", {
    component: RecordingWidget,
    fieldDependencies: [
        { name: "state", type: "selection", string: _t("State") },
        { name: "duration", type: "integer", string: _t("Duration") },
    ],
});
