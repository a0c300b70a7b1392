import { beforeEach, describe, expect, test } from "@odoo/hoot";
import {
    advanceTime,
    click,
    edit,
    getActiveElement,
    press,
    queryAll,
    queryAllTexts,
    queryOne,
} from "@odoo/hoot-dom";
import { mockDate } from "@odoo/hoot-mock";
import { patchUiSize } from "@mail/../tests/mail_test_helpers";
import { draftStorage } from "@oda_telephony/calls_service/call_draft";
import { makeServerError, onRpc, serverState } from "@web/../tests/web_test_helpers";
import {
    defineTelephonyModels,
    getStore,
    makeCard,
    notify,
    push,
    settle,
    startWithCalls,
    utc,
} from "./oda_telephony_test_helpers";

describe.current.tags("desktop");
defineTelephonyModels();
beforeEach(() => mockDate("2026-05-14 10:00:00", +3));

test("a ring shows who calls, with one question to the server", async () => {
    const server = await startWithCalls();
    expect(".o_oda_call_pop").toHaveCount(0);
    server.asked = [];
    await push({
        last: { who: "Ana", when: "2026-05-12 08:00:00", channel: "Call", text: "asked for a grant" },
        lead: {
            id: 5,
            name: "Bakery extension",
            stage: "Documents",
            next_task: { summary: "Bring the extract", due: "2026-05-14 12:00:00" },
        },
        routed: "Routed to you: last talk",
    });
    expect(server.asked).toEqual(["get_card"]);
    expect(".o_oda_call_pop").toHaveAttribute("data-call-id", "1");
    expect(".o_oda_call_who").toHaveText("Ion Munteanu");
    expect(".o_oda_call_company").toHaveText("Bakery SRL");
    expect(".o_oda_call_number").toHaveText("+373 69 123 456");
    expect(".o_oda_call_state").toHaveText(/^Ringing 0:0[7-9]$/);
    expect(".o_oda_call_last").toHaveText("Last spoke with: Ana, 12 May - asked for a grant");
    expect(".o_oda_call_lead").toHaveText(
        /Open consultation: Bakery extension · Documents\s+·\s+Bring the extract: today 15:00/
    );
    expect(".o_oda_call_routed").toHaveText("Routed to you: last talk");
    expect("[name=open_card]").toHaveCount(1);
    expect("[name=add_note]").toHaveCount(1);
    expect("textarea[name=note]").toHaveCount(0);
    expect(performance.getEntriesByName("oda_call_visible").at(-1).detail.id).toBe(1);
});

test("the timer runs by the server's clock", async () => {
    await startWithCalls();
    // The server's clock is 90 s ahead of this computer's.
    await push({ started_at: utc(-83), server_now: utc(-90) });
    expect(".o_oda_call_pop .o_oda_call_timer").toHaveText(/^0:0[7-9]$/);
    await advanceTime(5000);
    await settle();
    expect(".o_oda_call_pop .o_oda_call_timer").toHaveText(/^0:1[1-4]$/);
    await push({ version: 2, state: "talking", answered_at: utc(-95), server_now: utc(-95) });
    expect(".o_oda_call_state").toHaveText(/^Talking 0:0[0-2]$/);
});

test("an open consultation without a task says so", async () => {
    await startWithCalls(
        makeCard({ lead: { id: 5, name: "Bakery", stage: "New", next_task: false } })
    );
    expect(".o_oda_call_lead [name=no_task]").toHaveText("no next task");
});

test("no next task: pressing it opens the consultation to plan one", async () => {
    const server = await startWithCalls(
        makeCard({ lead: { id: 5, name: "Bakery", stage: "New", next_task: false } })
    );
    expect("[name=open_card]").toHaveText("Open consultation");
    await click("[name=no_task]");
    await settle();
    expect(server.asked).toInclude("action_open_card");
});

const over = (values) => makeCard({ state: "result", answered_at: utc(60), ...values });
const maria = { id: 9, name: "Maria Rusu", company: "", is_new: false };

test("of several unfinished calls one is whole, the others are a line", async () => {
    await startWithCalls(over({ id: 1 }), over({ id: 2, partner: maria }));
    expect(".o_oda_call_pop").toHaveCount(2);
    expect("textarea[name=note]").toHaveCount(1);
    expect("[data-call-id='2'] textarea[name=note]").toHaveCount(1);
    expect("[data-call-id='1'] [name=unfold]").toHaveText("Ion Munteanu\nWrite the result");
    await click("[name=unfold]");
    await settle();
    expect("[data-call-id='1'] textarea[name=note]").toHaveCount(1);
    expect("[data-call-id='2'] [name=unfold]").toHaveCount(1);
    expect("[data-call-id='1']").toBeFocused();
    await push({ id: 1, version: 2, state: "gone" });
    expect("[data-call-id='2'] textarea[name=note]").toHaveCount(1);
    expect("[name=unfold]").toHaveCount(0);
});

