import { ActivityMarkAsDone } from "@mail/core/web/activity_markasdone_popover";
import { _t } from "@web/core/l10n/translation";
import { RPCError } from "@web/core/network/rpc";
import { patch } from "@web/core/utils/patch";
import { useState } from "@odoo/owl";
import { countWords } from "./words";

/** Done waits for a written result; what was written survives a refusal. */
patch(ActivityMarkAsDone.prototype, {
    setup() {
        super.setup();
        this.oda = useState({
            words: countWords(this.props.activity.feedback),
            refused: "",
            busy: false,
        });
    },

    get odaLeastWords() {
        const { oda_result_required, oda_least_words } = this.props.activity;
        return oda_result_required ? Math.max(oda_least_words || 1, 1) : 0;
    },

    get odaMissing() {
        return Math.max(this.odaLeastWords - this.oda.words, 0);
    },

    get odaHint() {
        return this.odaMissing === 1
            ? _t("One more word: what was done or agreed?")
            : _t("%s more words: what was done or agreed?", this.odaMissing);
    },

    onInputResult(ev) {
        this.oda.words = countWords(ev.target.value);
        this.oda.refused = "";
    },

    async onClickDone() {
        if (!this.odaLeastWords) {
            return super.onClickDone();
        }
        await this.odaGuarded(() => super.onClickDone());
    },

    async onClickDoneAndScheduleNext() {
        if (!this.odaLeastWords) {
            return super.onClickDoneAndScheduleNext();
        }
        const { activity, onActivityChanged } = this.props;
        const { action, "mail.store": store } = this.env.services;
        const thread = store.Thread.insert({ model: activity.res_model, id: activity.res_id });
        await this.odaGuarded(async () => {
            // Core closes first and asks then: a refused text would be out of sight.
            const next = await activity.markAsDoneAndScheduleNext();
            this.props.onClickDoneAndScheduleNext?.();
            this.props.close?.();
            thread.fetchNewMessages();
            onActivityChanged(thread);
            if (next) {
                await new Promise((resolve) => action.doAction(next, { onClose: resolve }));
                onActivityChanged(thread);
            }
        });
    },

    async odaGuarded(act) {
        if (this.odaMissing || this.oda.busy) {
            return;
        }
        const { res_id, res_model } = this.props.activity;
        const nextStep = this.env.services["oda_crm.next_step"];
        this.oda.busy = true;
        this.oda.refused = "";
        try {
            await act();
        } catch (error) {
            if (!(error instanceof RPCError)) {
                throw error;
            }
            this.oda.refused = error.data?.message || error.message;
            return;
        } finally {
            this.oda.busy = false;
        }
        if (res_model === "crm.lead") {
            nextStep.check([res_id]);
        }
    },
});
