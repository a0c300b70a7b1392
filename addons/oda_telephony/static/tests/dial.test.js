import { describe, expect, test } from "@odoo/hoot";
import { advanceTime, click, queryAllTexts } from "@odoo/hoot-dom";
import { patchUiSize, start, startServer } from "@mail/../tests/mail_test_helpers";
import {
    defineModels,
    fields,
    getService,
    makeServerError,
    MockServer,
    models,
    mountView,
    patchWithCleanup,
    serverState,
} from "@web/../tests/web_test_helpers";
import { session } from "@web/session";
import { Deferred } from "@odoo/hoot-mock";
import { keyOf } from "@oda_telephony/dial/dial_service";
import {
    defineTelephonyModels,
    makeCard,
    settle,
    startWithCalls,
    utc,
} from "./oda_telephony_test_helpers";

describe.current.tags("desktop");
defineTelephonyModels();

class Card extends models.Model {
    _name = "card";
    name = fields.Char();
    phone = fields.Char();
    mark = fields.Integer();
    _records = [
        { id: 1, name: "Ion", phone: "+373 69 123 456", mark: 4 },
        { id: 2, name: "Ana", phone: "+373 69 999 888", mark: 0 },
    ];
}
defineModels([Card]);

const LIST = `<list><field name="name"/><field name="phone" widget="phone"/>
    <field name="mark" widget="oda_rating"/></list>`;
const FORM = `<form><field name="name"/><field name="phone" widget="phone"/></form>`;
const READONLY = `<form><field name="phone" widget="phone" readonly="1"/></form>`;

function makeLine(values = {}) {
    const line = { id: 3, login: "ana", presence: "available", silent: false };
    return { ...line, wanted: "", can_silence: true, words: "", ...values };
}

async function open(type, arch, ability = "yes", resId) {
    patchWithCleanup(session, { oda_dial: ability });
    await startServer();
    await mountView({ type, arch, resModel: "card", resId });
    return MockServer.env["oda.call"];
}

/** News from the bus, as the server sends them. */
async function tell(kind, payload) {
    const { env } = MockServer;
    const [partner] = env["res.partner"].read(serverState.partnerId);
    const bus = getService("bus_service");
    const received = new Deferred();
    const onReceived = () => received.resolve();
    bus.subscribe(kind, onReceived);
    env["bus.bus"]._sendone(partner, kind, payload);
    await received;
    bus.unsubscribe(kind, onReceived);
    await settle();
}

/** News of a dial, as the bus gives them to the service. */
async function news(payload) {
    const dialler = getService("oda_telephony.dial");
    dialler.onNews({ id: 7, phone: "37369123456", words: "", ...payload });
    await settle();
}

test("two spellings of a number are one", () => {
    expect(keyOf("+373 69 123 456")).toBe(keyOf("069123456"));
    expect(keyOf("")).toBe("");
    expect(keyOf(undefined)).toBe("");
});

test("in a list: dials, opens no row, cannot be doubled", async () => {
    const calls = await open("list", LIST);
    await click(".o_field_phone a:first");
    await settle();
    expect(calls.dialled).toEqual([["+373 69 123 456", "card", 1]]);
    expect(".o_oda_calling").toHaveCount(1);
    await click(".o_field_phone a:first");
    await click(".o_field_phone a:first");
    await settle();
    expect(calls.dialled.length).toBe(1);
    expect(".o_list_view").toHaveCount(1);
    await click(".o_field_phone a:eq(1)");
    await settle();
    expect(calls.dialled.length).toBe(2);
});

test("the call is there: the number is a button again", async () => {
    const calls = await open("list", LIST);
    await click(".o_field_phone a:first");
    await settle();
    await news({ state: "sent" });
    expect(".o_oda_calling").toHaveCount(1);
    await news({ state: "linked" });
    expect(".o_oda_calling").toHaveCount(0);
    expect(".o_notification").toHaveCount(0);
    await click(".o_field_phone a:first");
    await settle();
    expect(calls.dialled.length).toBe(2);
});

test("it failed later: said in words", async () => {
    await open("list", LIST);
    await click(".o_field_phone a:first");
    await settle();
    await news({ state: "failed", words: "The exchange could not be reached." });
    expect(".o_oda_calling").toHaveCount(0);
    expect(queryAllTexts(".o_notification_content")).toEqual([
        "The exchange could not be reached.",
    ]);
});

test("news of a click in another tab are not shouted here", async () => {
    await open("list", LIST);
    await news({ state: "failed", words: "The exchange could not be reached." });
    expect(".o_notification").toHaveCount(0);
});

test("the server refuses: its words, and the button is free", async () => {
    const calls = await open("list", LIST);
    calls.dialAnswer = makeServerError({ type: "UserError", message: "Ask your administrator." });
    await click(".o_field_phone a:first");
    await settle();
    expect(queryAllTexts(".o_notification_content")).toEqual(["Ask your administrator."]);
    expect(".o_oda_calling").toHaveCount(0);
});

