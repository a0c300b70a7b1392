import { mailModels, start, startServer } from "@mail/../tests/mail_test_helpers";
import { beforeEach, expect, test } from "@odoo/hoot";
import { click, press, queryAllTexts, queryFirst } from "@odoo/hoot-dom";
import { advanceTime, animationFrame, Deferred, mockDate } from "@odoo/hoot-mock";
import {
    defineModels,
    getService,
    makeMockEnv,
    makeServerError,
    MockServer,
    mockService,
    mountWithCleanup,
    onRpc,
    serverState,
} from "@web/../tests/web_test_helpers";
import { browser } from "@web/core/browser/browser";
import { getDefaultConfig } from "@web/views/view";
import { WebClient } from "@web/webclient/webclient";
import { MyDay } from "@oda_crm/my_day/my_day";

defineModels(mailModels);

const HTML = "<b>bold</b>";
let asked, answer, done;

function makeEntry(values = {}) {
    return {
        key: `${values.kind || "task"}-${values.id || 1}`,
        kind: "task",
        icon: "fa-check",
        at: "2026-06-10 10:05:00",
        urgency: "calm",
        words: "",
        title: "Ask for the extract",
        lead: "Bakery",
        lead_id: 5,
        who: "Ion Munteanu",
        task_id: 1,
        model: "crm.lead",
        res_id: 5,
        open: false,
        ...values,
    };
}

function makeLane(key, entries = [], values = {}) {
    return {
        key,
        label: key,
        empty: `${key} is empty`,
        entries,
        kinds: [],
        total: entries.length,
        most: 200,
        count_max: 1000,
        ...values,
    };
}

function makeDay(values = {}) {
    return {
        view: "mine",
        views: [{ key: "mine", label: "Mine" }],
        now: "2026-06-10 09:00:00",
        ends: "2026-06-10 21:00:00",
        lanes: ["now", "today", "risk"].map((key) => makeLane(key)),
        ...values,
    };
}

beforeEach(() => {
    mockDate("2026-06-10 09:00:00", 0);
    [asked, done] = [[], []];
    answer = makeDay();
    onRpc("oda.my.day", "oda_my_day", ({ args }) => {
        asked.push(JSON.parse(JSON.stringify(args)));
        if (answer instanceof Error) {
            throw answer;
        }
        return answer;
    });
});

/** The page by itself; what it opens is noted in `done`. */
async function openDay() {
    mockService("action", {
        doAction(action, options) {
            done.push(action);
            options?.onClose?.();
        },
    });
    const env = await makeMockEnv({ config: getDefaultConfig() });
    await mountWithCleanup(MyDay, {
        env,
        props: { action: {}, actionId: 1, className: "" },
    });
    await animationFrame();
}

const settle = async () => {
    await animationFrame();
    await animationFrame();
};

test("it is an action of the web client", async () => {
    await mountWithCleanup(WebClient);
    await getService("action").doAction({
        type: "ir.actions.client",
        tag: "oda_crm.my_day",
        name: "My day",
    });
    expect(".o_oda_day_lane").toHaveCount(3);
    expect(".o_breadcrumb").toHaveText("My day");
});

test("empty lanes say what to do", async () => {
    await openDay();
    expect(queryAllTexts(".o_oda_day_empty")).toEqual([
        "now is empty",
        "today is empty",
        "risk is empty",
    ]);
    expect(".o_oda_day_views").toHaveCount(0);
    expect(".o_oda_day_date").toHaveText("Wednesday, June 10");
});

test("tasks stand under their hour; late ones are told apart in words", async () => {
    answer.lanes[1] = makeLane("today", [
        makeEntry({ id: 1, at: "2026-06-10 08:10:00", urgency: "late", words: "late: 50 min" }),
        makeEntry({ id: 2, at: "2026-06-10 08:40:00" }),
        makeEntry({ id: 3, title: HTML }),
    ]);
    await openDay();
    expect(".o_oda_day_hour").toHaveCount(2);
    expect(".o_oda_day_late .o_oda_day_words").toHaveText("late: 50 min");
    expect(".o_oda_day_entry:first .o_oda_day_what").toHaveText(
        "Ask for the extract\nIon Munteanu · Bakery"
    );
    expect(".o_oda_day_entry strong:last").toHaveText(HTML);
});

test("one click to the card, one to the result", async () => {
    answer.lanes[1] = makeLane("today", [makeEntry()]);
    await openDay();
    await click(".o_oda_day_open");
    await settle();
    expect([done[0].res_model, done[0].res_id]).toEqual(["crm.lead", 5]);
    await click("button[name=day_done]");
    await advanceTime(1000);
    expect(done[1].res_model).toBe("oda.task.result");
    expect(done[1].context.default_task_ids).toEqual([1]);
    expect(asked.length).toBe(2);
});

