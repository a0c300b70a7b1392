import {
    RottingStatusBarDurationField,
    rottingStatusBarDurationField,
} from "@mail/js/rotting_mixin/rotting_statusbar";
import { registry } from "@web/core/registry";

/** The stages of the flow only; a refused move leaves the card as it was. */
export class StageStatusBar extends RottingStatusBarDurationField {
    getDomain() {
        const stages = this.props.record.data.oda_to_go_on?.stages;
        return stages ? [["id", "in", stages]] : super.getDomain();
    }

    async selectItem(item) {
        const { record } = this.props;
        // What was typed is saved first: it must not be lost with a refused move.
        if ((await record.isDirty()) && !(await record.save())) {
            return;
        }
        try {
            await super.selectItem(item);
        } catch (error) {
            await record.discard();
            throw error;
        }
    }
}

registry.category("fields").add("oda_stage_statusbar", {
    ...rottingStatusBarDurationField,
    component: StageStatusBar,
    additionalClasses: ["o_field_statusbar"],
});
