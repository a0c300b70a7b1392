import { describe, expect, test } from "@odoo/hoot";
import { click, queryAllTexts, queryRect } from "@odoo/hoot-dom";
import { patchUiSize } from "@mail/../tests/mail_test_helpers";
import {
    defineTelephonyModels,
    makeCard,
    push,
    settle,
    startWithCalls,
    utc,
} from "./oda_telephony_test_helpers";

describe.current.tags("desktop");
defineTelephonyModels();

test("no calls: says so, and what to do", async () => {
    await startWithCalls();
    expect(".o_oda_call_dot").toHaveCount(0);
    await click(".o_oda_call_systray button");
    await settle();
    expect(".o_oda_call_empty strong").toHaveText("No calls");
    expect(".o_oda_call_empty").toHaveText(/When your phone rings/);
});

test("a live call shows its name, timer and a dot", async () => {
    await startWithCalls(makeCard());
    expect(".o_oda_call_systray .o_oda_call_name").toHaveText("Ion Munteanu");
    expect(".o_oda_call_systray .o_oda_call_timer").toHaveText(/0:0\d/);
    expect(".o_oda_call_systray .o_oda_call_dot").toHaveCount(1);
    expect(".o_oda_call_systray button").toHaveAttribute("aria-label", "Calls: 1 now");
    await push({ version: 2, state: "gone" });
    expect(".o_oda_call_systray .o_oda_call_dot").toHaveCount(0);
});

test("brings minimised pops back and lists the calls", async () => {
    await startWithCalls(
        makeCard({ state: "talking", answered_at: utc(60) }),
        makeCard({ id: 2, partner: { id: 9, name: "Maria Rusu", company: "", is_new: false } })
    );
    await click("[data-call-id='1'] [name=minimize]");
    await click("[data-call-id='2'] [name=minimize]");
    await settle();
    expect(".o_oda_call_pop").toHaveCount(0);
    // The one that rings is named, not the one already answered.
    expect(".o_oda_call_systray .o_oda_call_name").toHaveText("Maria Rusu");
    await click(".o_oda_call_systray button");
    await settle();
    expect(".o_oda_call_pop").toHaveCount(2);
    expect(queryAllTexts(".o_oda_call_menu .o-dropdown-item > .text-truncate")).toEqual([
        "Maria Rusu",
        "Ion Munteanu",
    ]);
    await click(".o_oda_call_menu .o-dropdown-item:eq(1)");
    await settle();
    await settle();
    expect("[data-call-id='1']").toBeFocused();
});

test("on a phone the pop is a sheet that the systray toggles", async () => {
    patchUiSize({ width: 360 });
    await startWithCalls(makeCard());
    expect(".o_oda_call_pop").toHaveCount(1);
    expect(".o_oda_call_systray .o_oda_call_name").toHaveCount(0);
    expect(".o_oda_call_systray .o_oda_call_timer").toHaveCount(1);
    await click(".o_oda_call_systray button");
    await settle();
    expect(".o_oda_call_pop").toHaveCount(0);
    expect(".o_oda_call_systray button").toHaveAttribute("aria-expanded", "false");
    await click(".o_oda_call_systray button");
    await settle();
    expect(".o_oda_call_pop").toHaveCount(1);
    await click("[name=open_card]");
    await settle();
    expect(".o_form_view").toHaveCount(1);
    expect(".o_oda_call_pop").toHaveCount(0);
});

test("buttons are large enough to press", async () => {
    await startWithCalls(makeCard());
    for (const button of ["minimize", "dismiss", "open_card", "add_note"]) {
        const { width, height } = queryRect(`[name=${button}]`);
        expect(Math.min(width, height)).toBeGreaterThan(23);
    }
});
