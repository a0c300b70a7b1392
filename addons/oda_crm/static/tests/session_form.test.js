import { describe, expect, test } from "@odoo/hoot";
import { click, edit, manuallyDispatchProgrammaticEvent, press, queryAllTexts, queryOne } from "@odoo/hoot-dom";
import { advanceTime, animationFrame, tick } from "@odoo/hoot-mock";
import { defineMailModels } from "@mail/../tests/mail_test_helpers";
import {
    contains,
    defineModels,
    fields,
    models,
    mountView,
    onRpc,
} from "@web/../tests/web_test_helpers";
import { sessionStorage } from "@oda_crm/session_form/session_draft";

describe.current.tags("desktop");

const CATALOGUE = [
    {
        id: 1,
        name: "Programmes",
        instruments: [
            { id: 11, name: "PARE 1+1", kind: "tick", unit: "", help: "Migrants", options: [] },
            { id: 12, name: "Femei în Afaceri", kind: "tick", unit: "", help: "", options: [] },
        ],
    },
    {
        id: 2,
        name: "Money",
        instruments: [
            { id: 21, name: "Sum", kind: "number", unit: "lei", help: "", options: [] },
            {
                id: 22,
                name: "Form",
                kind: "one",
                unit: "",
                help: "",
                options: [
                    { id: 1, name: "SRL" },
                    { id: 2, name: "Patent" },
                ],
            },
            {
                id: 23,
                name: "Papers",
                kind: "several",
                unit: "",
                help: "",
                options: [
                    { id: 3, name: "Plan" },
                    { id: 4, name: "Extract" },
                ],
            },
            { id: 24, name: "Apply by", kind: "date", unit: "", help: "", options: [] },
            { id: 25, name: "Obstacle", kind: "text", unit: "", help: "", options: [] },
        ],
    },
];

class Session extends models.Model {
    _name = "oda.consultation.session";

    partner_id = fields.Many2one({ relation: "res.partner" });
    lead_id = fields.Many2one({ relation: "res.partner" });
    team_id = fields.Many2one({ relation: "res.partner" });
    content = fields.Text();
    content_version = fields.Integer();
    answers = fields.Json();
    chips = fields.Json();

    _records = [
        {
            id: 7,
            content: "<b>said</b>",
            content_version: 3,
            answers: { 11: true, 99: true },
            chips: [{ id: 99, name: "Archived one", value: "", date: "2026-01-02 10:00:00" }],
        },
    ];

    oda_session_save_draft(id, number, base) {
        return { version: base + 1, outcome: "taken", chips: this[0].chips };
    }
}
class Instrument extends models.Model {
    _name = "oda.instrument";

    get_catalogue() {
        return CATALOGUE;
    }
}
defineMailModels();
defineModels([Session, Instrument]);

const arch = (attributes = "") => `
    <form>
        <field name="partner_id"/><field name="lead_id"/>
        <field name="content" widget="oda_draft_text" ${attributes}/>
        <field name="answers" widget="oda_instruments" ${attributes}/>
    </form>`;

async function openForm(params = { resId: 7 }) {
    const packets = [];
    onRpc("oda.consultation.session", "oda_session_save_draft", ({ args }) => {
        packets.push(args[3]);
    });
    await mountView({
        resModel: "oda.consultation.session",
        type: "form",
        arch: arch(params.readonly ? 'readonly="1"' : ""),
        ...params,
    });
    return packets;
}

async function settle(delay = 800) {
    await advanceTime(delay);
    for (let i = 0; i < 5; i++) {
        await tick();
    }
    await animationFrame();
}

test("notes and instruments go to the server after a second of silence, together", async () => {
    const packets = await openForm();
    expect("textarea[rows='5']").toHaveValue("<b>said</b>");
    expect(queryAllTexts(".o_oda_chosen .o_oda_chip_text")).toEqual(["PARE 1+1", "Archived one"]);
    await click("textarea[rows='5']");
    await edit("<b>said</b> more");
    await click("[data-instrument='12'] input");
    await animationFrame();
    expect(queryAllTexts(".o_oda_chosen .o_oda_chip_text")).toEqual([
        "PARE 1+1",
        "Femei în Afaceri",
        "Archived one",
    ]);
    await settle();
    expect(Object.assign({}, ...packets)).toEqual({
        content: "<b>said</b> more",
        answers: { 12: true },
    });
    expect(".o_oda_saved").toHaveText(/^Saved/);
    // The form itself has nothing to save: nobody's text can be written over by it.
    expect(".o_form_status_indicator_buttons.invisible").toHaveCount(1);
});

