import { describe, expect, test } from "@odoo/hoot";
import {
    click,
    manuallyDispatchProgrammaticEvent,
    pointerDown,
    press,
    queryAllTexts,
    queryOne,
} from "@odoo/hoot-dom";
import { animationFrame } from "@odoo/hoot-mock";
import { defineMailModels } from "@mail/../tests/mail_test_helpers";
import {
    defineModels,
    fields,
    models,
    mountView,
    mountWithCleanup,
    onRpc,
} from "@web/../tests/web_test_helpers";
import "@oda_telephony/duration_field/duration_field";
import "@oda_telephony/duration_field/has_sound_field";
import { RecordingPlayer } from "@oda_telephony/recording_player/recording_player";
import {
    decodeWaveform,
    drawWaveform,
    skipSilence,
} from "@oda_telephony/recording_player/waveform";

describe.current.tags("desktop");

class OdaRecording extends models.Model {
    _name = "oda.recording";

    state = fields.Selection({
        selection: [
            ["pending", "Pending"],
            ["stored", "Stored"],
            ["failed", "Failed"],
            ["missing", "Missing"],
        ],
    });
    duration = fields.Integer();
    heard = fields.Boolean();

    _records = [
        { id: 1, state: "stored", duration: 205, heard: true },
        { id: 2, state: "failed", duration: 0 },
    ];
}
defineMailModels();
defineModels([OdaRecording]);

onRpc("oda.recording", "get_player", () => ({ waveform: "", download: false }));

/** @returns {Promise<HTMLAudioElement>} of a player that has loaded its sound */
async function loadedPlayer(props = {}) {
    await mountWithCleanup(RecordingPlayer, {
        props: { id: 1, state: "stored", duration: 205, ...props },
    });
    const audio = queryOne("audio", { visible: false });
    audio.play = async () => expect.step("play");
    await manuallyDispatchProgrammaticEvent(audio, "loadedmetadata");
    await animationFrame();
    return audio;
}

test("speed and skipping", async () => {
    const audio = await loadedPlayer();
    expect(audio).toHaveAttribute("src", "/oda/recording/1");
    expect(audio).toHaveAttribute("preload", "none");
    expect(audio).toHaveAttribute("aria-label", "Recording, 3:25");
    expect(queryAllTexts("[name=speed]")).toEqual(["0.75×", "1×", "1.25×", "1.5×", "2×"]);
    await click("[name=speed]:contains(1.5)");
    await animationFrame();
    expect(audio.playbackRate).toBe(1.5);
    expect("[name=speed][aria-pressed=true]").toHaveText("1.5×");
    audio.currentTime = 4;
    await click("[name=forward]");
    expect(audio.currentTime).toBe(14);
    await click("[name=back]");
    await click("[name=back]");
    expect(audio.currentTime).toBe(0);
});

test("the length is known before anything is loaded", async () => {
    await mountWithCleanup(RecordingPlayer, { props: { id: 1, state: "stored", duration: 205 } });
    const audio = queryOne("audio", { visible: false });
    audio.play = async () => expect.step("play");
    expect("[role=slider]").toHaveCount(0);
    expect("[name=play]").toHaveText("Listen, 3:25");
    await click("[name=play]");
    expect.verifySteps(["play"]);
    await manuallyDispatchProgrammaticEvent(audio, "loadedmetadata");
    await animationFrame();
    expect("[role=slider]").toHaveCount(1);
    expect("[name=play]").toHaveCount(0);
    expect("[name=download]").toHaveCount(0);
});

test("the line of time by keyboard and by click", async () => {
    const audio = await loadedPlayer();
    expect("[role=slider]").toHaveAttribute("aria-valuemax", "205");
    queryOne("[role=slider]").focus();
    await press("ArrowRight");
    expect(audio.currentTime).toBe(5);
    await press("PageUp");
    await animationFrame();
    expect(audio.currentTime).toBe(35);
    expect("[role=slider]").toHaveAttribute("aria-valuenow", "35");
    expect("[role=slider]").toHaveAttribute("aria-valuetext", "0:35 of 3:25");
    await press("Home");
    expect(audio.currentTime).toBe(0);
    await press("End");
    expect(audio.currentTime).toBe(205);
    await press(" ");
    expect.verifySteps(["play"]);
    const box = queryOne("[role=slider]").getBoundingClientRect();
    await pointerDown("[role=slider]", {
        position: { clientX: box.left + box.width / 2, clientY: box.top + 5 },
    });
    expect(Math.abs(audio.currentTime - 102.5)).toBeLessThan(2);
});

test("a click before anything is loaded begins there", async () => {
    onRpc("oda.recording", "get_player", () => ({ waveform: btoa("\x50".repeat(200)), download: true }));
    await mountWithCleanup(RecordingPlayer, {
        props: { id: 1, state: "stored", duration: 200, eager: true },
    });
    await animationFrame();
    const audio = queryOne("audio", { visible: false });
    audio.play = async () => expect.step("play");
    expect(".o_oda_recording_bars").toHaveCount(1);
    expect("a[name=download]").toHaveAttribute("href", "/oda/recording/1?download=1");
    queryOne("[role=slider]").focus();
    await press("PageUp");
    expect.verifySteps(["play"]);
    expect(audio.currentTime).toBe(0);
    await manuallyDispatchProgrammaticEvent(audio, "loadedmetadata");
    expect(audio.currentTime).toBe(30);
});

