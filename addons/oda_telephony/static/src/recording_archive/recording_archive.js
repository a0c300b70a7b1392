import { Component, onWillUnmount, useState, xml } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { floatField, FloatField } from "@web/views/fields/float/float_field";
import { standardFieldProps } from "@web/views/fields/standard_field_props";
import { standardWidgetProps } from "@web/views/widgets/standard_widget_props";

/**
 * Bytes as people read them: 1536 -> "1.5 KB".
 *
 * @param {number|false} bytes
 * @returns {string}
 */
export function sayBytes(bytes) {
    const units = [_t("B"), _t("KB"), _t("MB"), _t("GB"), _t("TB")];
    let value = bytes || 0;
    let unit = 0;
    while (value >= 1024 && unit < units.length - 1) {
        value /= 1024;
        unit++;
    }
    const digits = unit && value < 10 ? 1 : 0;
    const number = value.toLocaleString(undefined, { maximumFractionDigits: digits });
    return `${number} ${units[unit]}`;
}

/** A number of bytes, to read only. */
export class BytesField extends FloatField {
    get formattedValue() {
        return sayBytes(this.value);
    }
}

registry.category("fields").add("oda_bytes", {
    ...floatField,
    component: BytesField,
    displayName: _t("Size"),
});

/** The button that takes a part of an archive. */
export class ArchiveDownload extends Component {
    static props = standardFieldProps;
    static template = xml`
        <a t-if="url" t-att-href="url" class="btn btn-secondary btn-sm" download="" t-on-click.stop="">
            <i class="fa fa-download me-1" role="presentation"/><t t-esc="label"/>
        </a>`;

    get url() {
        return this.props.record.data[this.props.name];
    }

    get label() {
        return _t("Download");
    }
}

registry.category("fields").add("oda_archive_download", {
    component: ArchiveDownload,
    displayName: _t("Download"),
    supportedTypes: ["char"],
    listViewWidth: [110, 140],
});

/** The checksums of all parts, as a file. */
export class ArchiveSums extends Component {
    static props = standardWidgetProps;
    static template = xml`
        <a t-if="props.record.resId" t-attf-href="/oda/recording/archive/{{props.record.resId}}/sums" download="">
            <i class="fa fa-check-square-o me-1" role="presentation"/><t t-esc="label"/>
        </a>`;

    get label() {
        return _t("Checksums of all files (SHA-256)");
    }
}

registry.category("view_widgets").add("oda_archive_sums", { component: ArchiveSums });

/** How far an archive is; the form is read again when it is over. */
export class ArchiveProgress extends Component {
    static props = standardWidgetProps;
    static template = xml`
        <div class="progress w-100 mb-3" role="progressbar" t-att-aria-label="label" aria-valuemin="0" aria-valuemax="100" t-att-aria-valuenow="state.progress">
            <div class="progress-bar" t-attf-style="width: {{ state.progress }}%"><t t-esc="state.progress"/> %</div>
        </div>`;

    setup() {
        const bus = useService("bus_service");
        this.state = useState({ progress: this.props.record.data.progress || 0 });
        const heard = (news) => this.onNews(news);
        bus.subscribe("oda_telephony.archive", heard);
        onWillUnmount(() => bus.unsubscribe("oda_telephony.archive", heard));
    }

    get label() {
        return _t("Progress of the archive");
    }

    async onNews(news) {
        if (news.id !== this.props.record.resId) {
            return;
        }
        this.state.progress = news.progress;
        if (news.state !== "running") {
            await this.props.record.load();
        }
    }
}

registry.category("view_widgets").add("oda_archive_progress", {
    component: ArchiveProgress,
    fieldDependencies: [{ name: "progress", type: "integer" }],
});
