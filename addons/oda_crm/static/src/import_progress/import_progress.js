import { Component, onMounted, onWillUnmount, useState } from "@odoo/owl";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { standardWidgetProps } from "@web/views/widgets/standard_widget_props";

const PAUSE = 1500; // ms
const BUSY = ["reading", "running"];

/** How far an import is; the form is read again when it is over. */
export class ImportProgress extends Component {
    static template = "oda_crm.ImportProgress";
    static props = { ...standardWidgetProps };

    setup() {
        this.orm = useService("orm");
        this.state = useState({ percent: this.props.record.data.progress || 0 });
        onMounted(() => this.wait());
        onWillUnmount(() => clearTimeout(this.timer));
    }

    wait() {
        this.timer = setTimeout(() => this.ask(), PAUSE);
    }

    async ask() {
        const record = this.props.record;
        const before = record.data.state;
        if (BUSY.includes(before) && record.resId) {
            try {
                const now = await this.orm.silent.call("oda.import", "get_progress", [
                    [record.resId],
                ]);
                this.state.percent = now.percent;
                if (now.state !== before) {
                    await record.load();
                    return;
                }
            } catch {
                // the connection comes back; the import goes on without us
            }
        }
        this.wait();
    }
}

registry.category("view_widgets").add("oda_import_progress", {
    component: ImportProgress,
    fieldDependencies: [
        { name: "state", type: "selection" },
        { name: "progress", type: "integer" },
    ],
});
