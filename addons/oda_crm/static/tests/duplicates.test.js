import { describe, expect, test } from "@odoo/hoot";
import { click, queryAllTexts } from "@odoo/hoot-dom";
import { advanceTime, animationFrame, Deferred, tick } from "@odoo/hoot-mock";
import { defineMailModels } from "@mail/../tests/mail_test_helpers";
import {
    contains,
    defineModels,
    fields,
    mockService,
    models,
    mountView,
    onRpc,
} from "@web/../tests/web_test_helpers";
import { WAIT } from "@oda_crm/duplicates/duplicates";

describe.current.tags("desktop");

/** The card of a beneficiary, with what the widget looks at. */
class Card extends models.Model {
    _name = "test.card";

    name = fields.Char();
    phone = fields.Char();
    email = fields.Char();
    oda_idnp = fields.Char();
    oda_idno = fields.Char();
    is_company = fields.Boolean();

    _records = [{ id: 1, name: "Ion" }];
}
defineMailModels();
defineModels([Card]);

const ARCH = `
    <form>
        <widget name="oda_duplicates"/>
        <field name="name"/><field name="phone"/><field name="email"/>
        <field name="oda_idnp"/><field name="oda_idno"/><field name="is_company"/>
    </form>`;
const FOUND = { id: 41, name: "Ion <b>M</b>", active: true, reasons: ["phone", "name"] };

async function openCard(answer, resId) {
    const asked = [];
    onRpc("res.partner", "oda_find_duplicates", async ({ args }) => {
        asked.push(args[0]);
        return answer(asked.length);
    });
    const actions = [];
    mockService("action", {
        doAction: async (action) => actions.push(action),
        loadState: async () => {},
    });
    await mountView({ resModel: "test.card", type: "form", arch: ARCH, resId });
    return { asked, actions };
}

async function rest(delay = WAIT) {
    await advanceTime(delay);
    for (let i = 0; i < 5; i++) {
        await tick();
    }
    await animationFrame();
}

test("asked once the typing rests, with all that is known", async () => {
    const { asked } = await openCard(() => [FOUND]);
    await contains("[name=name] input").edit("Ion", { confirm: "blur" });
    await contains("[name=phone] input").edit("069111222", { confirm: "blur" });
    await rest();
    expect(asked.length).toBe(1);
    expect(asked[0].name).toBe("Ion");
    expect(asked[0].phone).toBe("069111222");
    expect(asked[0].id).toBe(false);
    expect(".o_oda_duplicates button[name=open]").toHaveText("Ion <b>M</b>");
    expect(".o_oda_duplicates").toHaveText(/same phone, similar name/);
    expect("button[name=merge]").toHaveCount(0);
});

test("a card that is only read is not asked about", async () => {
    const { asked } = await openCard(() => [FOUND], 1);
    await rest();
    expect(asked).toEqual([]);
    expect(".o_oda_duplicates").toHaveCount(0);
    await contains("[name=email] input").edit("a@example.com", { confirm: "blur" });
    await rest();
    expect(asked.length).toBe(1);
    expect(asked[0].id).toBe(1);
    expect("button[name=merge]").toHaveCount(1);
});

test("an answer to what is no longer typed is not shown", async () => {
    const late = new Deferred();
    await openCard((number) => (number === 1 ? late : []));
    await contains("[name=name] input").edit("Ion", { confirm: "blur" });
    await rest();
    await contains("[name=name] input").edit("Maria", { confirm: "blur" });
    await rest();
    late.resolve([FOUND]);
    await rest();
    expect(".o_oda_duplicates").toHaveCount(0);
});

test("a card out of sight is only said to exist", async () => {
    await openCard(() => [{ id: false, hidden: true, reasons: ["idnp"] }]);
    await contains("[name=oda_idnp] input").edit("2000000000004", { confirm: "blur" });
    await rest();
    expect(".o_oda_duplicates").toHaveText(/may not see/);
    expect(".o_oda_duplicates").toHaveText(/same IDNP/);
    expect(".o_oda_duplicates button[name]").toHaveCount(0);
});

test("said to be another person, it stays away until something is typed", async () => {
    await openCard(() => [FOUND]);
    await contains("[name=name] input").edit("Ion", { confirm: "blur" });
    await rest();
    await click(".o_oda_duplicates .btn-close");
    await animationFrame();
    expect(".o_oda_duplicates").toHaveCount(0);
    await contains("[name=phone] input").edit("069111222", { confirm: "blur" });
    await rest();
    expect(".o_oda_duplicates").toHaveCount(1);
});

test("a server that does not answer stops nobody", async () => {
    await openCard(() => {
        throw new Error("down");
    });
    await contains("[name=name] input").edit("Ion", { confirm: "blur" });
    await rest();
    expect(".o_oda_duplicates").toHaveCount(0);
    expect("[name=name] input").toHaveValue("Ion");
});

test("open and merge", async () => {
    onRpc("res.partner", "oda_merge_with", ({ args }) => {
        expect.step(`merge ${JSON.stringify(args)}`);
        return { type: "merged" };
    });
    const { actions } = await openCard(() => [FOUND], 1);
    await contains("[name=phone] input").edit("069111222", { confirm: "blur" });
    await rest();
    await click("button[name=open]");
    await rest(0);
    expect(actions.at(-1).res_id).toBe(41);
    await click("button[name=merge]");
    await rest(0);
    expect.verifySteps(["merge [[1],41]"]);
    expect(actions.at(-1)).toEqual({ type: "merged" });
    expect(queryAllTexts(".o_oda_duplicates strong")).toEqual(["Maybe already here:"]);
});
