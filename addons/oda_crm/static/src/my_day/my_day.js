import {
    Component,
    onMounted,
    onWillStart,
    onWillUnmount,
    useExternalListener,
    useRef,
    useState,
} from "@odoo/owl";
import { browser } from "@web/core/browser/browser";
import { deserializeDateTime } from "@web/core/l10n/dates";
import { registry } from "@web/core/registry";
import { useBus, useService } from "@web/core/utils/hooks";
import { useDebounced } from "@web/core/utils/timing";
import { Layout } from "@web/search/layout";
import { standardActionServiceProps } from "@web/webclient/actions/action_service";
import { DayFlows } from "./day_flows";
import { DayLane } from "./day_lane";
import { DayTeam } from "./day_team";

const VIEW_KEY = "oda_crm.my_day.view";
/** Time itself changes the page: calls become due, others become late. */
const TICK = 60_000;
/** News of one deed come in bunches. */
const CALM = 400;

/** Kinds of bus messages after which the day looks different; addons add theirs. */
export const dayNews = registry.category("oda_my_day_news");
dayNews
    .add("mail.activity/updated", true)
    .add("oda_crm.next_step", true)
    .add("oda_crm.stale", true);

/** What draws a view that has no lanes: a component with the prop `day`; addons add theirs. */
export const dayLooks = registry.category("oda_my_day_looks");
dayLooks.add("team", DayTeam).add("flows", DayFlows);

/** "My day": the page a working day begins with. See `oda.my.day`. */
export class MyDay extends Component {
    static template = "oda_crm.MyDay";
    static components = { DayLane, Layout };
    static props = { ...standardActionServiceProps };

    setup() {
        this.orm = useService("orm");
        this.root = useRef("root");
        this.display = { controlPanel: {} };
        this.limits = {};
        this.kinds = {};
        this.asked = 0;
        this.state = useState({ day: null, failed: false });
        this.refresh = useDebounced(() => this.load(), CALM);
        const bus = useService("bus_service");
        const news = dayNews.getEntries().map(([kind]) => kind);
        onWillStart(() => this.load(browser.localStorage.getItem(VIEW_KEY) || undefined));
        onMounted(() => {
            news.forEach((kind) => bus.subscribe(kind, this.refresh));
            this.tick = browser.setInterval(() => this.onTick(), TICK);
        });
        onWillUnmount(() => {
            news.forEach((kind) => bus.unsubscribe(kind, this.refresh));
            browser.clearInterval(this.tick);
            browser.clearTimeout(this.midnight);
        });
        useBus(bus, "BUS:RECONNECT", this.refresh);
        this.onTick = () => document.visibilityState === "visible" && this.load();
        useExternalListener(document, "visibilitychange", () => this.onTick());
    }

    /** @returns {typeof Component | null} null: lanes */
    get look() {
        return dayLooks.get(this.state.day.view, null);
    }

    get today() {
        const { now } = this.state.day;
        return deserializeDateTime(now).toLocaleString({
            weekday: "long",
            day: "numeric",
            month: "long",
        });
    }

    async load(view = this.state.day?.view) {
        const asked = ++this.asked;
        let day;
        try {
            day = await this.orm.silent.call("oda.my.day", "oda_my_day", [
                view,
                this.limits,
                this.kinds,
            ]);
        } catch (error) {
            if (!this.state.day) {
                throw error; // the first time the person is told why
            }
            this.state.failed = true; // what was shown stays
            return;
        }
        // an answer that was overtaken by another one says nothing new
        if (asked === this.asked) {
            this.state.day = day;
            this.state.failed = false;
            this.waitForMidnight(day);
        }
    }

    /** By the server's clock: this one may be wrong. */
    waitForMidnight({ now, ends }) {
        browser.clearTimeout(this.midnight);
        const left = deserializeDateTime(ends).diff(deserializeDateTime(now)).toMillis();
        this.midnight = browser.setTimeout(() => {
            this.limits = {};
            this.load();
        }, left + 1000);
    }

    async choose(view) {
        browser.localStorage.setItem(VIEW_KEY, view);
        await this.load(view);
    }

    async more(lane) {
        this.limits[lane.key] = Math.min(lane.entries.length + 20, lane.most);
        await this.load();
    }

    async filter(lane, kind) {
        if (kind) {
            this.kinds[lane.key] = kind;
        } else {
            delete this.kinds[lane.key];
        }
        delete this.limits[lane.key];
        await this.load();
    }

    /** Up and down go from one entry to the next, whatever lane it is in. */
    onKeydown(ev) {
        if (!["ArrowDown", "ArrowUp"].includes(ev.key) || ev.target.closest("select, input")) {
            return;
        }
        const stops = [...this.root.el.querySelectorAll(".o_oda_day_open")];
        const at = stops.indexOf(ev.target.closest(".o_oda_day_entry")?.querySelector(".o_oda_day_open"));
        const next = stops[at + (ev.key === "ArrowDown" ? 1 : -1)];
        if (at >= 0 && next) {
            ev.preventDefault();
            next.focus();
        }
    }
}

registry.category("actions").add("oda_crm.my_day", MyDay);
