import { expect, test } from "@odoo/hoot";
import { click, edit, press, queryFirst } from "@odoo/hoot-dom";
import { defineTaskModels, settle, startWithOrphans } from "./oda_crm_test_helpers";

defineTaskModels();

test("nothing to ask: nothing is shown", async () => {
    await startWithOrphans();
    expect(".o_oda_next_step_dialog").toHaveCount(0);
});

test("one after another, until each is answered", async () => {
    const server = await startWithOrphans("Bakery", "Orchard");
    expect(".o_oda_next_step_dialog .modal-title").toHaveText("Plan the next step (1 of 2)");
    expect("input[name=summary]").toBeFocused();
    await press("Escape");
    await settle();
    expect(".o_oda_next_step_dialog strong").toHaveText("Bakery");
    await edit("Ask for the extract");
    await click("label[for=oda_type_2]");
    await click("button:contains(Next working morning)");
    await settle();
    await click("button[name=plan]");
    await settle();
    expect(server.planned).toEqual([[1, 2, "Ask for the extract", "morning"]]);
    expect(".o_oda_next_step_dialog strong").toHaveText("Orchard");
    expect(queryFirst("input[name=summary]").value).toBe("");
    await click("input[name=summary]");
    await press("Enter");
    await settle();
    expect(server.planned.length).toBe(2);
    expect(server.planned[1]).toEqual([2, 1, "", "hour"]);
    expect(".o_oda_next_step_dialog").toHaveCount(0);
});

test("a refusal is told in place and what was written stays", async () => {
    const server = await startWithOrphans("Bakery");
    server.refusal = "This time has passed: choose a later one.";
    await edit("Ask for the extract");
    await click("button[name=plan]");
    await settle();
    expect(".o_oda_next_step_dialog [role=alert]").toHaveText(server.refusal);
    expect("input[name=summary]").toHaveValue("Ask for the extract");
    server.refusal = "";
    await click("button[name=plan]");
    await settle();
    expect(".o_oda_next_step_dialog").toHaveCount(0);
});
