import { describe, expect, test } from "@odoo/hoot";
import { animationFrame } from "@odoo/hoot-mock";
import {
    defineActions,
    defineMenus,
    defineModels,
    fields,
    getService,
    models,
    mountWebClient,
    onRpc,
    patchWithCleanup,
} from "@web/../tests/web_test_helpers";
import { defineMailModels } from "@mail/../tests/mail_test_helpers";
import { user } from "@web/core/user";
import "@oda_base/home_app/home_app";

describe.current.tags("desktop");

class Case extends models.Model {
    name = fields.Char();
    _views = { list: `<list><field name="name"/></list>`, search: `<search/>` };
}
defineMailModels();
defineModels([Case]);

const shown = {
    id: 11,
    name: "Pipeline",
    res_model: "case",
    type: "ir.actions.act_window",
    views: [[false, "list"]],
};

test("a home page that a server action gives belongs to its application", async () => {
    defineMenus([
        { id: 1, name: "Other", appID: 1, actionID: 99 },
        { id: 2, name: "Consultations", appID: 2, actionID: 10, actionPath: "cases" },
    ]);
    defineActions([
        { id: 10, xml_id: "home", type: "ir.actions.server", path: "cases" },
        shown,
    ]);
    onRpc("/web/action/run", () => ({ ...shown, path: "cases" }));
    patchWithCleanup(user, { homeActionId: 10 });
    await mountWebClient();
    await animationFrame();
    expect(getService("menu").getCurrentApp()?.name).toBe("Consultations");
});
