import { Component, onMounted, useRef, useState } from "@odoo/owl";
import { Dialog } from "@web/core/dialog/dialog";
import { deserializeDateTime, serializeDateTime } from "@web/core/l10n/dates";
import { _t } from "@web/core/l10n/translation";
import { useService } from "@web/core/utils/hooks";

const { DateTime } = luxon;
const LOCAL = "yyyy-LL-dd'T'HH:mm";

/** A dialog that is answered, not closed. */
class LastingDialog extends Dialog {
    onEscape() {}
    async dismiss() {}
}

/**
 * "Plan the next step", one consultation after another: what, by when. Its data are
 * those of `crm.lead.oda_my_orphans`.
 */
export class NextStepDialog extends Component {
    static template = "oda_crm.NextStepDialog";
    static components = { LastingDialog };
    static props = {
        close: Function,
        data: Object,
        reload: Function,
    };

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.summary = useRef("summary");
        this.data = this.props.data;
        this.state = useState({ done: 0, busy: false, error: "", ...this.empty() });
        this.leads = useState([...this.data.leads]);
        onMounted(() => this.summary.el?.focus());
    }

    empty() {
        const first = this.data.choices[0];
        return {
            typeId: this.data.types[0]?.id,
            summary: "",
            choice: first?.key || "other",
            at: first ? deserializeDateTime(first.at).toFormat(LOCAL) : "",
        };
    }

    get lead() {
        return this.leads[0];
    }

    get total() {
        return Math.max(this.data.total, this.state.done + this.leads.length);
    }

    get title() {
        return this.total > 1
            ? _t("Plan the next step (%(number)s of %(total)s)", {
                  number: this.state.done + 1,
                  total: this.total,
              })
            : _t("Plan the next step");
    }

    get choices() {
        const labels = {
            hour: _t("In 1 working hour"),
            today: _t("Today at 15:00"),
            morning: _t("Next working morning"),
        };
        return this.data.choices.map(({ key, at }) => ({
            key,
            label: labels[key],
            when: deserializeDateTime(at).toLocaleString({
                weekday: "short",
                day: "numeric",
                month: "short",
                hour: "2-digit",
                minute: "2-digit",
            }),
            at,
        }));
    }

    chooseType(id) {
        this.state.typeId = id;
    }

    onEnter(ev) {
        if (ev.key === "Enter") {
            this.plan();
        }
    }

    choose({ key, at }) {
        this.state.choice = key;
        this.state.at = deserializeDateTime(at).toFormat(LOCAL);
    }

    onTime(ev) {
        this.state.at = ev.target.value;
        this.state.choice = "other";
    }

    get due() {
        if (this.state.choice !== "other") {
            return this.state.choice;
        }
        const at = DateTime.fromFormat(this.state.at, LOCAL);
        return at.isValid ? serializeDateTime(at) : false;
    }

    async plan() {
        if (this.state.busy) {
            return;
        }
        if (!this.due) {
            this.state.error = _t("Write the date and the time of the task.");
            return;
        }
        const { typeId, summary } = this.state;
        await this.guarded(async () => {
            await this.orm.call("crm.lead", "oda_plan_next_step", [
                [this.lead.id],
                typeId,
                summary,
                this.due,
            ]);
            this.next();
        });
    }

    /** The other answer: this consultation is over. */
    closeLead() {
        const { id } = this.lead;
        this.action.doAction("crm.crm_lead_lost_action", {
            additionalContext: { active_model: "crm.lead", active_id: id, active_ids: [id] },
            onClose: async () => {
                const { leads } = await this.props.reload([id]);
                if (!leads.some((lead) => lead.id === id)) {
                    this.next();
                }
            },
        });
    }

    next() {
        this.leads.shift();
        this.state.done++;
        if (!this.leads.length) {
            this.props.close();
            return;
        }
        Object.assign(this.state, this.empty(), { error: "" });
        this.summary.el?.focus();
    }

    /** What the person typed stays when the server refuses or cannot be reached. */
    async guarded(act) {
        this.state.busy = true;
        this.state.error = "";
        try {
            await act();
        } catch (error) {
            this.state.error =
                error.data?.message || _t("There is no connection; what is written stays.");
        } finally {
            this.state.busy = false;
        }
    }
}
