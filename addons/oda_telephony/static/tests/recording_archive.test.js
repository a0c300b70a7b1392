import { describe, expect, test } from "@odoo/hoot";
import { animationFrame } from "@odoo/hoot-mock";
import { defineMailModels } from "@mail/../tests/mail_test_helpers";
import {
    defineModels,
    fields,
    getService,
    models,
    mountView,
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
    const bus = getService("bus_service");
    const tell = (news) => bus.trigger?.("oda_telephony.archive", news);
    OdaRecordingArchive._records[0].state = "done";
    const { env } = await import("@odoo/hoot").then(() => ({ env: null }));
    expect(env).toBe(null);
    tell({ id: 8, state: "running", progress: 99 });
    await animationFrame();
    expect("[role=progressbar]").toHaveAttribute("aria-valuenow", "10");
});
