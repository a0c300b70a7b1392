import { describe, expect, test } from "@odoo/hoot";
import { advanceTime, click, edit, press, queryAllTexts } from "@odoo/hoot-dom";
import { makeServerError, onRpc } from "@web/../tests/web_test_helpers";
import { answersStorage } from "@oda_telephony/calls_service/call_answers";
import {
    defineTelephonyModels,
    makeCard,
    makeNetwork,
    settle,
    startWithCalls,
    utc,
} from "./oda_telephony_test_helpers";

describe.current.tags("desktop");
defineTelephonyModels();

const talking = () => makeCard({ state: "talking", answered_at: utc(5) });

test("while it rings there is nothing to tick in", async () => {
    await startWithCalls(makeCard());
    expect("[name=instruments]").toHaveCount(0);
});

test("search, Enter, ticked, saved", async () => {
    const server = await startWithCalls(talking());
    await click("[name=instruments]");
    await settle();
    expect("[name=instruments]").toHaveAttribute("aria-expanded", "true");
    expect(".o_oda_instrument").toHaveCount(0);
    await click(".o_oda_call_pop input[type=search]");
    await edit("pare");
    await settle();
    await press("Enter");
    await settle();
    expect(queryAllTexts(".o_oda_call_pop .o_oda_chip_text")).toEqual(["PARE 1+1"]);
    await advanceTime(800);
    await settle();
    expect(server.answers).toEqual({ 11: true });
    expect(".o_oda_call_ticked").toHaveText(/^Saved/);
    expect(answersStorage.keys()).toEqual([]);
});

test("no network: kept, and sent when it is back; a reload changes nothing", async () => {
    const network = makeNetwork();
    answersStorage.write(1, { 12: true }); // a page that was closed
    const server = await startWithCalls(talking());
    await click("[name=instruments]");
    await settle();
    expect(server.answers).toEqual({ 12: true });
    network.down = true;
    await click(".o_oda_group button");
    await settle();
    await click("[data-instrument='11'] input");
    await advanceTime(800);
    await settle();
    expect(".o_oda_call_ticked").toHaveText("No connection: the text is kept here");
    expect(answersStorage.read(1)).toEqual({ 11: true });
    network.down = false;
    await advanceTime(2000);
    await settle();
    expect(server.answers).toEqual({ 11: true, 12: true });
});

test("the pop does not close before the ticks are saved", async () => {
    onRpc("oda.call", "save_answers", () => {
        throw makeServerError({ type: "UserError", message: "Choose first who is calling." });
    });
    const server = await startWithCalls(talking());
    await click("[name=instruments]");
    await settle();
    await click(".o_oda_group button");
    await settle();
    await click("[data-instrument='11'] input");
    await settle();
    await click("[name=dismiss]");
    await settle();
    expect(".o_oda_call_error").toHaveText(
        "Choose first who is calling. Press again to close without this text."
    );
    await click("[name=dismiss]");
    await settle();
    expect(server.asked).toInclude("dismiss");
    expect(".o_oda_call_pop").toHaveCount(0);
});
