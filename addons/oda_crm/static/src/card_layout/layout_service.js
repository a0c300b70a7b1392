import { browser } from "@web/core/browser/browser";
import { _t } from "@web/core/l10n/translation";
import { rpcBus } from "@web/core/network/rpc";
import { registry } from "@web/core/registry";
import { isBusy } from "./busy";

/** What the web client keeps, in memory and on disk, of how models are drawn. */
const TABLES = ["get_views", "fields_get"];
/** How long to wait for somebody to finish what they are typing, in ms. */
const AGAIN = 2000;

/**
 * An administrator changed what cards show: forget the views that are kept, and draw
 * the card again, at once where nobody is in the middle of something, else when done.
 */
export const layoutService = {
    dependencies: ["action", "bus_service", "notification"],
    start(env, { action, bus_service: bus, notification }) {
        let timer = null;
        let told = null;

        /** Only cards and their kanban are drawn by the layout. */
        function isCard(controller) {
            return (
                controller?.props?.resModel === "crm.lead" &&
                ["form", "kanban"].includes(controller.view?.type)
            );
        }

        /** What the note says; the layout's change is the one that is seen. */
        let words = "";

        async function tryReload() {
            browser.clearTimeout(timer);
            timer = null;
            if (!isCard(action.currentController)) {
                return stop();
            }
            if (await isBusy()) {
                told ||= words && notification.add(words, { type: "info", sticky: false });
                browser.clearTimeout(timer);
                timer = browser.setTimeout(tryReload, AGAIN);
                return;
            }
            stop();
            await action.doAction("soft_reload");
        }

        function stop() {
            browser.clearTimeout(timer);
            timer = told = null;
            words = "";
        }

        bus.subscribe("oda.layout", () => {
            rpcBus.trigger("CLEAR-CACHES", TABLES);
            words = _t("What the card shows was changed: it will be drawn anew as soon as you are done here.");
            return tryReload();
        });

        // Stages and what they ask for: the line of an open card redraws by itself, the
        // rest (columns, the bar of stages, questions) waits until nobody is typing.
        bus.subscribe("oda.flow", () => tryReload());
    },
};

registry.category("services").add("oda_crm.layout", layoutService);
