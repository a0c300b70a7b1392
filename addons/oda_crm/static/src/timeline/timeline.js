import { Component, onWillStart, onWillUpdateProps, useEffect, useRef, useState } from "@odoo/owl";
import { deserializeDateTime, formatDateTime } from "@web/core/l10n/dates";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { KeepLast } from "@web/core/utils/concurrency";
import { standardWidgetProps } from "@web/views/widgets/standard_widget_props";

const PAGE = 30;
/** kind -> component that draws what is special to it; props: `entry`. */
export const timelineEntries = registry.category("oda_timeline_entries");

/**
 * Everything that happened with a record, newest first. Mounted only when its page is
 * shown, and asks the server only then.
 */
export class Timeline extends Component {
    static template = "oda_crm.Timeline";
    static props = { resModel: String, resId: Number };

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.keepLast = new KeepLast();
        this.end = useRef("end");
        this.state = useState({
            entries: [],
            kinds: [],
            chosen: [],
            next: false,
            loading: false,
            failed: false,
        });
        onWillStart(() => this.reload());
        onWillUpdateProps((next) => {
            const { resModel, resId } = this.props;
            if (next.resId !== resId || next.resModel !== resModel) {
                return this.reload(next);
            }
        });
        useEffect(
            (end) => {
                if (!end) {
                    return;
                }
                const observer = new IntersectionObserver(
                    (seen) => seen.some((one) => one.isIntersecting) && this.more(),
                    { rootMargin: "200px" }
                );
                observer.observe(end);
                return () => observer.disconnect();
            },
            () => [this.end.el, this.state.entries.length]
        );
    }

    async fetch(props, before) {
        this.state.loading = true;
        this.state.failed = false;
        try {
            return await this.keepLast.add(
                this.orm.silent.call(props.resModel, "oda_timeline_page", [[props.resId]], {
                    before,
                    limit: PAGE,
                    kinds: this.state.chosen.length ? [...this.state.chosen] : null,
                })
            );
        } catch (error) {
            this.state.failed = error.data?.message || _t("The history could not be read.");
        } finally {
            this.state.loading = false;
        }
    }

    async reload(props = this.props) {
        const page = await this.fetch(props, null);
        if (page) {
            Object.assign(this.state, page);
        }
    }

    async more() {
        if (!this.state.next || this.state.loading) {
            return;
        }
        const page = await this.fetch(this.props, this.state.next);
        if (page) {
            this.state.entries.push(...page.entries);
            this.state.next = page.next;
        }
    }

    toggle(kind) {
        const { chosen } = this.state;
        this.state.chosen = chosen.includes(kind)
            ? chosen.filter((one) => one !== kind)
            : [...chosen, kind];
        return this.reload();
    }

    /** Entries under the day they belong to, in the user's zone and language. */
    get days() {
        const days = [];
        for (const entry of this.state.entries) {
            const at = deserializeDateTime(entry.at);
            const day = at.toLocaleString({
                weekday: "long",
                day: "numeric",
                month: "long",
                year: "numeric",
            });
            if (days.at(-1)?.day !== day) {
                days.push({ day, entries: [] });
            }
            days.at(-1).entries.push({
                ...entry,
                time: at.toFormat("HH:mm"),
                moment: formatDateTime(at),
            });
        }
        return days;
    }

    icon(kind) {
        return this.state.kinds.find((one) => one.kind === kind)?.icon || "fa-circle-o";
    }

    label(kind) {
        return this.state.kinds.find((one) => one.kind === kind)?.label || kind;
    }

    component(kind) {
        return timelineEntries.get(kind, null);
    }

    canOpen(entry) {
        const { resModel, resId } = this.props;
        return entry.model && !(entry.model === resModel && entry.res_id === resId);
    }

    open(entry) {
        return this.action.doAction({
            type: "ir.actions.act_window",
            res_model: entry.model,
            res_id: entry.res_id,
            views: [[false, "form"]],
        });
    }
}

/** `<widget name="oda_timeline"/>` on the form of a beneficiary or a consultation. */
export class TimelineWidget extends Component {
    static template = "oda_crm.TimelineWidget";
    static components = { Timeline };
    static props = { ...standardWidgetProps };
}

registry.category("view_widgets").add("oda_timeline", { component: TimelineWidget });