test("nothing heard for a minute: may be pressed again", async () => {
    const calls = await open("list", LIST);
    await click(".o_field_phone a:first");
    await settle();
    await advanceTime(61000);
    await settle();
    expect(".o_oda_calling").toHaveCount(0);
    await click(".o_field_phone a:first");
    await settle();
    expect(calls.dialled.length).toBe(2);
});

test("in a form: what was typed is saved first", async () => {
    const calls = await open("form", FORM, "yes", 1);
    await click(".o_field_widget[name=phone] input");
    await settle();
    await click(".o_phone_form_link");
    await settle();
    expect(calls.dialled).toEqual([["+373 69 123 456", "card", 1]]);
    expect(".o_oda_calling").toHaveCount(1);
});

test("in a read-only form: the same", async () => {
    const calls = await open("form", READONLY, "yes", 1);
    await click(".o_field_phone a");
    await settle();
    expect(calls.dialled.length).toBe(1);
});

test("no exchange: the link is the browser's", async () => {
    const calls = await open("form", READONLY, "no", 1);
    document
        .querySelector(".o_field_phone a")
        .addEventListener("click", (ev) => {
            expect.step(String(ev.defaultPrevented));
            ev.preventDefault();
        });
    await click(".o_field_phone a");
    await settle();
    expect.verifySteps(["false"]);
    expect(calls.dialled.length).toBe(0);
    expect(".o_field_phone a").toHaveAttribute("href", "tel:+37369123456");
});

test("without a phone of mine: asked on a desk, the phone itself on a mobile", async () => {
    const calls = await open("form", READONLY, "unmapped", 1);
    await click(".o_field_phone a");
    await settle();
    expect(calls.dialled.length).toBe(1, { message: "the server says whom to ask" });
    expect(getService("oda_telephony.dial").takes(true)).toBe(false);
});

test("marks are stars, and words for who cannot see them", async () => {
    await open("list", LIST);
    expect(queryAllTexts(".o_field_oda_rating")).toEqual(["★★★★☆", ""]);
    expect(".o_field_oda_rating [role=img]").toHaveAttribute("aria-label", "Marked 4 of 5");
});

test("call pop: a missed or finished call is called back", async () => {
    patchWithCleanup(session, { oda_dial: "yes" });
    const calls = await startWithCalls(
        makeCard({ state: "result", answered_at: utc(60), ended_at: utc(3) })
    );
    expect(".o_oda_call_pop button[name=dial]").toHaveCount(1);
    await click(".o_oda_call_pop button[name=dial]");
    await settle();
    expect(calls.dialled).toEqual([["37369123456", "oda.call", 1]]);
    expect(".o_oda_call_pop button[name=dial]").toHaveProperty("disabled", true);
    const words = "The exchange could not be reached.";
    await tell("oda_telephony.dial", { id: 7, phone: "37369123456", state: "failed", words });
    expect(".o_oda_call_pop button[name=dial]").toHaveProperty("disabled", false);
    expect(queryAllTexts(".o_notification_content")).toEqual([words]);
});

test("call pop: no button while it rings, none without an exchange", async () => {
    patchWithCleanup(session, { oda_dial: "yes" });
    await startWithCalls(makeCard());
    expect(".o_oda_call_pop button[name=dial]").toHaveCount(0);
});

test("menu of calls: my phone and its switch", async () => {
    const pyEnv = await startServer();
    const lines = pyEnv["oda.pbx.user"];
    lines.lines = [makeLine()];
    await start();
    await getService("bus_service").start();
    await settle();
    await click(".o_oda_call_systray button");
    await settle();
    expect(".o_oda_my_lines").toHaveText(/ana: Available/);
    await click(".o_oda_my_lines input");
    await settle();
    expect(lines.switched).toEqual([[3, true]]);
    expect(".o_oda_my_lines [role=status]").toHaveText("Being switched…");
    await tell("oda_telephony.line", makeLine({ presence: "dnd", silent: true }));
    expect(".o_oda_my_lines").toHaveText(/ana: Do not disturb/);
    expect(".o_oda_my_lines input").toBeChecked();
});

test("menu of calls: a switch that is refused goes back", async () => {
    const pyEnv = await startServer();
    const lines = pyEnv["oda.pbx.user"];
    lines.lines = [makeLine()];
    lines.refuses = "This exchange cannot do that.";
    await start();
    await settle();
    await click(".o_oda_call_systray button");
    await settle();
    await click(".o_oda_my_lines input");
    await settle();
    expect(".o_oda_my_lines input").not.toBeChecked();
    expect(queryAllTexts(".o_notification_content")).toEqual(["This exchange cannot do that."]);
});

test("on a phone's screen the button fits", async () => {
    patchUiSize({ width: 360 });
    await open("list", LIST);
    await click(".o_field_phone a:first");
    await settle();
    expect(".o_oda_calling").toHaveCount(1);
});
