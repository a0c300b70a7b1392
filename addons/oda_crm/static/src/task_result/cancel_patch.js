import { Activity } from "@mail/core/web/activity";
import { ActivityListPopoverItem } from "@mail/core/web/activity_list_popover_item";
import { deserializeDateTime } from "@web/core/l10n/dates";
import { patch } from "@web/core/utils/patch";
import { askForResult } from "../next_step/next_step_service";

const { DateTime } = luxon;

/** The time of a task; the end of a day needs no telling. */
function dueTime(activity) {
    if (!activity.oda_due_at) {
        return "";
    }
    return deserializeDateTime(activity.oda_due_at).toLocaleString(DateTime.TIME_SIMPLE);
}

/** Cancelling a task of a consultation asks why; the answer is its result. */
patch(Activity.prototype, {
    get odaDueTime() {
        return dueTime(this.props.activity);
    },

    async unlink() {
        if (!this.props.activity.oda_result_required) {
            return super.unlink();
        }
        const { thread } = this;
        await askForResult(this.env, [this.props.activity.id], "cancelled");
        this.props.onActivityChanged(thread);
        await thread.fetchNewMessages();
    },
});

patch(ActivityListPopoverItem.prototype, {
    get odaDueTime() {
        return dueTime(this.props.activity);
    },

    async unlink() {
        if (!this.props.activity.oda_result_required) {
            return super.unlink();
        }
        await askForResult(this.env, [this.props.activity.id], "cancelled");
        this.props.onActivityChanged?.();
    },
});
