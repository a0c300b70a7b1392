import { Component } from "@odoo/owl";
import { deserializeDateTime } from "@web/core/l10n/dates";
import { _t } from "@web/core/l10n/translation";
import { useService } from "@web/core/utils/hooks";
import { askForResult } from "../next_step/next_step_service";

const { DateTime } = luxon;

/** One lane of "My day": its entries, how many of what kind, and more of them. */
export class DayLane extends Component {
    static template = "oda_crm.DayLane";
    static props = {
        lane: Object,
        chosen: String,
        onMore: Function,
        onFilter: Function,
        onChanged: Function,
    };

    setup() {
        this.action = useService("action");
        this.orm = useService("orm");
        this.nextStep = useService("oda_crm.next_step");
    }

    get id() {
        return `o_oda_day_${this.props.lane.key}`;
    }

    /** What is left out of the lane, of the kind that is looked at. */
    get left() {
        const { lane, chosen } = this.props;
        const kind = lane.kinds.find((one) => one.kind === chosen);
        const total = chosen ? kind?.total || 0 : lane.total;
        return Math.max(total - lane.entries.length, 0);
    }

    get leftWords() {
        return _t("and %s more", this.uncounted ? `${this.left}+` : this.left);
    }

    /** Whether there may be more of a kind (by default of any) than were counted. */
    get uncounted() {
        const { lane, chosen } = this.props;
        return lane.kinds.some(
            (one) => (!chosen || one.kind === chosen) && one.total >= lane.count_max
        );
    }

    get total() {
        const { lane } = this.props;
        const most = lane.kinds.some((one) => one.total >= lane.count_max);
        return most ? `${lane.total}+` : `${lane.total}`;
    }

    count({ total }) {
        return total >= this.props.lane.count_max ? `${total}+` : `${total}`;
    }

    get canHaveMore() {
        return this.props.lane.entries.length < this.props.lane.most;
    }

    /** Today's entries under the hour they are due in, the others as they come. */
    get sections() {
        const sections = [];
        for (const entry of this.props.lane.entries) {
            const hour = this.props.lane.key === "today" ? this.hour(entry) : "";
            if (sections.at(-1)?.hour !== hour) {
                sections.push({ hour, entries: [] });
            }
            sections.at(-1).entries.push(entry);
        }
        return sections;
    }

    hour(entry) {
        return deserializeDateTime(entry.at).startOf("hour").toLocaleString(DateTime.TIME_SIMPLE);
    }

    time(entry) {
        if (!entry.at) {
            return "";
        }
        const at = deserializeDateTime(entry.at);
        return at.hasSame(DateTime.now(), "day")
            ? at.toLocaleString(DateTime.TIME_SIMPLE)
            : at.toLocaleString({ day: "numeric", month: "short" });
    }

    /** @returns {string} what the entry is about, under its title */
    about(entry) {
        const { title, who, lead } = entry;
        return [who, lead].filter((one) => one && one !== title).join(" · ");
    }

    doneLabel({ title }) {
        return _t("Done: %s", title);
    }

    async open(entry) {
        if (entry.open) {
            const args = [[entry.res_id]];
            await this.action.doAction(await this.orm.call(entry.model, entry.open, args));
        } else if (entry.model) {
            await this.action.doAction({
                type: "ir.actions.act_window",
                res_model: entry.model,
                res_id: entry.res_id,
                views: [[false, "form"]],
            });
        }
    }

    async close(entry) {
        await askForResult(this.env, [entry.task_id], "done");
        this.props.onChanged();
    }

    async plan(entry) {
        await this.nextStep.check([entry.lead_id]);
        this.props.onChanged();
    }
}
