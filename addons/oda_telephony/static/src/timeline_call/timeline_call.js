import { Component, xml } from "@odoo/owl";
import { timelineEntries } from "@oda_crm/timeline/timeline";
import { RecordingPlayer } from "../recording_player/recording_player";
import { sayDuration } from "../calls_service/call_format";

/** A call in the timeline: how long, and its recording for whoever may hear it. */
export class TimelineCall extends Component {
    static components = { RecordingPlayer };
    static props = { entry: Object };
    static template = xml`
        <div class="o_oda_timeline_call">
            <span t-if="data.duration" class="text-muted" t-esc="length"/>
            <RecordingPlayer t-if="data.recording" id="data.recording.id" state="data.recording.state" duration="data.recording.duration"/>
        </div>`;

    get data() {
        return this.props.entry.data;
    }

    get length() {
        return sayDuration(this.data.duration);
    }
}

timelineEntries.add("call", TimelineCall);
