import { makeServerError, models } from "@web/../tests/web_test_helpers";

/** What the server promises the call pop, kept in memory. */
export class OdaCall extends models.Model {
    _name = "oda.call";

    /** @type {Map<number, Object>} live cards by id */
    cards = new Map();
    /** @type {string[]} methods called, in order */
    asked = [];
    /** @type {Object[]} values of each save_draft */
    drafts = [];

    /** @type {Object} instrument id -> value */
    answers = {};
    catalogue = [
        {
            id: 1,
            name: "Programmes",
            instruments: [
                { id: 11, name: "PARE 1+1", kind: "tick", unit: "", help: "", options: [] },
                { id: 12, name: "Export", kind: "tick", unit: "", help: "", options: [] },
            ],
        },
    ];

    get_instruments() {
        this.asked.push("get_instruments");
        return { groups: this.catalogue, answers: this.answers, chips: [] };
    }

    save_answers(ids, number, values) {
        this.asked.push("save_answers");
        Object.assign(this.answers, values);
        return { version: 1, outcome: "same", chips: [] };
    }

    /** @type {Array[]} arguments of each oda_dial; `dialAnswer` is what it says */
    dialled = [];
    dialAnswer = null;

    oda_dial(number, model, resId) {
        this.dialled.push([number, model, resId]);
        if (this.dialAnswer instanceof Error) {
            throw this.dialAnswer;
        }
        return { id: 7, phone: number.replace(/\D/g, ""), state: "asked", words: "" };
    }

    get_live_calls() {
        this.asked.push("get_live_calls");
        return [...this.cards.values()];
    }

    get_card([id]) {
        this.asked.push("get_card");
        return this.cards.get(id) || false;
    }

    save_draft([id], values) {
        this.asked.push("save_draft");
        this.drafts.push(values);
        const card = this.cards.get(id);
        if (!card) {
            return false;
        }
        if ("note" in values && !card.partner && !values.partner_id) {
            throw makeServerError({ type: "UserError", message: "Choose first who is calling." });
        }
        if ("note" in values) {
            card.session = { id: 1, content: values.note.trim() };
        }
        if (values.partner_id) {
            const candidate = card.candidates.find(({ id }) => id === values.partner_id);
            card.partner = { id: candidate.id, name: candidate.name, company: "", is_new: false };
        }
        if ("name" in values) {
            Object.assign(card.partner, { name: values.name, is_new: false });
        }
        return card;
    }

    finish([id], { note }) {
        this.asked.push("finish");
        if (!note.trim()) {
            throw makeServerError({ type: "UserError", message: "Write what was agreed." });
        }
        this.finishedNote = note;
        this.cards.delete(id);
        return true;
    }

    dismiss([id]) {
        this.asked.push("dismiss");
        this.cards.delete(id);
        return true;
    }

    action_open_card([id]) {
        this.asked.push("action_open_card");
        return {
            type: "ir.actions.act_window",
            res_model: "res.partner",
            res_id: this.cards.get(id).partner.id,
            views: [[false, "form"]],
        };
    }
}
