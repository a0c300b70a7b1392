import { describe, expect, test } from "@odoo/hoot";
import { click, queryAllTexts } from "@odoo/hoot-dom";
import { animationFrame, Deferred, mockTimeZone, tick } from "@odoo/hoot-mock";
import { Component, xml } from "@odoo/owl";
import { defineMailModels } from "@mail/../tests/mail_test_helpers";
import {
    makeServerError,
    mockService,
    mountWithCleanup,
    onRpc,
    patchWithCleanup,
} from "@web/../tests/web_test_helpers";
import { Timeline, timelineEntries } from "@oda_crm/timeline/timeline";

describe.current.tags("desktop");
defineMailModels();

const KINDS = [
    { kind: "session", label: "Sessions", icon: "fa-comments" },
    { kind: "stage", label: "Stages", icon: "fa-flag" },
];

function entry(number, values = {}) {
    return {
        key: `session-${number}`,
        kind: "session",
        at: `2026-05-${String(20 - Math.floor(number / 2)).padStart(2, "0")} 10:00:00`,
        title: `Talk ${number}`,
        who: "Ana",
        text: "",
        data: {},
        model: "oda.consultation.session",
        res_id: number,
        ...values,
    };
}

/** Mount the timeline of a beneficiary on a server that gives out these pages. */
async function mountTimeline(...pages) {
    mockTimeZone(0);
    // What is on screen by itself is asked for by the test alone.
    patchWithCleanup(window, {
        IntersectionObserver: class {
            observe() {}
            disconnect() {}
        },
    });
    const asked = [];
    const answers = [...pages];
    onRpc("res.partner", "oda_timeline_page", async ({ args, kwargs }) => {
        asked.push([args[0][0], kwargs.before, kwargs.kinds]);
        const page = await answers.shift();
        if (page instanceof Error) {
            throw page;
        }
        return page;
    });
    const actions = [];
    mockService("action", { doAction: async (action) => actions.push(action) });
    class Parent extends Component {
        static components = { Timeline };
        static template = xml`<Timeline resModel="'res.partner'" resId="props.state.id"/>`;
        static props = ["*"];
    }
    const parent = await mountWithCleanup(Parent, { props: { state: { id: 7 } } });
    return { asked, answers, actions, parent };
}

const page = (entries, next = false) => ({ entries, next, kinds: KINDS });

async function settle() {
    for (let i = 0; i < 5; i++) {
        await tick();
    }
    await animationFrame();
}

test("newest first, under their days", async () => {
    const { asked } = await mountTimeline(page([entry(0), entry(1), entry(2)]));
    expect(asked).toEqual([[7, null, null]]);
    expect(queryAllTexts(".o_oda_timeline_day").length).toBe(2);
    expect(queryAllTexts(".o_oda_timeline_entry button")).toEqual(["Talk 0", "Talk 1", "Talk 2"]);
    expect(queryAllTexts("time")).toEqual(["10:00", "10:00", "10:00"]);
    expect("button:contains(Load more)").toHaveCount(0);
});

test("nothing yet says what will come", async () => {
    await mountTimeline(page([]));
    expect(".o_oda_timeline").toHaveText(/Nothing here yet/);
});

test("the next page goes below, once", async () => {
    const late = new Deferred();
    const { asked } = await mountTimeline(page([entry(0)], "cursor-1"), late);
    await click("button:contains(Load more)");
    await settle();
    expect("button:contains(Load more)").not.toBeEnabled();
    late.resolve(page([entry(1)]));
    await settle();
    expect(asked).toEqual([
        [7, null, null],
        [7, "cursor-1", null],
    ]);
    expect(".o_oda_timeline_entry").toHaveCount(2);
    expect("button:contains(Load more)").toHaveCount(0);
});

test("a kind is filtered by the server; an answer that comes late is dropped", async () => {
    const late = new Deferred();
    const { asked } = await mountTimeline(
        page([entry(0)], "cursor-1"),
        late,
        page([entry(5, { kind: "stage", data: { old: "New", new: "" } })])
    );
    await click("button:contains(Load more)");
    await settle();
    await click("[data-kind=stage]");
    await settle();
    expect(asked.at(-1)).toEqual([7, null, ["stage"]]);
    expect("button[data-kind=stage]").toHaveAttribute("aria-pressed", "true");
    expect(".o_oda_timeline_entry").toHaveCount(1);
    expect(".o_oda_timeline_entry").toHaveText(/New\s*—/);
    late.resolve(page([entry(1)]));
    await settle();
    expect(".o_oda_timeline_entry").toHaveCount(1);
});

test("a refusal is told in place, and can be tried again", async () => {
    const { asked } = await mountTimeline(
        makeServerError({ type: "AccessError", message: "Not yours." }),
        page([entry(0)])
    );
    expect(".o_oda_timeline [role=alert]").toHaveText(/Not yours\./);
    await click("button:contains(Try again)");
    await settle();
    expect(asked.length).toBe(2);
    expect(".o_oda_timeline [role=alert]").toHaveCount(0);
    expect(".o_oda_timeline_entry").toHaveCount(1);
});

test("what people wrote is text", async () => {
    await mountTimeline(
        page([entry(0, { text: "<img src=x onerror=alert(1)>", title: "<b>x</b>" })])
    );
    expect(".o_oda_timeline img").toHaveCount(0);
    expect(".o_oda_timeline_text").toHaveText("<img src=x onerror=alert(1)>");
    expect(".o_oda_timeline_entry button").toHaveText("<b>x</b>");
});

test("an entry opens its record; the card one is on is no link", async () => {
    const { actions } = await mountTimeline(
        page([entry(3), entry(4, { key: "change-1", model: "res.partner", res_id: 7 })])
    );
    expect(".o_oda_timeline_entry button").toHaveCount(1);
    await click(".o_oda_timeline_entry button");
    await settle();
    expect(actions).toEqual([
        {
            type: "ir.actions.act_window",
            res_model: "oda.consultation.session",
            res_id: 3,
            views: [[false, "form"]],
        },
    ]);
});

test("an addon draws its own kind", async () => {
    class Call extends Component {
        static template = xml`<em t-esc="props.entry.data.length"/>`;
        static props = ["entry"];
    }
    timelineEntries.add("test_call", Call);
    await mountTimeline(page([entry(0, { kind: "test_call", data: { length: "4 min" } })]));
    timelineEntries.remove("test_call");
    expect(".o_oda_timeline_entry em").toHaveText("4 min");
    expect(".o_oda_timeline_entry i").toHaveAttribute("aria-label", "test_call");
});
