import { Component, useState } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { Dialog } from "@web/core/dialog/dialog";
import { useService } from "@web/core/utils/hooks";
import { openFillIn } from "./fill_in";
import { mayBeZero, refusalOf } from "./refusal";

/** Why a consultation did not move; fill in, override, or leave it. */
export class StageDialog extends Component {
    static template = "oda_crm.StageDialog";
    static components = { Dialog };
    static props = {
        close: Function,
        refusal: Object,
        message: String,
        onMoved: { type: Function, optional: true },
    };
    static defaultProps = { onMoved: () => {} };

    setup() {
        this.orm = useService("orm");
        this.dialog = useService("dialog");
        this.action = useService("action");
        this.title = _t("This consultation cannot move yet");
        this.state = useState({
            refusal: this.props.refusal,
            message: this.props.message,
            overriding: false,
            reason: "",
            busy: false,
        });
    }

    get items() {
        return this.state.refusal.items;
    }

    get canFillIn() {
        return this.items.some((item) => this.isFillable(item));
    }

    get letters() {
        return (this.state.reason.match(/\p{L}/gu) || []).length;
    }

    isFillable(item) {
        if (item.name.startsWith("partner_id.")) {
            return Boolean(this.state.refusal.partner_id);
        }
        return item.kind === "field" || item.kind === "property";
    }

    /** Everything that can be filled in, the beneficiary's first; then move again. */
    fillIn(items = this.items) {
        const { lead_id, partner_id } = this.state.refusal;
        openFillIn(this.dialog, {
            leadId: lead_id,
            partnerId: partner_id,
            items: items.filter((item) => this.isFillable(item)),
            onSaved: () => this.move(),
        });
    }

    openItem(item) {
        return this.isFillable(item) ? this.fillIn([item]) : this.openCard();
    }

    mayBeZero(item) {
        return mayBeZero(item);
    }

    async answerZero(item) {
        await this.orm.call("crm.lead", "oda_answer_zero", [
            [this.state.refusal.lead_id],
            item.name,
        ]);
        await this.move();
    }

    async openCard() {
        this.props.close();
        await this.action.doAction({
            type: "ir.actions.act_window",
            res_model: "crm.lead",
            res_id: this.state.refusal.lead_id,
            views: [[false, "form"]],
        });
    }

    override() {
        return this.move(this.state.reason);
    }

    /** Try again; what is still missing takes the place of what was. */
    async move(reason = null) {
        const { lead_id, stage_id, seen_stage_id } = this.state.refusal;
        this.state.busy = true;
        try {
            await this.orm.silent.call("crm.lead", "oda_move", [[lead_id], stage_id], {
                seen_stage_id,
                reason,
            });
        } catch (error) {
            const refusal = refusalOf(error);
            if (!refusal) {
                throw error;
            }
            Object.assign(this.state, { refusal, message: error.data.message });
            return;
        } finally {
            this.state.busy = false;
        }
        this.props.close();
        await this.props.onMoved();
    }
}
