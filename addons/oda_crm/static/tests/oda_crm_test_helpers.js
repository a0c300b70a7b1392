import { mailModels, start, startServer } from "@mail/../tests/mail_test_helpers";
import {
    defineModels,
    getService,
    makeServerError,
    mockService,
    models,
} from "@web/../tests/web_test_helpers";
import { animationFrame } from "@odoo/hoot-dom";
import { tick } from "@odoo/hoot-mock";

/** Consultations without a next step, as the server knows them. */
export class CrmLead extends models.ServerModel {
    _name = "crm.lead";

    /** @type {Object[]} */
    orphans = [];
    /** @type {Array[]} what was planned: [id, type, summary, due] */
    planned = [];
    /** @type {string} words with which the server refuses */
    refusal = "";

    oda_my_orphans() {
        return {
            leads: this.orphans,
            total: this.orphans.length,
            types: this.orphans.length
                ? [
                      { id: 1, name: "To-Do", icon: "fa-check" },
                      { id: 2, name: "Call", icon: "fa-phone" },
                  ]
                : [],
            choices: this.orphans.length
                ? [
                      { key: "hour", at: "2030-05-06 07:00:00" },
                      { key: "morning", at: "2030-05-07 05:00:00" },
                  ]
                : [],
        };
    }

    oda_plan_next_step([id], typeId, summary, due) {
        if (this.refusal) {
            throw makeServerError({ type: "UserError", message: this.refusal });
        }
        this.planned.push([id, typeId, summary, due]);
        this.orphans = this.orphans.filter((lead) => lead.id !== id);
        return 1;
    }
}

export function defineTaskModels() {
    return defineModels({ ...mailModels, CrmLead });
}

/** Start the web client with these consultations waiting for a next step. */
export async function startWithOrphans(...names) {
    mockService("action", { doAction: async () => {} });
    const pyEnv = await startServer();
    pyEnv["crm.lead"].orphans = names.map((name, index) => ({
        id: index + 1,
        name,
        partner: "Ion Munteanu",
        user: "Ana",
        user_id: 7,
    }));
    await start();
    getService("oda_crm.next_step").check();
    await settle();
    return pyEnv["crm.lead"];
}

export async function settle() {
    for (let i = 0; i < 5; i++) {
        await tick();
    }
    await animationFrame();
    await animationFrame();
}