test("a card that one types in stays whole, and so does one that rings", async () => {
    await startWithCalls(over({ id: 1 }));
    await click("textarea[name=note]");
    await edit("half a sen");
    await push({ id: 2, partner: maria });
    expect("[name=unfold]").toHaveCount(0);
    await push({ id: 2, version: 2, state: "result", answered_at: utc(3) });
    expect("[data-call-id='1'] textarea[name=note]").toHaveValue("half a sen");
    expect("[data-call-id='1'] textarea[name=note]").toBeFocused();
    expect("[data-call-id='2'] [name=unfold]").toHaveCount(1);
});

test("on a phone there is room for one card beside a ring", async () => {
    patchUiSize({ width: 360 });
    await startWithCalls();
    await push({ id: 1, state: "talking", answered_at: utc(9) });
    await push({ id: 2, partner: maria });
    expect("[data-call-id='1'] [name=unfold]").toHaveCount(1);
    expect("[data-call-id='2'] [name=open_card]").toHaveCount(1);
    await click("[name=unfold]");
    await settle();
    expect("[name=unfold]").toHaveCount(0);
});

test("older and repeated news is ignored", async () => {
    const server = await startWithCalls();
    await push({ version: 3, state: "talking", answered_at: utc(2) });
    expect(".o_oda_call_pop").toHaveAttribute("data-state", "talking");
    server.asked = [];
    await notify({ id: 1, version: 2, state: "ringing" });
    await notify({ id: 1, version: 3, state: "talking" });
    await notify({ id: 1, version: 1, state: "gone" });
    expect(server.asked).toEqual([]);
    expect(".o_oda_call_pop").toHaveAttribute("data-state", "talking");
});

test("a card that arrives after the call went is not shown", async () => {
    await startWithCalls();
    await push({ version: 1 });
    await push({ version: 4, state: "gone" });
    expect(".o_oda_call_pop").toHaveCount(0);
    getStore().show(makeCard({ version: 3 }));
    await settle();
    expect(".o_oda_call_pop").toHaveCount(0);
    await push({ version: 5, state: "result" });
    expect(".o_oda_call_pop").toHaveCount(1);
});

test("no card, no pop: the call went or is not ours to see", async () => {
    const server = await startWithCalls(makeCard());
    await push({ id: 2, version: 1, state: "ringing" });
    expect(".o_oda_call_pop").toHaveCount(2);
    server.cards.delete(2);
    await notify({ id: 2, version: 2, state: "talking" });
    expect(".o_oda_call_pop").toHaveCount(1);
});

test("the pop is there after reloading the page", async () => {
    const server = await startWithCalls(makeCard({ state: "talking", answered_at: utc(65) }));
    expect(server.asked).toEqual(["get_live_calls"]);
    expect(".o_oda_call_state").toHaveText(/^Talking 1:0[5-7]$/);
    expect("textarea[name=note]").toHaveCount(1);
});

test("after reloading, the newest call is on top whatever order they come in", async () => {
    const maria = { id: 9, name: "Maria Rusu", company: "", is_new: false };
    const newer = makeCard({ id: 2, partner: maria, started_at: utc(3) });
    await startWithCalls(newer, makeCard({ started_at: utc(60) }));
    expect(queryAllTexts(".o_oda_call_who")).toEqual(["Maria Rusu", "Ion Munteanu"]);
});

test("reconnecting brings what was missed and takes what went", async () => {
    const server = await startWithCalls(makeCard());
    server.cards.delete(1);
    server.cards.set(2, makeCard({ id: 2, partner: false }));
    await getStore().reconnect();
    await settle();
    expect(queryAll(".o_oda_call_pop").map((el) => el.dataset.callId)).toEqual(["2"]);
    expect(".o_oda_call_who").toHaveText("+373 69 123 456");
});

test("a new ring does not push the card of the talk away", async () => {
    await startWithCalls();
    await push({ id: 1, state: "talking", answered_at: utc(-5) });
    await click("textarea[name=note]");
    await edit("half a sen");
    await push({ id: 2, state: "ringing" });
    expect(queryAll(".o_oda_call_pop").map((el) => el.dataset.callId)).toEqual(["1", "2"]);
    expect("textarea[name=note]").toHaveValue("half a sen");
});

