import { mailModels } from "@mail/../tests/mail_test_helpers";
import { describe, expect, test } from "@odoo/hoot";
import { press, queryAll, queryAllTexts, queryFirst, queryOne } from "@odoo/hoot-dom";
import { advanceTime, animationFrame } from "@odoo/hoot-mock";
import {
    contains,
    defineModels,
    fields,
    getService,
    makeServerError,
    models,
    mountWithCleanup,
    onRpc,
} from "@web/../tests/web_test_helpers";
import { WebClient } from "@web/webclient/webclient";
import * as grid from "@oda_crm/rule_grid/grid_state";

class Lead extends models.Model {
    _name = "crm.lead";
    name = fields.Char();
    _records = [{ id: 7, name: "Bakery" }];
}
defineModels({ ...mailModels, Lead });

const rule = (id, stage, what, more = {}) => ({
    id,
    stage,
    kind: "field",
    what,
    mandatory: true,
    strict: false,
    condition: "",
    ...more,
});
const item = (what, label, kind = "field") => ({ kind, what, label });

function told(rules, more = {}) {
    return {
        flow: { id: 3, name: "Ads" },
        flows: [
            [3, "Ads"],
            [5, "Cold calls"],
        ],
        stages: [
            { id: 1, name: "New", won: false },
            { id: 2, name: "Contacted", won: false },
            { id: 9, name: "Signed", won: true },
        ],
        groups: [
            { key: "a", name: "Need", card: true, items: [item("city", "City"), item("phone", "Phone")] },
            { key: "tasks", name: "Tasks", card: false, items: [item("4", "Call", "task")] },
        ],
        rules,
        lost: [],
        last: false,
        ...more,
    };
}
const RULES = [rule(11, 1, "city"), rule(12, 1, "phone")];
const PREVIEW = {
    changes: [],
    empty: { 1: [{ kind: "field", label: "City", order: 1, mandatory: true }], 2: [] },
    real: false,
    held: { count: 0, exact: true },
};

const cell = (row, stage) => `tr[data-row="field:${row}"] td[data-stage="${stage}"]`;
const input = (row, stage) => `${cell(row, stage)} input`;

async function open(answers = {}) {
    onRpc("oda.stage.rule", "get_grid", ({ args }) => answers.get?.(args) || told(RULES));
    onRpc("oda.stage.rule", "preview_grid", ({ args }) => answers.preview?.(args) || PREVIEW);
    onRpc("oda.stage.rule", "save_grid", ({ args }) => answers.save(args));
    onRpc("oda.stage.rule", "undo_grid", ({ args }) => answers.undo(args));
    await mountWithCleanup(WebClient);
    await getService("action").doAction({
        type: "ir.actions.client",
        tag: "oda_crm.rule_grid",
    });
    await animationFrame();
}

describe("the rules as an array", () => {
    const rules = grid.fromServer([...RULES, rule(13, 2, "city")]);
    const whats = (some, stage) => grid.ofStage(some, stage).map((one) => one.what);

    test("a number is a place in the stage", () => {
        expect(grid.numberOf(rules, rules[1])).toBe(2);
        expect(whats(grid.place(rules, rules[1], 1, 1), 1)).toEqual(["phone", "city"]);
        expect(whats(grid.place(rules, rules[0], 1, 99), 1)).toEqual(["phone", "city"]);
        expect(whats(grid.place(rules, rules[1], 2, 1), 2)).toEqual(["phone", "city"]);
        const added = grid.place(rules, grid.newRule("field", "name", 1), 1, 2);
        expect(whats(added, 1)).toEqual(["city", "name", "phone"]);
    });

    test("the order of stages in the array means nothing", () => {
        const [city, phone, later] = rules;
        expect(grid.isSame(rules, [later, city, phone])).toBe(true);
        expect(grid.isSame(rules, [later, phone, city])).toBe(false);
        expect(grid.isSame(rules, grid.change(rules, city.uid, { strict: true }))).toBe(false);
        expect(grid.isSame(rules, grid.remove(rules, city.uid))).toBe(false);
    });

    test("asked twice under two conditions: two rows", () => {
        const twice = grid.fromServer([...RULES, rule(14, 1, "city", { condition: "[1]" })]);
        const [{ rows }] = grid.rowsOf(told([]).groups, twice, new Set());
        expect(rows.map((row) => row.key)).toEqual(["field:city", "field:city#1", "field:phone"]);
        expect(grid.isTaken(twice, twice[2], 1)).toBe(false);
        expect(grid.isTaken(twice, grid.newRule("field", "city", 1), 1)).toBe(true);
    });
});

