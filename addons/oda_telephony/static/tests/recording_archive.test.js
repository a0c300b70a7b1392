import { describe, expect, test } from "@odoo/hoot";
import { animationFrame } from "@odoo/hoot-mock";
import { defineMailModels } from "@mail/../tests/mail_test_helpers";
import {
    defineModels,
    fields,
    getService,
    MockServer,
    models,
    mountView,
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
}
defineMailModels();
defineModels([OdaRecordingArchive]);

const ARCH = `<form>
    <widget name="oda_archive_progress" invisible="state != 'running'"/>
    <widget name="oda_archive_sums" invisible="state != 'done'"/>
    <field name="state"/><field name="total_bytes" widget="oda_bytes" readonly="1"/>
    <field name="url" widget="oda_archive_download"/>
</form>`;

test("bytes as people read them", () => {
    expect(sayBytes(0)).toBe("0 B");
    expect(sayBytes(false)).toBe("0 B");
    expect(sayBytes(1536)).toBe("1.5 KB");
    expect(sayBytes(20 * 1024 ** 3)).toBe("20 GB");
});

test("progress comes by the bus, and the form follows when it is over", async () => {
    await mountView({ resModel: "oda.recording.archive", type: "form", resId: 7, arch: ARCH });
    expect("[role=progressbar]").toHaveAttribute("aria-valuenow", "10");
    expect("[name=total_bytes]").toHaveText("1.5 KB");
    expect("a.btn").toHaveAttribute("href", "/x/7/1");
    await getService("bus_service").start(); // what is sent before is lost
    const { env } = MockServer;
    const [partner] = env["res.partner"].browse(serverState.partnerId);
    getService("bus_service").subscribe("oda_telephony.archive", (news) =>
        expect.step(`${news.id}: ${news.progress}`)
    );
    const tell = (news) => env["bus.bus"]._sendone(partner, "oda_telephony.archive", news);
    tell({ id: 8, state: "running", progress: 99 });
    tell({ id: 7, state: "running", progress: 55 });
    await expect.waitForSteps(["8: 99", "7: 55"]);
    await animationFrame();
    expect("[role=progressbar]").toHaveAttribute("aria-valuenow", "55");
    env["oda.recording.archive"].write([7], { state: "done" });
    tell({ id: 7, state: "done", progress: 100 });
    await expect.waitForSteps(["7: 100"]);
    await animationFrame();
    await animationFrame();
    expect("[role=progressbar]").toHaveCount(0);
    expect("a[href$='/sums']").toHaveCount(1);
});
