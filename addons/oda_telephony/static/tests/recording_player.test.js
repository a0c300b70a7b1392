import { describe, expect, test } from "@odoo/hoot";
import { click, manuallyDispatchProgrammaticEvent, queryAllTexts, queryOne } from "@odoo/hoot-dom";
import { animationFrame } from "@odoo/hoot-mock";
import { defineMailModels } from "@mail/../tests/mail_test_helpers";
import {
    defineModels,
    fields,
    models,
    mountView,
    mountWithCleanup,
} from "@web/../tests/web_test_helpers";
import "@oda_telephony/duration_field/duration_field";
import "@oda_telephony/duration_field/has_sound_field";
import { RecordingPlayer } from "@oda_telephony/recording_player/recording_player";

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

test("speed and skipping", async () => {
    await mountWithCleanup(RecordingPlayer, { props: { id: 1, state: "stored", duration: 205 } });
    const audio = queryOne("audio");
    expect(audio).toHaveAttribute("src", "/oda/recording/1");
    await manuallyDispatchProgrammaticEvent(audio, "loadedmetadata");
    await animationFrame();
    expect(audio).toHaveAttribute("aria-label", "Recording, 3:25");
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
    const audio = queryOne("audio");
    audio.play = async () => expect.step("play");
    expect("audio").not.toBeVisible(); // it would say 0:00 / 0:00
    expect("[name=play]").toHaveText("Listen, 3:25");
    await click("[name=play]");
    expect.verifySteps(["play"]);
    await manuallyDispatchProgrammaticEvent(audio, "loadedmetadata");
    await animationFrame();
    expect("audio").toBeVisible();
    expect("[name=play]").toHaveCount(0);
});

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