test("what opens by a method asks the server for it", async () => {
    onRpc("oda.call", "action_open_card", ({ args }) => ({ args }));
    const entry = { kind: "ring", model: "oda.call", res_id: 8, open: "action_open_card" };
    answer.lanes[0] = makeLane("now", [makeEntry({ ...entry, task_id: false })]);
    await openDay();
    await click(".o_oda_day_open");
    await settle();
    expect(done).toEqual([{ args: [[8]] }]);
    expect("button[name=day_done]").toHaveCount(0);
});

test("what one may not see cannot be clicked", async () => {
    answer.lanes[1] = makeLane("today", [makeEntry({ model: false, res_id: false })]);
    await openDay();
    expect(".o_oda_day_open").not.toBeEnabled();
});

test("more, and only one kind", async () => {
    const kinds = [
        { kind: "late", label: "Left", icon: "fa-clock-o", total: 50 },
        { kind: "stale", label: "Still", icon: "fa-hourglass", total: 7 },
    ];
    const entries = [...Array(20)].map((_, id) => makeEntry({ id: id + 1, kind: "late" }));
    answer.lanes[2] = makeLane("risk", entries, { kinds, total: 57 });
    await openDay();
    expect("button[name=day_more]").toHaveText("and 37 more");
    await click("button[name=day_more]");
    await settle();
    expect(asked.at(-1)).toEqual(["mine", { risk: 40 }, {}]);
    await click("button[data-kind=late]");
    await settle();
    expect(asked.at(-1)).toEqual(["mine", {}, { risk: "late" }]);
    expect("button[data-kind=late]").toHaveAttribute("aria-pressed", "true");
    expect("button[name=day_more]").toHaveText("and 30 more");
    await click("button[data-kind=late]");
    await settle();
    expect(asked.at(-1)).toEqual(["mine", {}, {}]);
});

test("what was not counted to the end says so", async () => {
    const kinds = [{ kind: "late", label: "Left", icon: "fa-clock-o", total: 1000 }];
    answer.lanes[2] = makeLane("risk", [makeEntry({ kind: "late" })], { kinds, total: 1000 });
    await openDay();
    expect("[data-lane=risk] .o_oda_day_total").toHaveText("1000+");
    expect("button[name=day_more]").toHaveText("and 999+ more");
});

test("arrows go from one entry to the next", async () => {
    answer.lanes[1] = makeLane("today", [makeEntry({ id: 1 })]);
    answer.lanes[2] = makeLane("risk", [makeEntry({ id: 2 })]);
    await openDay();
    queryFirst(".o_oda_day_open").focus();
    await press("ArrowDown");
    expect(".o_oda_day_open:last").toBeFocused();
    await press("ArrowDown");
    expect(".o_oda_day_open:last").toBeFocused();
    await press("ArrowUp");
    expect(".o_oda_day_open:first").toBeFocused();
});

test("news come in bunches and are asked for once", async () => {
    await startServer();
    await start();
    await getService("action").doAction({ type: "ir.actions.client", tag: "oda_crm.my_day" });
    const bus = getService("bus_service");
    await bus.start();
    const [partner] = MockServer.env["res.partner"].read(serverState.partnerId);
    const last = new Deferred();
    bus.subscribe("oda_crm.stale", () => last.resolve());
    for (const kind of ["mail.activity/updated", "oda_crm.stale"]) {
        MockServer.env["bus.bus"]._sendone(partner, kind, {});
    }
    await last;
    await advanceTime(1000);
    await settle();
    expect(asked.length).toBe(2);
});

test("time passes: each minute, and a new day at midnight", async () => {
    await openDay();
    await advanceTime(60_000);
    expect(asked.length).toBe(2);
    answer = makeDay({ now: "2026-06-10 20:59:50", ends: "2026-06-10 21:00:00" });
    await advanceTime(60_000);
    await settle();
    expect(asked.length).toBe(3);
    answer = makeDay({ now: "2026-06-10 21:00:01", ends: "2026-06-11 21:00:00" });
    await advanceTime(11_500);
    await settle();
    expect(asked.length).toBe(4);
    await advanceTime(30_000);
    expect(asked.length).toBe(4);
});

test("without a connection what was shown stays, and says so", async () => {
    answer.lanes[1] = makeLane("today", [makeEntry()]);
    await openDay();
    const before = answer;
    answer = makeServerError({ message: "gone" });
    await advanceTime(60_000);
    await settle();
    expect(".o_oda_day_entry").toHaveCount(1);
    expect(".o_oda_day .alert").toHaveCount(1);
    answer = before;
    await advanceTime(60_000);
    await settle();
    expect(".o_oda_day .alert").toHaveCount(0);
});

