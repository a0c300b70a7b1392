import { describe, expect, test } from "@odoo/hoot";
import { advanceTime, click, edit, queryOne } from "@odoo/hoot-dom";
import { Deferred, mockDate } from "@odoo/hoot-mock";
import { makeServerError, onRpc } from "@web/../tests/web_test_helpers";
import { draftStorage } from "@oda_telephony/calls_service/call_draft";
import {
    defineTelephonyModels,
    getStore,
    makeCard,
    makeNetwork,
    push,
    settle,
    startWithCalls,
    utc,
} from "./oda_telephony_test_helpers";

describe.current.tags("desktop");
defineTelephonyModels();

const talking = (values) => makeCard({ state: "talking", answered_at: utc(5), ...values });

async function write(text) {
    await click("textarea[name=note]");
    await edit(text);
    await settle();
}

test("the note is saved 800 ms after the last key", async () => {
    mockDate("2026-05-14 14:02:00", 0);
    const server = await startWithCalls(talking());
    await write("Wants a");
    await advanceTime(500);
    await write("Wants a grant");
    await advanceTime(700);
    expect(server.drafts).toEqual([]);
    expect(draftStorage.read(1).values).toEqual({ note: "Wants a grant" });
    await advanceTime(100);
    await settle();
    expect(server.drafts).toEqual([{ note: "Wants a grant" }]);
    expect(".o_oda_call_saved").toHaveText("Saved 14:02");
    expect(draftStorage.read(1)).toBe(null);
});

test("leaving the field saves at once", async () => {
    const server = await startWithCalls(talking());
    await write("Wants a grant");
    queryOne("textarea[name=note]").blur();
    await settle();
    expect(server.drafts).toEqual([{ note: "Wants a grant" }]);
});

test("no network: said in words, kept, and sent again by itself", async () => {
    const network = makeNetwork();
    const server = await startWithCalls(talking());
    network.down = true;
    await write("Wants a grant");
    await advanceTime(800);
    await settle();
    expect(".o_oda_call_saved").toHaveText("Not saved yet, will retry");
    expect(".o_dialog").toHaveCount(0);
    expect(".o_notification").toHaveCount(0);
    expect(draftStorage.read(1).values).toEqual({ note: "Wants a grant" });
    network.down = false;
    await advanceTime(2000);
    await settle();
    expect(server.drafts).toEqual([{ note: "Wants a grant" }]);
    expect(".o_oda_call_saved").toHaveText(/^Saved/);
});

test("reconnecting sends unsaved text at once", async () => {
    const network = makeNetwork();
    const server = await startWithCalls(talking());
    network.down = true;
    await write("Wants a grant");
    await advanceTime(800);
    network.down = false;
    await getStore().reconnect();
    expect(server.drafts).toEqual([{ note: "Wants a grant" }]);
});

test("text of a closed page is back after reload, and sent", async () => {
    draftStorage.write(1, { values: { note: "Half a sent" }, card: makeCard() });
    const server = await startWithCalls(talking({ session: { id: 1, content: "" } }));
    expect("textarea[name=note]").toHaveValue("Half a sent");
    expect(server.drafts).toEqual([{ note: "Half a sent" }]);
    expect(draftStorage.callIds()).toEqual([]);
});

test("text of a closed page whose call is over is sent without a pop", async () => {
    const { phone, partner } = makeCard();
    draftStorage.write(7, { values: { note: "Late" }, card: { id: 7, phone, partner } });
    const server = await startWithCalls();
    expect(server.drafts).toEqual([{ note: "Late" }]);
    expect(".o_oda_call_pop").toHaveCount(0);
    expect(draftStorage.callIds()).toEqual([]);
});

test("…and shown with the reason when the server will not take it", async () => {
    const { phone, partner } = makeCard();
    draftStorage.write(7, { values: { note: "Late" }, card: { id: 7, phone, partner } });
    onRpc("oda.call", "save_draft", () => {
        throw makeServerError({ type: "UserError", message: "This call is closed." });
    });
    await startWithCalls();
    expect(".o_oda_call_who").toHaveText("Ion Munteanu");
    expect("textarea[name=note]").toHaveValue("Late");
    expect(".o_oda_call_saved").toHaveText("Not saved: This call is closed.");
    await click("[name=discard]");
    await settle();
    expect(".o_oda_call_pop").toHaveCount(0);
    expect(draftStorage.callIds()).toEqual([]);
});

