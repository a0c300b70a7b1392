import { defineMailModels, start, startServer } from "@mail/../tests/mail_test_helpers";
import { describe, expect, test } from "@odoo/hoot";
import { press, queryAllTexts, queryOne, waitFor } from "@odoo/hoot-dom";
import { advanceTime, animationFrame, Deferred, tick } from "@odoo/hoot-mock";
import {
    contains,
    defineModels,
    fields,
    getService,
    MockServer,
    models,
    mountView,
    onRpc,
    serverState,
} from "@web/../tests/web_test_helpers";
import { browser } from "@web/core/browser/browser";
import { rpcBus } from "@web/core/network/rpc";

describe.current.tags("desktop");

class Team extends models.Model {
    _name = "crm.team";
    name = fields.Char();
    _views = { list: `<list><field name="name"/></list>`, search: `<search/>` };
    _records = [
        { id: 3, name: "Ads" },
        { id: 5, name: "Cold calls" },
    ];
}
class Lead extends models.Model {
    _name = "crm.lead";
    name = fields.Char();
    city = fields.Char();
    phone = fields.Char();
    referred = fields.Char();
    team_id = fields.Many2one({ relation: "crm.team" });
    _records = [
        { id: 1, name: "Bakery", team_id: 3, city: "Cahul" },
        { id: 2, name: "Mill", team_id: 5 },
    ];
}
defineMailModels();
defineModels([Lead, Team]);

const SECTIONS = JSON.stringify([
    { key: "a", name: "Need", flows: [] },
    { key: "b", name: "Where from", flows: [3] },
]).replaceAll('"', "&quot;");
const ARCH = `
    <form>
        <widget name="oda_jump_bar" sections="${SECTIONS}"/>
        <div class="o_oda_group" data-oda-group="a">
            <widget name="oda_card_group" title="Need" key="a" folded="0"/>
            <group class="o_oda_group_body"><field name="city"/><field name="phone"/></group>
        </div>
        <div class="o_oda_group" data-oda-group="b" invisible="team_id not in [3]">
            <widget name="oda_card_group" title="Where from" key="b" folded="1"/>
            <group class="o_oda_group_body"><field name="referred"/></group>
        </div>
        <field name="team_id"/>
    </form>`;
const mountCard = (resId = 1) =>
    mountView({ type: "form", resModel: "crm.lead", resId, arch: ARCH });

test("the bar lists the groups of the card's flow", async () => {
    await mountCard();
    expect(queryAllTexts(".o_oda_jump_bar button")).toEqual(["Need", "Where from"]);
});

test("one group is nothing to jump between", async () => {
    await mountCard(2);
    expect(".o_oda_jump_bar").toHaveCount(0);
    expect("[data-oda-group=b]").toHaveCount(0);
});

test("a jump focuses the first empty field", async () => {
    await mountCard();
    await contains("[data-section=a]").click();
    expect("[name=phone] input").toBeFocused();
});

test("Enter jumps, and unfolds what was folded", async () => {
    await mountCard();
    expect("[data-oda-group=b]").toHaveClass("o_oda_folded");
    queryOne("[data-section=b]").focus();
    await press("Enter");
    await animationFrame();
    expect("[data-oda-group=b]").not.toHaveClass("o_oda_folded");
    expect("[name=referred] input").toBeFocused();
});

test("what a person folds stays folded in their browser", async () => {
    await mountCard();
    await contains("[data-oda-group=a] .o_oda_card_group_head button").click();
    expect("[data-oda-group=a]").toHaveClass("o_oda_folded");
    expect("[data-oda-group=a] .o_oda_card_group_head button").toHaveAttribute(
        "aria-expanded",
        "false"
    );
    const kept = Object.keys(browser.localStorage).filter((k) => k.includes("folded"));
    expect(kept.length).toBe(1);
    expect(browser.localStorage.getItem(kept[0])).toBe("1");
});

test("folding keeps what was typed", async () => {
    await mountCard();
    await contains("[name=city] input").edit("Bălți");
    await contains("[data-oda-group=a] .o_oda_card_group_head button").click();
    await contains("[data-oda-group=a] .o_oda_card_group_head button").click();
    expect("[name=city] input").toHaveValue("Bălți");
});

async function openCard() {
    Lead._views = { form: ARCH, search: "<search/>" };
    onRpc("get_views", ({ model }) => {
        if (model === "crm.lead") {
            expect.step("get_views");
        }
    });
    await startServer();
    await start();
    await getService("bus_service").start(); // what is sent before is lost
    await getService("action").doAction({
        type: "ir.actions.act_window",
        res_model: "crm.lead",
        res_id: 1,
        views: [[false, "form"]],
    });
    expect.verifySteps(["get_views"]);
    rpcBus.addEventListener("CLEAR-CACHES", ({ detail }) => {
        if (detail?.includes?.("get_views")) {
            expect.step("cleared");
        }
    });
}

async function changeLayout() {
    const { env } = MockServer;
    const [partner] = env["res.partner"].read(serverState.partnerId);
    const received = new Deferred();
    getService("bus_service").subscribe("oda.layout", () => received.resolve());
    env["bus.bus"]._sendone(partner, "oda.layout", { version: "new" });
    await received;
    for (let i = 0; i < 5; i++) {
        await tick();
    }
    await animationFrame();
}

test("a changed layout draws an open card anew", async () => {
    await openCard();
    await changeLayout();
    await expect.waitForSteps(["cleared", "get_views"]);
    expect("[name=city] input").toHaveValue("Cahul");
});

test("what is being typed is not taken away", async () => {
    await openCard();
    await contains("[name=phone] input").edit("069 555 111", { confirm: false });
    await changeLayout();
    await expect.waitForSteps(["cleared"]);
    expect("[name=phone] input").toHaveValue("069 555 111");
    expect(".o_notification").toHaveCount(1);
    await contains(".o_form_button_save").click();
    await advanceTime(2100);
    await animationFrame();
    await expect.waitForSteps(["get_views"]);
    expect("[name=phone] input").toHaveValue("069 555 111");
});

test("other screens only forget what they kept", async () => {
    await openCard();
    await getService("action").doAction({
        type: "ir.actions.act_window",
        res_model: "crm.team",
        views: [[false, "list"]],
    });
    await changeLayout();
    await expect.waitForSteps(["cleared"]);
});

test("a new field on the kanban card is drawn at once, and after coming back", async () => {
    const kanban = (extra) => `
        <kanban><templates><t t-name="card"><field name="name"/>${extra}</t></templates></kanban>`;
    Lead._views = { kanban: kanban(""), form: ARCH, search: "<search/>" };
    await startServer();
    await start();
    await getService("bus_service").start(); // what is sent before is lost
    await getService("action").doAction({
        type: "ir.actions.act_window",
        res_model: "crm.lead",
        views: [
            [false, "kanban"],
            [false, "form"],
        ],
    });
    Lead._views.kanban = kanban(`<field name="city"/>`);
    await changeLayout();
    await waitFor(".o_kanban_record:contains(Cahul)");
    await contains(".o_kanban_record:contains(Bakery)").click();
    Lead._views.kanban = kanban(`<field name="city"/><field name="team_id"/>`);
    await changeLayout();
    await contains(".o_back_button").click();
    await waitFor(".o_kanban_record:contains(Ads)");
    expect(".o_kanban_record:contains(Ads)").toHaveCount(1);
});
