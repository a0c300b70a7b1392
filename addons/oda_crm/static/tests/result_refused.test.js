import { expect, test } from "@odoo/hoot";
import { click, edit } from "@odoo/hoot-dom";
import { animationFrame } from "@odoo/hoot-mock";
import {
    defineModels,
    fields,
    getService,
    makeServerError,
    models,
    mountWithCleanup,
    onRpc,
} from "@web/../tests/web_test_helpers";
import { WebClient } from "@web/webclient/webclient";
import { mailModels } from "@mail/../tests/mail_test_helpers";

class Result extends models.Model {
    _name = "oda.task.result";

    text = fields.Text();

    _views = {
        form: `
            <form>
                <field name="text"/>
                <footer><button name="action_confirm" type="object" string="Done" class="btn-primary"/></footer>
            </form>`,
    };
}

defineModels({ ...mailModels, Result });

async function refuse(errorName, message) {
    onRpc("oda.task.result", "action_confirm", () => {
        throw makeServerError({ errorName, message });
    });
    await mountWithCleanup(WebClient);
    await getService("action").doAction({
        type: "ir.actions.act_window",
        res_model: "oda.task.result",
        views: [[false, "form"]],
        target: "new",
    });
    await click(".modal textarea");
    await edit("ok");
    await click(".modal footer .btn-primary, .modal .modal-footer .btn-primary");
    await animationFrame();
    await animationFrame();
}

test("a refused result is a word beside the text, which stays", async () => {
    expect.errors(1);
    await refuse("odoo.addons.oda_crm.exceptions.ResultRefused", "At least two words, please.");
    expect(".o_notification").toHaveCount(1);
    expect(".o_notification_content").toHaveText("At least two words, please.");
    expect(".o_error_dialog").toHaveCount(0);
    expect(".modal").toHaveCount(1);
    expect(".modal textarea").toHaveValue("ok");
    expect.verifyErrors(["RPC_ERROR"]);
});

test("any other refusal is core's dialog, as ever", async () => {
    expect.errors(1);
    await refuse("odoo.exceptions.UserError", "Not today.");
    expect(".o_error_dialog").toHaveCount(1);
    expect(".o_notification").toHaveCount(0);
    expect.verifyErrors(["RPC_ERROR"]);
});