const TEAM = {
    view: "team",
    views: [
        { key: "team", label: "Team" },
        { key: "mine", label: "Mine" },
    ],
    people: [
        { id: 7, name: "Ana" },
        { id: 8, name: HTML },
        { id: 0, name: "Nobody" },
    ],
    more_people: 0,
    heat: {
        hours: [8, 9].map((hour) => ({
            hour,
            from: `2026-06-10 0${hour - 3}:00:00`,
            until: `2026-06-10 0${hour - 2}:00:00`,
        })),
        kinds: Object.fromEntries(
            ["due", "done"].map((what) => [
                what,
                {
                    label: what === "due" ? "To do" : "Done",
                    model: "mail.activity",
                    domain: [["x", "=", what]],
                    at: `oda_${what}_at`,
                    user_field: "user_id",
                },
            ])
        ),
        cells: { 7: { 9: { due: 2, done: 1, shade: 4 } } },
    },
    risks: [
        {
            key: "stale",
            label: "Stands still",
            icon: "fa-hourglass",
            model: "crm.lead",
            domain: [["oda_stale_level", ">", 0]],
            user_field: "user_id",
            counts: { 7: 3, 0: 1 },
            total: 4,
        },
    ],
};

test("the team: numbers open what they count", async () => {
    answer = makeDay(TEAM);
    await openDay();
    expect(".o_oda_heat tbody tr").toHaveCount(3);
    expect(queryAllTexts(".o_oda_heat_4 .btn")).toEqual(["2", "1"]);
    expect(".o_oda_heat_4 .btn:first").toHaveAttribute("aria-label", "Ana, 9:00. To do: 2");
    await click(".o_oda_heat_4 .btn:last");
    await settle();
    expect(done[0].domain).toEqual([
        ["x", "=", "done"],
        ["oda_done_at", ">=", "2026-06-10 06:00:00"],
        ["oda_done_at", "<", "2026-06-10 07:00:00"],
        ["user_id", "=", 7],
    ]);
    await click(".o_oda_risks [data-person='0'] td .btn");
    await settle();
    expect(done[1].domain).toEqual([
        ["oda_stale_level", ">", 0],
        "|",
        ["user_id", "=", false],
        ["user_id.active", "=", false],
    ]);
});

test("the team: a click on somebody shows only them", async () => {
    answer = makeDay(TEAM);
    await openDay();
    expect(".o_oda_risks tbody tr").toHaveCount(2);
    await click(".o_oda_risks th .btn");
    await animationFrame();
    expect(".o_oda_risks tbody tr").toHaveCount(1);
    expect(".o_oda_heat tbody tr").toHaveCount(1);
    await click("button[name=day_everybody]");
    await animationFrame();
    expect(".o_oda_heat tbody tr").toHaveCount(3);
});

test("the view one looks at is remembered", async () => {
    answer = makeDay(TEAM);
    await openDay();
    expect("[data-view=team]").toHaveAttribute("aria-pressed", "true");
    await click("[data-view=mine]");
    await settle();
    expect(asked.at(-1)[0]).toBe("mine");
    expect(browser.localStorage.getItem("oda_crm.my_day.view")).toBe("mine");
});

test("flows: stages, how many, and what they open", async () => {
    answer = makeDay({
        view: "flows",
        flows: [
            {
                id: 4,
                name: "Ads",
                total: 5,
                most: 5,
                stages: [
                    { id: 1, name: "New", count: 5, stale: 2, missing: 0, days: 3.5, oldest: 9 },
                    { id: 2, name: "Signed", count: 0, stale: 0, missing: 0, days: 0, oldest: 0 },
                ],
            },
        ],
        programmes: [
            {
                id: 1,
                name: "Call 3",
                programme: "PARE",
                programme_id: 6,
                closes: "2026-06-15 12:00:00",
                words: "5 d left",
                urgent: true,
            },
        ],
    });
    await openDay();
    expect("[data-stage='1'] td:last").toHaveText("3.5 · 9");
    expect("[data-stage='2'] td .btn").not.toBeEnabled();
    await click("[data-stage='1'] td:last-child, [data-stage='1'] .btn-sm");
    await click("[data-stage='1'] .btn-sm");
    await settle();
    expect(done.at(-1).domain.at(-1)).toEqual(["oda_stale_level", ">", 0]);
    await click(".o_oda_day_programmes .o_oda_day_open");
    await settle();
    expect([done.at(-1).res_model, done.at(-1).res_id]).toEqual(["oda.programme", 6]);
});