test("two calls are stacked, the newer one on top", async () => {
    await startWithCalls();
    await push({ id: 1 });
    await push({ id: 2, partner: { id: 9, name: "Maria Rusu", company: "", is_new: false } });
    expect(queryAllTexts(".o_oda_call_who")).toEqual(["Maria Rusu", "Ion Munteanu"]);
    // One hotkey, for the call that came last.
    expect("[data-hotkey=o]").toHaveCount(1);
    expect(".o_oda_call_pop:first [data-hotkey=o]").toHaveCount(1);
    const [top, bottom] = queryAll(".o_oda_call_pop").map((el) => el.getBoundingClientRect());
    expect(top.bottom).toBeLessThan(bottom.top + 1);
    await push({ id: 2, version: 2, state: "gone" });
    expect(queryAllTexts(".o_oda_call_who")).toEqual(["Ion Munteanu"]);
});

test("a ringing call does not take the focus, and is announced politely", async () => {
    await startWithCalls();
    const input = document.createElement("input");
    queryOne(".o_web_client, .o_action_manager, body").append(input);
    input.focus();
    await push({});
    expect(getActiveElement()).toBe(input);
    expect(".o_oda_call_announcement").toHaveText("Incoming call: Ion Munteanu, +373 69 123 456");
    expect(".o_oda_call_announcement").toHaveAttribute("aria-live", "polite");
    await push({ version: 2, state: "talking", answered_at: utc() });
    expect("textarea[name=note]").toHaveCount(1);
    expect(getActiveElement()).toBe(input);
    input.remove();
});

test("a call made by us says whom it calls", async () => {
    await startWithCalls();
    await push({ direction: "out" });
    expect(".o_oda_call_state").toHaveText(/^Calling 0:0[7-9]$/);
    expect(".o_oda_call_announcement").toHaveText("Calling: Ion Munteanu, +373 69 123 456");
});

test("what a button could not do is said, the pop stays", async () => {
    onRpc("oda.call", "action_open_card", () => {
        throw makeServerError({ type: "AccessError", message: "Not your call." });
    });
    await startWithCalls(makeCard());
    await click("[name=open_card]");
    await settle();
    expect(".o_oda_call_error").toHaveText("Not your call.");
    expect("[name=open_card]").toBeEnabled();
});

test("the person who worked in the pop goes back where they came from", async () => {
    await startWithCalls(makeCard({ state: "talking", answered_at: utc(5) }));
    const input = document.createElement("input");
    document.body.append(input);
    input.focus();
    queryOne("textarea[name=note]").focus();
    await press("Escape");
    await settle();
    expect(".o_oda_call_pop").toHaveCount(0);
    expect(getActiveElement()).toBe(input);
    input.remove();
});

test("[Note] opens the note and puts the cursor in it", async () => {
    await startWithCalls(makeCard());
    await click("[name=add_note]");
    await settle();
    expect("textarea[name=note]").toBeFocused();
    expect("[name=add_note]").toHaveCount(0);
});

test("Alt+O opens the card", async () => {
    const server = await startWithCalls(makeCard());
    await press(["alt", "o"]);
    await advanceTime(10);
    await settle();
    expect(server.asked).toInclude("action_open_card");
    expect(".o_form_view").toHaveCount(1);
    expect(".o_oda_call_pop").toHaveCount(1);
});

test("a new person's name and company are saved as typed", async () => {
    const partner = { id: serverState.partnerId, name: "+373 69 123 456", company: "", is_new: true };
    const server = await startWithCalls(makeCard({ partner }));
    expect(".o_oda_call_who").toHaveText("+373 69 123 456");
    expect("input[name=partner_name]").toHaveValue("");
    await click("input[name=partner_name]");
    await edit("Vera Popa");
    await advanceTime(800);
    await settle();
    expect(server.drafts).toEqual([{ name: "Vera Popa" }]);
    expect(".o_oda_call_who").toHaveText("Vera Popa");
    // Known by name now, yet the company can still be typed.
    await click("input[name=partner_company]");
    await edit("Popa SRL");
    await advanceTime(800);
    expect(server.drafts.at(-1)).toEqual({ company: "Popa SRL" });
});

test("several people on one number: choose, with the reason", async () => {
    const server = await startWithCalls(
        makeCard({
            partner: false,
            candidates: [
                { id: 11, name: "Ion Munteanu", reason: "spoke yesterday" },
                { id: 12, name: "Elena Munteanu", reason: "open consultation" },
            ],
        })
    );
    expect(".o_oda_call_who").toHaveText("+373 69 123 456");
    expect(queryAllTexts(".o_oda_call_candidates label")).toEqual([
        "Ion Munteanu spoke yesterday",
        "Elena Munteanu open consultation",
    ]);
    await click(".o_oda_call_candidates input:eq(1)");
    await settle();
    expect(server.drafts).toEqual([{ partner_id: 12 }]);
    expect(".o_oda_call_who").toHaveText("Elena Munteanu");
    expect(".o_oda_call_candidates input:eq(1)").toBeChecked();
});

