import { describe, expect, test } from "@odoo/hoot";
import { click } from "@odoo/hoot-dom";
import { mockService } from "@web/../tests/web_test_helpers";
import {
    defineTelephonyModels,
    notify,
    settle,
    startWithCalls,
} from "./oda_telephony_test_helpers";

describe.current.tags("desktop");
defineTelephonyModels();

const NEWS = { id: 5, name: "Ion Munteanu", phone: "+373 69 123 456", missed: 2 };

const tell = (values) => notify({ ...NEWS, ...values }, "oda_telephony.callback");

test("somebody waits: who, and a way there", async () => {
    mockService("action", {
        doAction(action) {
            expect.step(`${action.res_model},${action.res_id}`);
        },
    });
    await startWithCalls();
    await tell();
    expect(".o_notification").toHaveText(/Ion Munteanu, \+373 69 123 456/);
    await click(".o_notification_buttons button");
    await settle();
    expect.verifySteps(["oda.callback,5"]);
    expect(".o_notification").toHaveCount(0);
});

test("the same caller again replaces the notice, others stand beside", async () => {
    await startWithCalls();
    await tell();
    await tell();
    expect(".o_notification").toHaveCount(1);
    await tell({ id: 6, name: "<b>Maria</b>" });
    expect(".o_notification").toHaveCount(2);
    expect(".o_notification b").toHaveCount(0);
    await tell({ id: 6, over: true });
    expect(".o_notification").toHaveCount(1, { message: "somebody has called" });
});

test("several at once are one notice", async () => {
    mockService("action", {
        doAction(action) {
            expect.step(action);
        },
    });
    await startWithCalls();
    await tell({ rows: 4 });
    expect(".o_notification").toHaveText(/4 callers wait for your call/);
    await click(".o_notification_buttons button");
    await settle();
    expect.verifySteps(["oda_telephony.action_oda_callback"]);
});
