import { describe, expect, test } from "@odoo/hoot";
import { advanceTime, Deferred, mockDate, tick } from "@odoo/hoot-mock";
import { defineMailModels } from "@mail/../tests/mail_test_helpers";
import { makeMockEnv, makeServerError } from "@web/../tests/web_test_helpers";
import { SessionDraft, sessionStorage } from "@oda_crm/session_form/session_draft";
import { SessionDrafts } from "@oda_crm/session_form/session_drafts_service";

describe.current.tags("desktop");
defineMailModels();

/** @returns {SessionDraft} whose server keeps what it is sent */
function makeDraft(values = {}, id = 7) {
    const packets = [];
    const draft = new SessionDraft(id, String(id), async (...args) => {
        packets.push(args);
        return draft.reply
            ? await draft.reply(...args)
            : { version: packets.length, outcome: "taken", chips: [] };
    });
    draft.packets = packets;
    draft.syncRecord({ content: "", content_version: 0, answers: {}, chips: [], ...values });
    return draft;
}

async function settle(delay = 800) {
    await advanceTime(delay);
    for (let i = 0; i < 5; i++) {
        await tick();
    }
}

test("numbers grow, the base is what was told, all unsaved goes in one packet", async () => {
    await makeMockEnv();
    const draft = makeDraft({ content_version: 4 });
    draft.edit("content", "Wants");
    draft.answer(5, true);
    await settle();
    draft.edit("content", "Wants a grant");
    await settle();
    const page = draft.page;
    expect(draft.packets).toEqual([
        [7, 1, 4, { content: "Wants", answers: { 5: true } }, page],
        [7, 2, 1, { content: "Wants a grant" }, page],
    ]);
    expect(sessionStorage.keys()).toEqual([]);
});

test("state in words", async () => {
    await makeMockEnv();
    mockDate("2026-05-14 10:42:00", 0);
    const draft = makeDraft();
    expect(draft.statusText).toBe("");
    let down = true;
    draft.reply = async () => {
        if (down) {
            throw new Error("no network");
        }
        return { version: 1, outcome: "taken", chips: [] };
    };
    draft.edit("content", "x");
    expect(draft.statusText).toBe("Saving…");
    await settle();
    expect(draft.statusText).toBe("No connection: the text is kept here");
    expect(sessionStorage.keys()).toEqual([`7/${draft.page}`]);
    down = false;
    await settle(2000);
    expect(draft.statusText).toBe("Saved 10:42");
    expect(sessionStorage.keys()).toEqual([]);
});

test("what the server refuses is said and not sent again and again", async () => {
    await makeMockEnv();
    const draft = makeDraft();
    draft.reply = () => {
        throw makeServerError({ type: "AccessError", message: "This session is Ana's." });
    };
    draft.edit("content", "x");
    await settle();
    await settle(60000);
    expect(draft.packets.length).toBe(1);
    expect(draft.statusText).toBe("Not saved: This session is Ana's.");
    expect(sessionStorage.keys().length).toBe(1);
});

test("another's text comes above, and one goes on typing below", async () => {
    await makeMockEnv();
    const draft = makeDraft();
    const answer = new Deferred();
    draft.reply = () => answer;
    draft.edit("content", "mine");
    await settle();
    draft.edit("content", "mine, and more");
    const above = "theirs\n\n--- Ion, 10:42 ---\n";
    answer.resolve({
        version: 3,
        outcome: "both",
        chips: [],
        content: `${above}mine`,
        prefix: above.length,
        cut: 0,
        author: "Ana",
    });
    await settle(0);
    expect(draft.content).toBe(`${above}mine, and more`);
    expect(draft.notice).toBe("Ana has written here too: both texts are kept.");
    await settle();
    expect(draft.packets.at(-1).slice(1, 4)).toEqual([
        2,
        3,
        { content: `${above}mine, and more` },
    ]);
});

test("…also when both begin alike", async () => {
    await makeMockEnv();
    const draft = makeDraft({ content: "day one\n", content_version: 1 });
    draft.reply = async () => ({
        version: 3,
        outcome: "both",
        chips: [],
        content: "day one\ntheirs\n\n---\nmine",
        prefix: 20,
        cut: 8,
        author: "Ana",
    });
    draft.edit("content", "day one\nmine");
    await settle();
    expect(draft.content).toBe("day one\ntheirs\n\n---\nmine");
});