test("a server answer never overwrites what is being typed", async () => {
    const answer = new Deferred();
    await startWithCalls(talking());
    let first = true;
    onRpc("oda.call", "save_draft", async ({ parent }) => {
        const card = { ...parent() };
        if (first) {
            first = false;
            await answer;
        }
        return card;
    });
    await write("Wants");
    await advanceTime(800);
    await write("Wants a grant for a bakery");
    answer.resolve();
    await settle();
    expect("textarea[name=note]").toHaveValue("Wants a grant for a bakery");
    await push({ version: 2, session: { id: 1, content: "from elsewhere" } });
    expect("textarea[name=note]").toHaveValue("Wants a grant for a bakery");
    await advanceTime(800);
    await settle();
    // Saved, but the cursor is still there: the text does not jump.
    await push({ version: 3, session: { id: 1, content: "from elsewhere" } });
    expect("textarea[name=note]").toHaveValue("Wants a grant for a bakery");
});

test("text from elsewhere is shown to someone who is not typing", async () => {
    await startWithCalls(talking());
    await push({ version: 2, session: { id: 1, content: "from elsewhere" } });
    expect("textarea[name=note]").toHaveValue("from elsewhere");
});

test("an answer that lacks the text does not take it from the screen", async () => {
    await startWithCalls(talking());
    await write("Wants a grant");
    queryOne("textarea[name=note]").blur();
    await settle();
    await push({ version: 2, session: false });
    expect("textarea[name=note]").toHaveValue("Wants a grant");
});

test("an older text never lands after a newer one", async () => {
    const answer = new Deferred();
    const seen = [];
    onRpc("oda.call", "save_draft", async ({ args, parent }) => {
        seen.push(args[1].note);
        if (seen.length === 1) {
            await answer;
        }
        return parent();
    });
    await startWithCalls(talking());
    await write("one");
    await advanceTime(800);
    await write("one two");
    await advanceTime(800);
    expect(seen).toEqual(["one"]);
    answer.resolve();
    await settle();
    await advanceTime(800);
    expect(seen).toEqual(["one", "one two"]);
});

test("gone with unsaved text: kept until the server has it", async () => {
    const network = makeNetwork();
    const server = await startWithCalls(talking());
    network.down = true;
    await write("Wants a grant");
    await push({ version: 2, state: "gone" });
    expect(".o_oda_call_pop").toHaveAttribute("data-state", "over");
    expect(".o_oda_call_pop .alert").toHaveText(/not saved yet/);
    expect("textarea[name=note]").toHaveValue("Wants a grant");
    expect("[name=open_card]").toHaveCount(0);
    network.down = false;
    await click("[name=retry]");
    await settle();
    expect(server.drafts).toEqual([{ note: "Wants a grant" }]);
    expect(".o_oda_call_pop").toHaveCount(0);
});

test("gone with text just typed: saved first, then it goes", async () => {
    const server = await startWithCalls(talking());
    await write("Wants a grant");
    await push({ version: 2, state: "gone" });
    expect(server.drafts).toEqual([{ note: "Wants a grant" }]);
    expect(".o_oda_call_pop").toHaveCount(0);
});

test("finishing without network keeps the pop and the text", async () => {
    const network = makeNetwork();
    await startWithCalls(makeCard({ state: "result", ended_at: utc() }));
    network.down = true;
    await write("Agreed on a visit");
    await click("[name=finish]");
    await settle();
    expect(".o_oda_call_error").toHaveText("No connection. Your text is kept; please try again.");
    expect("textarea[name=note]").toHaveValue("Agreed on a visit");
    network.down = false;
    await click("[name=finish]");
    await settle();
    expect(".o_oda_call_pop").toHaveCount(0);
});

test("a card that could not be fetched is asked for again", async () => {
    const network = makeNetwork();
    await startWithCalls();
    network.down = true;
    await push({});
    expect(".o_oda_call_pop").toHaveCount(0);
    network.down = false;
    await advanceTime(500);
    await settle();
    expect(".o_oda_call_pop").toHaveCount(1);
});