describe.tags("desktop");
describe("the screen", () => {
    test("shows numbers, and what the card will say", async () => {
        await open();
        expect(input("city", 1)).toHaveValue("1");
        expect(input("phone", 1)).toHaveValue("2");
        expect(input("city", 2)).toHaveValue("");
        expect(".o_oda_rules_card").toHaveText(/To go on to Contacted: fields: 1/);
        expect(".o_oda_rules_save").not.toBeEnabled();
        // nothing to ask for at the end of the flow
        expect(`${cell("city", 9)} input`).toHaveCount(0);
    });

    test("a typed number moves, adds and removes; nothing is saved before Save", async () => {
        await open({
            save: ([flow, base, rules]) => {
                expect.step([flow, base.length, rules.map((one) => `${one.stage} ${one.what}`)]);
                return { grid: told(rules.map((one, id) => ({ ...one, id: id + 20 }))) };
            },
            preview: ([, , rules]) => ({ ...PREVIEW, changes: [`${rules.length} rules`] }),
        });
        await contains(input("phone", 1)).edit("1");
        expect(input("phone", 1)).toHaveValue("1");
        expect(input("city", 1)).toHaveValue("2");
        await contains(input("city", 2)).edit("7");
        expect(input("city", 2)).toHaveValue("1");
        await contains(input("city", 1)).edit("");
        await advanceTime(400);
        await animationFrame();
        expect(".o_oda_rules_changes").toHaveText("2 rules");
        await contains(".o_oda_rules_save").click();
        expect.verifySteps([[3, 2, ["1 phone", "2 city"]]]);
        expect(".o_oda_rules_save").not.toBeEnabled();
    });

    test("what is no number is refused in words", async () => {
        await open();
        await contains(input("city", 1)).edit("x");
        expect(".o_notification").toHaveCount(1);
        expect(input("city", 1)).toHaveValue("1");
        expect(".o_oda_rules_save").not.toBeEnabled();
    });

    test("Discard", async () => {
        await open();
        await contains(input("city", 1)).edit("");
        expect(".o_oda_rules_save").toBeEnabled();
        await contains(".o_oda_rules_discard").click();
        expect(input("city", 1)).toHaveValue("1");
    });

    test("the keyboard walks and carries", async () => {
        await open();
        queryOne(input("city", 1)).focus();
        await press("ArrowDown");
        expect(input("phone", 1)).toBeFocused();
        await press(["Control", "ArrowUp"]);
        await animationFrame();
        expect(input("phone", 1)).toHaveValue("1");
        await press(["Control", "ArrowRight"]);
        await animationFrame();
        expect(input("phone", 2)).toHaveValue("1");
        expect(input("phone", 1)).toHaveValue("");
    });

    test("a dragged chip goes where it is dropped", async () => {
        await open();
        await contains(`${cell("phone", 1)} .o_oda_asked_handle`).dragAndDrop(cell("phone", 2));
        expect(input("phone", 2)).toHaveValue("1");
        expect(input("phone", 1)).toHaveValue("");
    });

    test("a chip dropped on another one comes before it", async () => {
        await open();
        await contains(`${cell("phone", 1)} .o_oda_asked_handle`).dragAndDrop(cell("city", 1));
        expect(input("phone", 1)).toHaveValue("1");
        expect(input("city", 1)).toHaveValue("2");
    });

    test("the button beside the drag does the same, and how it is asked", async () => {
        let sent;
        await open({ preview: ([, , rules]) => (sent = rules) && PREVIEW });
        await contains(`${cell("city", 1)} .o_oda_cell_more`).click();
        await contains(".o_oda_cell_popover [name=mandatory]").click();
        await contains(".o_oda_cell_popover [name=strict]").click();
        await contains(".o_oda_cell_popover button:contains(Later)").click();
        await contains(".o_oda_cell_popover [name=stage]").select("2");
        await advanceTime(400);
        expect(".o_oda_cell_popover").toHaveCount(0);
        expect(sent.find((one) => one.what === "city")).toEqual(
            rule(11, 2, "city", { mandatory: false, strict: true })
        );
        await contains(`${cell("city", 2)} .o_oda_cell_more`).click();
        await contains(".o_oda_cell_remove").click();
        expect(input("city", 2)).toHaveValue("");
    });

    test("a zero is no question of a task", async () => {
        const call = rule(15, 1, "4", { kind: "task" });
        await open({ get: () => told([call]) });
        await contains(`tr[data-row="task:4"] .o_oda_cell_more`).click();
        expect(".o_oda_cell_popover [name=mandatory]").toHaveCount(1);
        expect(".o_oda_cell_popover [name=strict]").toHaveCount(0);
    });

    test("something else is asked for: search, choose, ask", async () => {
        await open();
        expect("tr[data-row='task:4']").toHaveCount(0);
        await contains(".o_oda_rules_picker input, .o_oda_rules_picker button").click();
        await contains(".o_select_menu_item:contains(Call)").click();
        await contains("tr[data-row='task:4'] td[data-stage='2'] .o_oda_cell_add").click();
        expect("tr[data-row='task:4'] td[data-stage='2'] input").toHaveValue("1");
    });

    test("who was slower is shown the difference, and keeps their own", async () => {
        const theirs = [RULES[1]];
        const merged = [RULES[1], rule(null, 2, "city")];
        await open({
            save: ([, base]) => {
                expect.step(base.length);
                if (base.length === 2) {
                    const conflict = { who: "Maria", at: "", changes: ["Asked no more: City"], merged };
                    return { grid: told(theirs), conflict };
                }
                return { grid: told(merged) };
            },
        });
        await contains(`${cell("city", 2)} .o_oda_cell_add`).click();
        await contains(".o_oda_rules_save").click();
        expect(".o_oda_rules_conflict").toHaveText(/Maria/);
        expect(queryAllTexts(".o_oda_rules_conflict li")).toEqual(["Asked no more: City"]);
        await contains(".o_oda_rules_conflict button:contains(on top)").click();
        expect(input("city", 1)).toHaveValue("");
        expect(input("city", 2)).toHaveValue("1");
        await contains(".o_oda_rules_save").click();
        expect.verifySteps([2, 1]);
        expect(".o_oda_rules_conflict").toHaveCount(0);
    });

    test("what cannot be is said before saving", async () => {
        await open({
            preview: ([, , rules]) => {
                if (rules.length > 2) {
                    throw makeServerError({ type: "UserError", message: "Not this one" });
                }
                return PREVIEW;
            },
        });
        await contains(`${cell("city", 2)} .o_oda_cell_add`).click();
        await advanceTime(400);
        await animationFrame();
        expect(".o_oda_rules_refusal").toHaveText("Not this one");
        expect(".o_oda_rules_save").not.toBeEnabled();
    });

    test("Undo says what it undoes, and waits for Save", async () => {
        const last = { id: 8, who: "Andrei", at: "2026-03-01 10:00:00", changes: ["Asked: City"] };
        await open({
            get: () => told(RULES, { last }),
            undo: ([flow, event]) => {
                expect.step([flow, event]);
                return { grid: told([RULES[1]]), skipped: ["Old field"] };
            },
        });
        expect(".o_oda_rules_last").toHaveText(/Andrei/);
        await contains(input("city", 1)).edit("");
        expect(".o_oda_rules_undo").not.toBeEnabled();
        await contains(".o_oda_rules_discard").click();
        await contains(".o_oda_rules_undo").click();
        expect.verifySteps([[3, 8]]);
        expect(input("phone", 1)).toHaveValue("1");
        expect(queryAll(".o_notification")).toHaveLength(2);
    });

    test("another flow: not over what is not saved", async () => {
        await open({ get: ([flow]) => expect.step(flow) || told(RULES) });
        await contains(input("city", 1)).edit("");
        await contains("select[name=flow]").select("5");
        expect(".modal").toHaveCount(1);
        await contains(".modal button:contains(Stay here)").click();
        expect(queryFirst("select[name=flow]").value).toBe("3");
        await contains("select[name=flow]").select("5");
        await contains(".modal button:contains(Discard)").click();
        expect.verifySteps([false, 5]);
    });

    test("HTML in a label is text", async () => {
        const groups = [
            { key: "a", name: "<b>x</b>", card: true, items: [item("city", "<img src=x>")] },
        ];
        await open({ get: () => told(RULES.slice(0, 1), { groups, lost: ["<i>y</i>"] }) });
        expect(".o_oda_rules b, .o_oda_rules img, .o_oda_rules_lost i").toHaveCount(0);
        expect("tr[data-row='field:city'] th").toHaveText("<img src=x>");
    });
});
