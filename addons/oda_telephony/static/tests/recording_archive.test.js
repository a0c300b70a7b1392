import { describe, expect, test } from "@odoo/hoot";
import { animationFrame, Deferred, tick } from "@odoo/hoot-mock";
import { defineMailModels, start, startServer } from "@mail/../tests/mail_test_helpers";
import {
    allowTranslations,
    defineModels,
    fields,
    getService,
    MockServer,
    models,
    serverState,
} from "@web/../tests/web_test_helpers";
import { sayBytes } from "@oda_telephony/recording_archive/recording_archive";

describe.current.tags("desktop");

class OdaRecordingArchive extends models.Model {
    _name = "oda.recording.archive";

    state = fields.Selection({
        selection: [
            ["running", "Being made"],
            ["done", "Ready"],
        ],
    });
    progress = fields.Integer();
    total_bytes = fields.Float();
    url = fields.Char();

    _records = [{ id: 7, state: "running", progress: 10, total_bytes: 1536, url: "/x/7/1" }];
    _views = {
        search: "<search/>",
        form: `<form>
            <widget name="oda_archive_progress" invisible="state != 'running'"/>
            <widget name="oda_archive_sums" invisible="state != 'done'"/>
            <field name="state"/><field name="total_bytes" widget="oda_bytes" readonly="1"/>
            <field name="url" widget="oda_archive_download"/>
        </form>`,
    };
}
defineMailModels();
defineModels([OdaRecordingArchive]);

/** The server tells the browser how far an archive is. */
async function tell(news) {
    const { env } = MockServer;
    const [partner] = env["res.partner"].read(serverState.partnerId);
    const received = new Deferred();
    const onReceived = () => received.resolve();
    const bus = getService("bus_service");
    bus.subscribe("oda_telephony.archive", onReceived);
    env["bus.bus"]._sendone(partner, "oda_telephony.archive", news);
    await received;
    bus.unsubscribe("oda_telephony.archive", onReceived);
    for (let i = 0; i < 5; i++) {
        await tick();
    }
    await animationFrame();
}

test("bytes as people read them", () => {
    allowTranslations();
    expect(sayBytes(0)).toBe("0 B");
    expect(sayBytes(false)).toBe("0 B");
    expect(sayBytes(1536)).toBe("1.5 KB");
    expect(sayBytes(20 * 1024 ** 3)).toBe("20 GB");
});

test("progress comes by the bus, and the form follows when it is over", async () => {
    await startServer();
    await start();
    await getService("bus_service").start(); // what is sent before is lost
    await getService("action").doAction({
        type: "ir.actions.act_window",
        res_model: "oda.recording.archive",
        res_id: 7,
        views: [[false, "form"]],
    });
    expect("[role=progressbar]").toHaveAttribute("aria-valuenow", "10");
    expect("[name=total_bytes]").toHaveText("1.5 KB");
    expect("[name=url] a").toHaveAttribute("href", "/x/7/1");
    await tell({ id: 8, state: "running", progress: 99 });
    expect("[role=progressbar]").toHaveAttribute("aria-valuenow", "10");
    await tell({ id: 7, state: "running", progress: 55 });
    expect("[role=progressbar]").toHaveAttribute("aria-valuenow", "55");
    MockServer.env["oda.recording.archive"].write([7], { state: "done" });
    await tell({ id: 7, state: "done", progress: 100 });
    await animationFrame();
    expect("[role=progressbar]").toHaveCount(0);
    expect("a[href$='/sums']").toHaveCount(1);
});
