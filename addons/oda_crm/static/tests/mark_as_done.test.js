import { expect, test } from "@odoo/hoot";
import { click, edit } from "@odoo/hoot-dom";
import { openFormView, start, startServer } from "@mail/../tests/mail_test_helpers";
import { getService, makeServerError, onRpc, serverState } from "@web/../tests/web_test_helpers";
import { defineTaskModels, settle } from "./oda_crm_test_helpers";

defineTaskModels();

async function openTask(values) {
    onRpc("mail.activity", "activity_format", () => {});
    const pyEnv = await startServer();
    const partnerId = pyEnv["res.partner"].create({ name: "Ion" });
    const typeId = pyEnv["mail.activity.type"].create({ name: "Call" });
    pyEnv["mail.activity"].create({
        activity_type_id: typeId,
        can_write: true,
        chaining_type: "suggest",
        res_id: partnerId,
        res_model: "res.partner",
        user_id: serverState.userId,
    });
    await start();
    await openFormView("res.partner", partnerId);
    await settle();
    const [task] = Object.values(getService("mail.store")["mail.activity"].records);
    Object.assign(task, values);
    await click(".o-mail-Activity-markDone");
    await settle();
}

const DONE = ".o-mail-ActivityMarkAsDone button[aria-label=Done]";

test("Done waits for the words of a result", async () => {
    await openTask({ oda_result_required: true, oda_least_words: 2 });
    expect(DONE).not.toBeEnabled();
    expect(".o_oda_result_hint").toHaveText(/^2 more words/);
    await click(".o-mail-ActivityMarkAsDone textarea");
    await edit("called");
    await settle();
    expect(".o_oda_result_hint").toHaveText(/^One more word/);
    await edit("called, he comes");
    await settle();
    expect(DONE).toBeEnabled();
    expect(".o_oda_result_hint").toHaveCount(0);
});

test("a refused result stays, with the server's words", async () => {
    await openTask({ oda_result_required: true, oda_least_words: 1 });
    onRpc("mail.activity", "action_feedback", () => {
        throw makeServerError({ type: "UserError", message: "This is the last one again." });
    });
    await click(".o-mail-ActivityMarkAsDone textarea");
    await edit("called again");
    await settle();
    await click(DONE);
    await settle();
    expect(".o_oda_result_refused").toHaveText("This is the last one again.");
    expect(".o-mail-ActivityMarkAsDone textarea").toHaveValue("called again");
});

test("a task that needs no result closes as ever", async () => {
    await openTask({ oda_result_required: false });
    expect(DONE).toBeEnabled();
    expect(".o_oda_result_hint").toHaveCount(0);
});