test("every kind", async () => {
    const packets = await openForm();
    await click("[data-instrument='11'] input");
    await contains("[data-instrument='21'] input").edit("1,250.5");
    await contains("[data-instrument='22'] select").select("2");
    await click("[data-instrument='23'] input:eq(1)");
    await animationFrame();
    await click("[data-instrument='23'] input:eq(0)");
    queryOne("[data-instrument='24'] input").value = "2026-12-01";
    await manuallyDispatchProgrammaticEvent(queryOne("[data-instrument='24'] input"), "change");
    await contains("[data-instrument='25'] textarea").edit("no collateral");
    await settle();
    const answers = Object.assign({}, ...packets.map((values) => values.answers));
    expect(answers).toEqual({
        11: null,
        21: 1250.5,
        22: 2,
        23: [3, 4],
        24: "2026-12-01",
        25: "no collateral",
    });
    expect(queryAllTexts(".o_oda_chosen .o_oda_chip_text")).toEqual([
        "Sum: 1,250.5 lei",
        "Form: Patent",
        "Papers: Plan, Extract",
        "Apply by: 12/01/2026",
        "Obstacle: no collateral",
        "Archived one",
    ]);
});

test("a number that is none is said at its place and not sent", async () => {
    const packets = await openForm();
    await contains("[data-instrument='21'] input").edit("many");
    await settle();
    expect("[data-instrument='21'] [role=alert]").toHaveText("Write a number.");
    expect(packets).toEqual([]);
});

test("search without diacritics, Enter ticks, Escape clears", async () => {
    const packets = await openForm();
    await click("input[type=search]");
    await edit("femei in");
    await animationFrame();
    expect(queryAllTexts(".o_oda_instrument")).toEqual(["Femei în Afaceri"]);
    await press("Enter");
    await settle();
    expect(packets).toEqual([{ answers: { 12: true } }]);
    expect("[data-instrument='12'] input").toBeChecked();
    await press("Escape");
    await animationFrame();
    expect(".o_oda_instrument").toHaveCount(7);
    await edit("zzz");
    await animationFrame();
    expect(".o_oda_instruments").toHaveText(/No instrument is called that/);
});

test("by keyboard from the search through the list", async () => {
    await openForm();
    await click("input[type=search]");
    await press("ArrowDown");
    expect("[data-instrument='11'] input").toBeFocused();
    await press("ArrowDown");
    expect("[data-instrument='12'] input").toBeFocused();
    await press("ArrowUp");
    await press("ArrowUp");
    expect("input[type=search]").toBeFocused();
});

test("groups fold and stay folded", async () => {
    await openForm();
    await click(".o_oda_group:eq(0) button");
    await animationFrame();
    expect(".o_oda_group:eq(0) button").toHaveAttribute("aria-expanded", "false");
    expect("[data-instrument='11']").toHaveCount(0);
    expect(".o_oda_group:eq(0) .badge").toHaveText("1");
});

test("chips take the answer away", async () => {
    const packets = await openForm();
    await click(".o_oda_chip:contains(PARE) button");
    await settle();
    expect(packets).toEqual([{ answers: { 11: null } }]);
    expect("[data-instrument='11'] input").not.toBeChecked();
});

test("a colleague's session is only read", async () => {
    await openForm({ resId: 7, readonly: true });
    expect("textarea").toHaveCount(0);
    expect("input[type=search]").toHaveCount(0);
    expect(".o_oda_chip button").toHaveCount(0);
    expect(".o_oda_text").toHaveText("<b>said</b>");
});

test("a new session waits for its person, then is made with all that was typed", async () => {
    onRpc("oda.consultation.session", "web_save", ({ args }) => {
        const { content, answers } = args[1];
        expect.step({ content, answers });
    });
    await openForm({});
    await click("textarea[rows='5']");
    await edit("came in");
    await click("[data-instrument='12'] input");
    await settle();
    expect(".o_oda_saved").toHaveText("Not saved: choose who is being advised.");
    expect.verifySteps([]);
    expect(sessionStorage.keys().length).toBe(1);
    await contains("[name=partner_id] input").click();
    await contains(".o-autocomplete--dropdown-item:eq(0)").click();
    await settle();
    await settle();
    expect.verifySteps([{ content: "came in", answers: { 12: true } }]);
    expect(".o_oda_saved").toHaveText(/^Saved/);
    expect(sessionStorage.keys()).toEqual([]);
});

test("text of a closed page is back, and sent", async () => {
    sessionStorage.write("7/gone", { values: { content: "half a sent" }, base: 3, at: 1 });
    const packets = await openForm();
    expect("textarea[rows='5']").toHaveValue("half a sent");
    await settle();
    expect(packets).toEqual([{ content: "half a sent" }]);
    expect(sessionStorage.keys()).toEqual([]);
});

test("leaving the field saves at once", async () => {
    const packets = await openForm();
    await click("textarea[rows='5']");
    await edit("quick");
    await manuallyDispatchProgrammaticEvent(document.activeElement, "blur");
    await settle(0);
    expect(packets).toEqual([{ content: "quick" }]);
});
