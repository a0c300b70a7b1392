import { mailModels } from "@mail/../tests/mail_test_helpers";
import { expect, test } from "@odoo/hoot";
import { queryAll, queryFirst } from "@odoo/hoot-dom";
import { animationFrame } from "@odoo/hoot-mock";
import {
    contains,
    defineModels,
    getService,
    makeServerError,
    mountWithCleanup,
    onRpc,
    serverState,
} from "@web/../tests/web_test_helpers";
import { WebClient } from "@web/webclient/webclient";

defineModels(mailModels);

function makeMatrix(values = {}, mayChange = true) {
    const cell = {
        values: {
            see: "team",
            edit: "own",
            delete: "none",
            import: false,
            export: false,
            merge: false,
            ...values,
        },
        own: false,
        locked: [],
    };
    const fixed = { ...cell, locked: ["see", "edit", "delete", "import", "export", "merge"] };
    return {
        may_change: mayChange,
        departments: [[7, "Credit"]],
        scopes: [
            ["none", "No"],
            ["own", "Own"],
            ["team", "Own and team"],
            ["department", "Department"],
            ["all", "All"],
        ],
        subjects: [
            ["beneficiary", "Beneficiaries"],
            ["consultation", "Consultations"],
        ],
        rights: [
            ["see", "See"],
            ["edit", "Edit"],
            ["import", "Import"],
            ["export", "Export"],
            ["delete", "Delete"],
            ["merge", "Merge"],
        ],
        yes_no: ["import", "export", "merge"],
        levels: [
            {
                key: "consultant",
                name: "Consultant",
                cells: { beneficiary: cell, consultation: cell },
            },
            {
                key: "cashier",
                name: "Cashier",
                cells: { beneficiary: fixed, consultation: fixed },
            },
        ],
        changes: [
            {
                id: 3,
                at: "2026-03-01 10:00:00",
                who: "Andrei",
                where: "",
                level: "Consultant",
                subject: "Consultations",
                what: "See: Own → Own and team",
            },
        ],
    };
}

const CELL = "tr[data-level=consultant] td[data-right=see] select";

async function open() {
    await mountWithCleanup(WebClient);
    await getService("action").doAction({
        type: "ir.actions.client",
        tag: "oda_crm.rights_matrix",
    });
}

test("a cell changes at once, and can be undone", async () => {
    onRpc("oda.right", "get_matrix", () => makeMatrix());
    onRpc("oda.right", "set_cell", ({ args }) => {
        expect.step(args.join(" "));
        return makeMatrix({ see: "all" });
    });
    onRpc("oda.right", "undo_change", ({ args }) => {
        expect.step(`undo ${args}`);
        return makeMatrix();
    });
    await open();
    expect(CELL).toHaveValue("team");
    await contains(CELL).select("all");
    expect.verifySteps(["consultant consultation false see all"]);
    expect(CELL).toHaveValue("all");
    await contains(".o_oda_rights_changes button").click();
    expect.verifySteps(["undo 3"]);
    expect(CELL).toHaveValue("team");
});

test("what needs a wider right is shut, and says so", async () => {
    onRpc("oda.right", "get_matrix", () => makeMatrix({ edit: "none" }));
    await open();
    const row = "tr[data-level=consultant]";
    expect(`${row} td[data-right=edit] option[value=all]`).toHaveAttribute("disabled");
    expect(`${row} td[data-right=edit] option[value=team]`).not.toHaveAttribute("disabled");
    expect(`${row} td[data-right=merge] input`).not.toBeEnabled();
    expect(`${row} td[data-right=export] input`).toBeEnabled();
    expect(queryFirst(`${row} td[data-right=merge] input`).title).toInclude("Edit");
});

test("fixed rows and onlookers have nothing to choose", async () => {
    onRpc("oda.right", "get_matrix", () => makeMatrix());
    await open();
    expect(queryAll("tr[data-level=cashier] select, tr[data-level=cashier] input")).toHaveLength(0);
});

test("who may only look", async () => {
    onRpc("oda.right", "get_matrix", () => makeMatrix({}, false));
    await open();
    expect(queryAll(".o_oda_rights_table select, .o_oda_rights_table input")).toHaveLength(0);
    expect(queryAll(".o_oda_rights_changes button")).toHaveLength(0);
});

test("a refusal leaves on the screen what holds", async () => {
    expect.errors(1);
    let asked = 0;
    onRpc("oda.right", "get_matrix", () => {
        asked++;
        return makeMatrix();
    });
    onRpc("oda.right", "set_cell", () => {
        throw makeServerError({ message: "Somebody was faster" });
    });
    await open();
    await contains(CELL).select("all");
    await animationFrame();
    expect(asked).toBe(2);
    expect.verifyErrors(["Somebody was faster"]);
});

test("a department: its own rows", async () => {
    onRpc("oda.right", "get_matrix", ({ args }) => {
        expect.step(`department ${args[0]}`);
        return makeMatrix();
    });
    await open();
    await contains("select[name=department]").select("7");
    expect.verifySteps(["department false", "department 7"]);
    expect(CELL).toHaveCount(1);
});

test("what a colleague can do now, before and after a change", async () => {
    let seen = 12;
    onRpc("oda.right", "get_matrix", () => makeMatrix());
    onRpc("oda.right", "set_cell", () => makeMatrix({ see: "all" }));
    onRpc("oda.right", "preview_person", ({ args }) => {
        expect.step(args[0]);
        const subjects = [{ name: "Beneficiaries", see: seen, edit: 3 }];
        return { name: "Ana", most: 10000, subjects };
    });
    await open();
    await contains(".o_oda_rights_person input").click();
    await contains(".o-autocomplete--dropdown-item:contains(Mitchell)").click();
    await animationFrame();
    expect(".o_oda_rights_preview li").toHaveText("Beneficiaries: sees 12, edits 3");
    seen = 10001;
    await contains(CELL).select("all");
    await animationFrame();
    expect(".o_oda_rights_preview li").toHaveText("Beneficiaries: sees more than 10000, edits 3");
    expect(queryAll(".o_oda_rights_preview li")).toHaveLength(1);
    expect.verifySteps([serverState.userId, serverState.userId]);
});
