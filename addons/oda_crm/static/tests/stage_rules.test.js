import { beforeEach, describe, expect, test } from "@odoo/hoot";
import { animationFrame, click, edit, queryAllTexts } from "@odoo/hoot-dom";
import { mailModels } from "@mail/../tests/mail_test_helpers";
import {
    defineModels,
    fields,
    getService,
    makeMockEnv,
    makeServerError,
    models,
    mountView,
    mountWithCleanup,
    onRpc,
    patchWithCleanup,
} from "@web/../tests/web_test_helpers";
import { MainComponentsContainer } from "@web/core/main_components_container";
import { refusalOf } from "@oda_crm/stage_rules/refusal";
import { StageDialog } from "@oda_crm/stage_rules/stage_dialog";
import { isTyped, ToGoOnField } from "@oda_crm/stage_rules/to_go_on_field";

describe.current.tags("desktop");

const ITEMS = [
    { kind: "field", name: "contact_name", label: "Contact", order: 1, mandatory: true, type: "char" },
    { kind: "field", name: "city", label: "City", order: 2, mandatory: true, type: "char" },
    { kind: "task", name: "4", label: "Call", order: 3, mandatory: true, type: "task" },
];
const TOLD = {
    stage: 1,
    next: { id: 2, name: "Contacted" },
    items: ITEMS,
    moves: [{ id: 2, name: "Contacted", step: "next" }],
    stages: [1, 2],
};

class Lead extends models.Model {
    _name = "crm.lead";

    contact_name = fields.Char();
    city = fields.Char();
    partner_id = fields.Many2one({ relation: "res.partner" });
    team_id = fields.Many2one({ relation: "crm.team" });
    oda_to_go_on = fields.Json();

    _records = [
        { id: 1, contact_name: "Ion", oda_to_go_on: { ...TOLD, items: ITEMS.slice(1) } },
        { id: 2, contact_name: "Ion", city: "Cahul", oda_to_go_on: { ...TOLD, items: [] } },
        { id: 3, oda_to_go_on: false },
    ];
}

class Team extends models.Model {
    _name = "crm.team";
    name = fields.Char();
    _records = [{ id: 3, name: "Ads" }];
}
defineModels({ ...mailModels, Lead, Team });

const mountForm = (resId) =>
    mountView({
        type: "form",
        resModel: "crm.lead",
        resId,
        arch: `<form>
            <field name="oda_to_go_on" widget="oda_to_go_on"/>
            <sheet><group><field name="contact_name"/><field name="city"/><field name="team_id"/></group></sheet>
        </form>`,
    });

const refuse = (refusal) =>
    makeServerError({ message: "First: City.", context: { oda_refusal: refusal } });

describe("what stands on the card counts before it is saved", () => {
    test("texts, numbers, ticks, links", () => {
        const item = (type, strict = false) => ({ name: "x", type, strict });
        expect(isTyped(item("char"), {})).toBe(false);
        expect(isTyped(item("char"), { x: "  " })).toBe(false);
        expect(isTyped(item("char"), { x: "Ion" })).toBe(true);
        expect(isTyped(item("html"), { x: "<p>&nbsp;</p>" })).toBe(false);
        expect(isTyped(item("html"), { x: "<p><img src='x'/></p>" })).toBe(true);
        expect(isTyped(item("integer"), { x: 0 })).toBe(true);
        expect(isTyped(item("integer", true), { x: 0 })).toBe(false);
        expect(isTyped(item("boolean"), { x: false })).toBe(true);
        expect(isTyped(item("boolean", true), { x: false })).toBe(false);
        expect(isTyped(item("many2one"), { x: false })).toBe(false);
        expect(isTyped(item("many2many"), { x: { records: [] } })).toBe(false);
    });
});

