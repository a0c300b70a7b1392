import { mailModels } from "@mail/../tests/mail_test_helpers";
import { beforeEach, describe, expect, test } from "@odoo/hoot";
import { click, queryAllTexts } from "@odoo/hoot-dom";
import { advanceTime, animationFrame } from "@odoo/hoot-mock";
import {
    defineModels,
    fields,
    makeServerError,
    mockService,
    models,
    mountView,
    onRpc,
    patchWithCleanup,
} from "@web/../tests/web_test_helpers";

describe.current.tags("desktop");

class Stage extends models.Model {
    _name = "crm.stage";
    name = fields.Char();
    _records = [
        { id: 1, name: "New" },
        { id: 2, name: "Contacted" },
    ];
}
class Lead extends models.Model {
    _name = "crm.lead";
    name = fields.Char();
    stage_id = fields.Many2one({ relation: "crm.stage" });
    _records = [
        { id: 1, name: "Bakery", stage_id: 1 },
        { id: 2, name: "Orchard", stage_id: 2 },
    ];
}
defineModels({ ...mailModels, Lead, Stage });

let heads, asked, checked, acted;

beforeEach(() => {
    [asked, checked, acted] = [[], [], []];
    heads = { heads: { 1: { oldest: 45, stale: 3 } }, missing: 0, missing_ids: [], flows: [] };
    onRpc("crm.lead", "oda_kanban_heads", ({ kwargs }) => {
        asked.push([kwargs.domain, kwargs.flows]);
        if (heads instanceof Error) {
            throw heads;
        }
        return heads;
    });
    onRpc("has_group", () => true);
});

async function openKanban(params = {}) {
    mockService("oda_crm.next_step", { check: async (ids) => checked.push(ids) });
    mockService("action", { doAction: async (...args) => acted.push(args) });
    await mountView({
        type: "kanban",
        resModel: "crm.lead",
        groupBy: ["stage_id"],
        arch: `<kanban js_class="crm_kanban"><templates><t t-name="card">
                <field name="name"/></t></templates></kanban>`,
        ...params,
    });
    await animationFrame();
    await animationFrame();
}

test("heads of columns: the oldest, and how many stand still", async () => {
    await openKanban({ domain: [["name", "!=", "x"]] });
    expect(asked).toEqual([[[["name", "!=", "x"]], false]]);
    expect(queryAllTexts(".o_oda_kanban_head")).toEqual(["at most 45 d\n3 stand still"]);
    expect(".o_oda_kanban_bar").toHaveCount(0);
});

test("grouped by something else: no heads, and nothing is asked", async () => {
    await openKanban({ groupBy: ["name"] });
    expect(asked).toEqual([]);
    expect(".o_oda_kanban_head").toHaveCount(0);
});

test("the banner opens those without a task, and is gone when there are none", async () => {
    Object.assign(heads, { missing: 3, missing_ids: [2, 5, 9] });
    await openKanban();
    expect(".o_oda_kanban_missing span").toHaveText("3 consultations have no task");
    heads = { ...heads, missing: 0, missing_ids: [] };
    await click("button[name=plan_missing]");
    await advanceTime(1000);
    await animationFrame();
    expect(checked).toEqual([[2, 5, 9]]);
    expect(".o_oda_kanban_missing").toHaveCount(0);
});

test("whoever may change nothing is only told", async () => {
    Object.assign(heads, { missing: 1 });
    await openKanban();
    expect(".o_oda_kanban_missing").toHaveText("One consultation has no task");
    expect("button[name=plan_missing]").toHaveCount(0);
});

test("a flow is chosen by its chip", async () => {
    heads.flows = [
        { id: 4, name: "Ads", count: 9, chosen: true },
        { id: 5, name: "<b>Cold</b>", count: 2, chosen: false },
    ];
    onRpc("crm.team", "oda_choose_flow", ({ args }) => {
        expect.step(args);
        return true;
    });
    await openKanban({ context: { oda_flow_choice: true } });
    expect(asked[0][1]).toBe(true);
    expect(queryAllTexts(".o_oda_flow_chips button")).toEqual(["Ads 9", "<b>Cold</b> 2"]);
    expect("[data-flow='4']").toHaveAttribute("aria-pressed", "true");
    await click("[data-flow='5']");
    await animationFrame();
    expect.verifySteps([[[5]]]);
    expect(acted[0][0]).toBe("crm.action_your_pipeline");
});

test("when the heads cannot be had, the kanban works without", async () => {
    patchWithCleanup(console, { warn: (words) => expect.step(words) });
    heads = makeServerError({ message: "no" });
    await openKanban();
    expect.verifySteps(["The heads of the columns could not be asked for."]);
    expect(".o_kanban_record:not(.o_kanban_ghost)").toHaveCount(2);
    expect(".o_oda_kanban_head").toHaveCount(0);
});
