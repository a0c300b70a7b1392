import { registry } from "@web/core/registry";
import { session } from "@web/session";
import { _t } from "@web/core/l10n/translation";
import { NextStepDialog } from "./next_step_dialog";

/**
 * Asks for the next step of consultations that have none: at start for one's own,
 * and whenever the server or a screen says that a last task was closed. One dialog at
 * a time; it stays until it is answered.
 */
export const nextStepService = {
    dependencies: ["action", "bus_service", "dialog", "orm"],

    start(env, { action, bus_service, dialog, orm }) {
        const waiting = new Set();
        let asking = false;

        async function load(leadIds = []) {
            try {
                return await orm.silent.call("crm.lead", "oda_my_orphans", [leadIds]);
            } catch (error) {
                // The server's own ban stands; the next closing asks again.
                console.warn("The next steps could not be asked for.", error);
                return { leads: [] };
            }
        }

        function ask(data) {
            return new Promise((resolve) =>
                dialog.add(NextStepDialog, { data, reload: load }, { onClose: resolve })
            );
        }

        /** @param {number[]} [leadIds] consultations to ask about, whose ever they are */
        async function check(leadIds = []) {
            leadIds.forEach((id) => waiting.add(id));
            if (asking) {
                return;
            }
            asking = true;
            let asked = false;
            try {
                for (;;) {
                    const ids = [...waiting];
                    waiting.clear();
                    const data = await load(ids);
                    if (!data.leads.length) {
                        break;
                    }
                    asked = true;
                    await ask(data);
                }
            } finally {
                asking = false;
            }
            if (asked) {
                await action.doAction("soft_reload");
            }
        }

        bus_service.subscribe("oda_crm.next_step", ({ lead_ids }) => check(lead_ids));
        if (session.oda_orphans) {
            env.bus.addEventListener("WEB_CLIENT_READY", () => check(), { once: true });
        }
        return { check };
    },
};

registry.category("services").add("oda_crm.next_step", nextStepService);

/** What the server's buttons return after they closed a last task. */
registry.category("actions").add("oda_crm.next_step", (env, { params }) => {
    env.services["oda_crm.next_step"].check(params.lead_ids);
    return { type: "ir.actions.act_window_close" };
});

/**
 * The dialog for the written result of a task, or for the reason of its cancelling.
 *
 * @param {Object} env
 * @param {number[]} taskIds
 * @param {"done"|"cancelled"} outcome
 * @returns {Promise<void>} once it is closed, whatever was answered
 */
export function askForResult(env, taskIds, outcome) {
    return new Promise((resolve) =>
        env.services.action.doAction(
            {
                type: "ir.actions.act_window",
                name: outcome === "done" ? _t("Result of the task") : _t("Cancel the task"),
                res_model: "oda.task.result",
                views: [[false, "form"]],
                target: "new",
                context: {
                    default_task_ids: taskIds,
                    default_outcome: outcome,
                    dialog_size: "medium",
                },
            },
            { onClose: resolve }
        )
    );
}