test("an older record does not take back what was saved since", async () => {
    await makeMockEnv();
    const draft = makeDraft();
    draft.edit("content", "new");
    await settle();
    draft.syncRecord({ content: "old", content_version: 0, answers: {}, chips: [] });
    expect(draft.content).toBe("new");
    draft.syncRecord({ content: "newer", content_version: 2, answers: { 3: true }, chips: [] });
    expect(draft.content).toBe("newer");
    expect(draft.answers).toEqual({ 3: true });
});

test("a record that comes while one types keeps its base for the next packet", async () => {
    await makeMockEnv();
    const draft = makeDraft();
    draft.edit("content", "mine");
    draft.syncRecord({ content: "theirs", content_version: 5, answers: {}, chips: [] });
    await settle();
    expect(draft.content).toBe("mine");
    expect(draft.packets[0][2]).toBe(0); // the server will see that they never met
});

test("text of a closed page comes back with its base", async () => {
    await makeMockEnv();
    sessionStorage.write("7/old", { values: { content: "half a sent" }, base: 2, at: 1 });
    sessionStorage.write("7/older", { values: { content: "half" }, base: 1, at: 0 });
    sessionStorage.write("8/other", { values: { content: "not this" }, base: 1, at: 2 });
    const draft = makeDraft({ content: "half", content_version: 3 });
    expect(draft.takeLeftover()).toBe(true);
    await draft.flush();
    expect(draft.packets[0].slice(1, 4)).toEqual([1, 2, { content: "half a sent" }]);
    expect(sessionStorage.keys().sort()).toEqual(["7/older", "8/other"]);
});

test("ticks that are taken back are told too", async () => {
    await makeMockEnv();
    const draft = makeDraft({ answers: { 5: true, 6: 2 } });
    draft.answer(5, null);
    expect(draft.answers).toEqual({ 6: 2 });
    await settle();
    expect(draft.packets[0][3]).toEqual({ answers: { 5: null } });
});

// --- what others change -----------------------------------------------------------

function makeDrafts(record = {}) {
    const asked = [];
    const channels = new Set();
    const orm = {
        silent: {
            call: async () => ({ version: 9, outcome: "taken", chips: [] }),
            read: async (...args) => {
                asked.push(args[1]);
                return [{ content: "theirs", content_version: 4, answers: {}, chips: [], ...record }];
            },
        },
    };
    const bus = {
        addChannel: (name) => channels.add(name),
        deleteChannel: (name) => channels.delete(name),
    };
    return { drafts: new SessionDrafts(orm, bus), asked, channels };
}

const NEWS = { id: 7, version: 4, page: "another", author: "Maria" };

test("a form that is open listens, one that is closed does not", async () => {
    await makeMockEnv();
    const { drafts, channels } = makeDrafts();
    drafts.show(7);
    drafts.show(7);
    expect([...channels]).toEqual(["oda.consultation.session_7"]);
    drafts.hide(7);
    expect([...channels]).toEqual(["oda.consultation.session_7"]);
    drafts.hide(7);
    drafts.hide(7);
    expect([...channels]).toEqual([]);
});

test("what another has written is there at once, and said", async () => {
    await makeMockEnv();
    const { drafts, asked } = makeDrafts();
    drafts.show(7);
    const draft = drafts.of(7);
    draft.syncRecord({ content: "mine", content_version: 3, answers: {}, chips: [] });
    await drafts.hear(NEWS);
    expect(draft.content).toBe("theirs");
    expect(draft.notice).toMatch(/Maria/);
    expect(asked).toEqual([[7]]);
    await drafts.hear(NEWS);
    expect(asked.length).toBe(1, { message: "the same news again is none" });
});

test("what is being typed stays, and one is told before it is sent", async () => {
    await makeMockEnv();
    const { drafts, asked } = makeDrafts();
    drafts.show(7);
    const draft = drafts.of(7);
    draft.syncRecord({ content: "mine", content_version: 3, answers: {}, chips: [] });
    draft.edit("content", "mine, more");
    await drafts.hear(NEWS);
    expect(draft.content).toBe("mine, more");
    expect(draft.notice).toMatch(/Maria/);
    expect(asked).toEqual([]);
});

test("one's own page, old news and other sessions are no news", async () => {
    await makeMockEnv();
    const { drafts, asked } = makeDrafts();
    drafts.show(7);
    const draft = drafts.of(7);
    draft.syncRecord({ content: "mine", content_version: 4, answers: {}, chips: [] });
    await drafts.hear({ ...NEWS, version: 5, page: draft.page });
    await drafts.hear(NEWS);
    await drafts.hear({ ...NEWS, id: 8, version: 9 });
    drafts.hide(7);
    await drafts.hear({ ...NEWS, version: 9 });
    expect(asked).toEqual([]);
    expect(draft.notice).toBe("");
});