test("silence is jumped over when one wants it", async () => {
    // 100 s: 20 s of talk, 60 s of silence, 20 s of talk
    const bytes = "\x50".repeat(20) + "\x01".repeat(60) + "\x50".repeat(20);
    onRpc("oda.recording", "get_player", () => ({ waveform: btoa(bytes), download: false }));
    const audio = await loadedPlayer({ duration: 100, eager: true });
    await animationFrame();
    Object.defineProperty(audio, "paused", { get: () => false });
    audio.currentTime = 25;
    await manuallyDispatchProgrammaticEvent(audio, "timeupdate");
    expect(audio.currentTime).toBe(25);
    await click("[name=quiet]");
    await manuallyDispatchProgrammaticEvent(audio, "timeupdate");
    expect(audio.currentTime).toBe(79.7);
});

test("how a waveform is read", () => {
    expect([...decodeWaveform("AP8=")]).toEqual([0, 255]);
    expect([...decodeWaveform("not base64 !")]).toEqual([]);
    expect([...decodeWaveform(false)]).toEqual([]);
    expect(drawWaveform(decodeWaveform("AP8="), 2)).toBe("M0.5 49v2M1.5 2v96");
    const values = Uint8Array.from([0, 0, 9, 0]);
    expect(skipSilence(values, 4, 0)).toBe(1.7);
    expect(skipSilence(values, 4, 1)).toBe(1, { message: "a short pause stays" });
    expect(skipSilence(values, 4, 2.5)).toBe(2.5);
    expect(skipSilence(values, 0, 0)).toBe(0);
});

for (const [status, words] of [
    [503, "The recording is encrypted and does not open. Tell an administrator."],
    [404, "The recording is no longer there."],
    [500, "The recording could not be played. Reload the page to try again."],
]) {
    test(`says what is wrong with the sound: ${status}`, async () => {
        onRpc("/oda/recording/1", () => new Response("", { status }), { pure: true });
        await mountWithCleanup(RecordingPlayer, { props: { id: 1, state: "stored", duration: 5 } });
        await manuallyDispatchProgrammaticEvent(queryOne("audio", { visible: false }), "error");
        await animationFrame();
        await animationFrame();
        expect(".o_oda_recording").toHaveText(words);
    });
}

test("a list marks what can be heard", async () => {
    await mountView({
        resModel: "oda.recording",
        type: "list",
        arch: `<list><field name="heard" widget="oda_has_sound" nolabel="1"/></list>`,
    });
    expect(".o_data_row:eq(0) .fa-play-circle").toHaveCount(1);
    expect(".o_data_row:eq(0) .fa-play-circle").toHaveAttribute("title", "Has a recording");
    expect(".o_data_row:eq(1) .fa-play-circle").toHaveCount(0);
});

test("seconds are shown as minutes, one by one and summed", async () => {
    await mountView({
        resModel: "oda.recording",
        type: "list",
        arch: `<list><field name="duration" widget="oda_duration" sum="All"/></list>`,
    });
    expect(queryAllTexts(".o_data_cell[name=duration]")).toEqual(["3:25", "0:00"]);
    expect("tfoot .o_list_number").toHaveText("3:25");
});

for (const [state, words] of [
    ["pending", "The recording is being fetched."],
    ["failed", "The recording could not be fetched from the phone system."],
    ["missing", "The phone system has no recording of this call."],
    ["deleted", "The recording was removed: its time was over."],
]) {
    test(`says why there is nothing to hear: ${state}`, async () => {
        await mountWithCleanup(RecordingPlayer, { props: { id: 1, state, duration: 0 } });
        expect("audio").toHaveCount(0);
        expect(".o_oda_recording").toHaveText(words);
    });
}

test("says so to someone who may not listen", async () => {
    await mountWithCleanup(RecordingPlayer, {
        props: { id: 1, state: "stored", duration: 5, url: "" },
    });
    expect("audio").toHaveCount(0);
    expect(".o_oda_recording").toHaveText("You may not listen to this recording.");
});

test("as a widget of a form and of a list", async () => {
    await mountView({
        resModel: "oda.recording",
        type: "form",
        resId: 1,
        arch: `<form><widget name="oda_recording_player"/></form>`,
    });
    expect(".o_form_view audio").toHaveAttribute("src", "/oda/recording/1");
});

test("in a list each row has its own player or reason", async () => {
    await mountView({
        resModel: "oda.recording",
        type: "list",
        arch: `<list><field name="display_name"/><widget name="oda_recording_player"/></list>`,
    });
    expect(".o_data_row:eq(0) audio").toHaveCount(1);
    expect(".o_data_row:eq(1) .o_oda_recording").toHaveText(/could not be fetched/);
});