describe("the line under the status bar", () => {
    test("names what is missing, in order, and jumps there", async () => {
        await mountForm(1);
        expect(".o_oda_to_go_on").toHaveText(/To go on to Contacted:/);
        expect(queryAllTexts(".o_oda_to_go_on button")).toEqual(["2.City", "Call"]);
        expect(".o_oda_to_go_on .btn-primary").toHaveText("2.City");
        await click("[data-name=city]");
        await animationFrame();
        expect(".o_field_widget[name=city] input").toBeFocused();
    });

    test("ticks what is typed and offers the next", async () => {
        await mountForm(1);
        await click(".o_field_widget[name=city] input");
        await edit("Cahul", { confirm: "tab" });
        await animationFrame();
        expect("[data-name=city] .fa-check").toHaveCount(1);
        expect(".o_oda_to_go_on .btn-primary").toHaveText("Call");
    });

    test("nothing missing: moves, and says where the card stood", async () => {
        onRpc("crm.lead", "oda_move", ({ args, kwargs }) => {
            expect.step([args[0], args[1], kwargs.seen_stage_id]);
            return true;
        });
        await mountForm(2);
        await click(".o_oda_move_on");
        await animationFrame();
        expect.verifySteps([[[2], 2, 1]]);
    });

    let line = null; // the component, as the bus calls it
    const changeRules = async (flows = []) => {
        await line.refresh(flows);
        await animationFrame();
    };

    beforeEach(() => {
        patchWithCleanup(ToGoOnField.prototype, {
            setup() {
                super.setup();
                line = this;
            },
        });
    });

    test("changed rules: the line says so at once, what is typed stays", async () => {
        onRpc("crm.lead", "read", () => [{ id: 1, oda_to_go_on: TOLD }]);
        await mountForm(1);
        await click(".o_field_widget[name=city] input");
        await edit("Cahul");
        await changeRules();
        expect(queryAllTexts(".o_oda_to_go_on button")).toEqual(["Contact", "2.City", "Call"]);
        expect(".o_field_widget[name=city] input").toHaveValue("Cahul");
    });

    test("rules of another flow, and an open new card, ask nothing", async () => {
        onRpc("crm.lead", "read", () => expect.step("read") || []);
        Lead._records[0].team_id = 3;
        await mountForm(1);
        await changeRules([5]);
        expect.verifySteps([]);
        await changeRules([3]);
        expect.verifySteps(["read"]);
    });

    test("no flow, no line", async () => {
        await mountForm(3);
        expect(".o_oda_to_go_on").toHaveCount(0);
    });
});

describe("a refused move", () => {
    let env;
    const refusal = {
        lead_id: 1,
        code: "missing",
        stage_id: 2,
        seen_stage_id: 1,
        partner_id: false,
        items: ITEMS.slice(1, 2),
        may_override: true,
    };
    const openDialog = async (given = refusal) => {
        await mountWithCleanup(MainComponentsContainer);
        getService("dialog").add(StageDialog, {
            refusal: given,
            message: "First: City.",
            onMoved: () => expect.step("moved"),
        });
        await animationFrame();
    };

    beforeEach(async () => {
        env = await makeMockEnv();
        env.debug = "";
    });

    test("is told from other errors", () => {
        expect(refusalOf(refuse(refusal))).toEqual(refusal);
        expect(refusalOf(refuse({ ...refusal, code: "order" }))).toBe(undefined);
        expect(refusalOf(makeServerError({ message: "other" }))).toBe(undefined);
        expect(refusalOf(new Error("x"))).toBe(undefined);
    });

    test("override waits for a reason", async () => {
        onRpc("crm.lead", "oda_move", ({ kwargs }) => {
            expect.step(kwargs.reason);
            return true;
        });
        await openDialog();
        expect(".o_oda_stage_message").toHaveText("First: City.");
        await click("button:contains(Override…)");
        await animationFrame();
        expect("button:contains(Override and move)").not.toBeEnabled();
        await click("#oda_override_reason");
        await edit("Ordered by the ministry");
        await animationFrame();
        await click("button:contains(Override and move)");
        await animationFrame();
        expect.verifySteps(["Ordered by the ministry", "moved"]);
        expect(".o_oda_stage_dialog").toHaveCount(0);
    });

    test("who may not override sees no such button", async () => {
        await openDialog({ ...refusal, may_override: false });
        expect("button:contains(Override…)").toHaveCount(0);
        expect("button:contains(Fill in and move)").toHaveCount(1);
    });

    test("a 0 that cannot be typed has a button", async () => {
        const jobs = { kind: "property", name: "jobs", label: "Jobs", order: 1, type: "integer" };
        onRpc("crm.lead", "oda_answer_zero", ({ args }) => expect.step(args[1]) || true);
        onRpc("crm.lead", "oda_move", () => true);
        await openDialog({ ...refusal, items: [jobs] });
        await click("button:contains(It is 0)");
        await animationFrame();
        expect.verifySteps(["jobs", "moved"]);
    });
});