test("a result without a chosen person is not lost", async () => {
    const server = await startWithCalls(
        makeCard({
            state: "result",
            ended_at: utc(),
            partner: false,
            candidates: [
                { id: 11, name: "Ion Munteanu", reason: "" },
                { id: 12, name: "Elena Munteanu", reason: "" },
            ],
        })
    );
    await click("textarea[name=note]");
    await edit("Agreed on a visit");
    await click("[name=finish]");
    await settle();
    expect(".o_oda_call_error").toHaveText("Choose first who is calling.");
    expect(server.finishedNote).toBe(undefined);
    await click("[name=dismiss]");
    await settle();
    expect(".o_oda_call_error").toHaveText(
        "Choose first who is calling. Press again to close without this text."
    );
    expect(".o_oda_call_pop").toHaveCount(1);
    await click(".o_oda_call_candidates input:eq(0)");
    await settle();
    expect(server.drafts.at(-1)).toEqual({ note: "Agreed on a visit", partner_id: 11 });
    await click("[name=finish]");
    await settle();
    expect(server.finishedNote).toBe("Agreed on a visit");
});

test("after hanging up: write the result, save and close", async () => {
    const server = await startWithCalls(makeCard({ state: "talking", answered_at: utc(30) }));
    await push({
        version: 2,
        state: "result",
        ended_at: utc(),
        recording: { id: 3, state: "pending", url: "", duration: 30 },
    });
    expect(".o_oda_call_pop label").toHaveText("Write the result");
    expect(".o_oda_call_state").toHaveText(/^Ended 0:3[0-3]$/);
    expect(".o_oda_recording").toHaveText("The recording is being fetched.");
    await click("textarea[name=note]");
    await edit("Will bring the extract");
    await click("[name=finish]");
    await settle();
    expect(server.finishedNote).toBe("Will bring the extract");
    expect(".o_oda_call_pop").toHaveCount(0);
    expect(draftStorage.callIds()).toEqual([]);
});

test("an empty result is refused in words, on the card", async () => {
    const server = await startWithCalls(makeCard({ state: "result", ended_at: utc() }));
    await click("[name=finish]");
    await settle();
    expect(".o_oda_call_error").toHaveText("Write what was agreed.");
    expect(".o_dialog").toHaveCount(0);
    expect("textarea[name=note]").toBeFocused();
    expect("textarea[name=note]").toHaveAttribute("aria-invalid", "true");
    await edit("Agreed on a visit");
    await click("[name=finish]");
    await settle();
    expect(server.finishedNote).toBe("Agreed on a visit");
    expect(".o_oda_call_pop").toHaveCount(0);
});

test("the stored recording can be heard from the pop", async () => {
    await startWithCalls(
        makeCard({
            state: "result",
            ended_at: utc(),
            recording: { id: 3, state: "stored", url: "/oda/recording/3", duration: 205 },
        })
    );
    expect(".o_oda_recording audio").toHaveAttribute("src", "/oda/recording/3");
    expect(".o_oda_recording audio").toHaveAttribute("preload", "none");
});

test("hide for me; Escape only puts aside", async () => {
    const server = await startWithCalls(makeCard());
    queryOne(".o_oda_call_pop").focus();
    await press("Escape");
    await settle();
    expect(".o_oda_call_pop").toHaveCount(0);
    expect(server.asked).not.toInclude("dismiss");
    getStore().restoreAll();
    await settle();
    await click("[name=dismiss]");
    await settle();
    expect(server.asked).toInclude("dismiss");
    expect(".o_oda_call_pop").toHaveCount(0);
});

test("a result to write brings a minimised pop back", async () => {
    await startWithCalls(makeCard({ state: "talking", answered_at: utc(5) }));
    await click("[name=minimize]");
    await settle();
    expect(".o_oda_call_pop").toHaveCount(0);
    await push({ version: 2, state: "result", ended_at: utc() });
    expect(".o_oda_call_pop").toHaveCount(1);
});

test("a pop put aside stays aside after a reload, until there is news", async () => {
    const card = makeCard({ state: "talking", answered_at: utc(5) });
    await startWithCalls(card);
    await click("[name=minimize]");
    await settle();
    const store = getStore();
    store.remove(card.id);
    store.add(card); // as the page does when it is loaded again
    await settle();
    expect(".o_oda_call_pop").toHaveCount(0);
    await push({ version: 2, state: "result", ended_at: utc() });
    expect(".o_oda_call_pop").toHaveCount(1);
});
