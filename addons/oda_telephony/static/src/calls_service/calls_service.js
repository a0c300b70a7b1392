import { browser } from "@web/core/browser/browser";
import { registry } from "@web/core/registry";
import { CallsStore } from "./calls_store";

/**
 * Keeps the calls that concern this person, from the bus, in one reactive store
 * that the call pop and the systray show.
 */
export const callsService = {
    dependencies: ["action", "bus_service", "orm"],

    start(env, { action, bus_service: bus, orm }) {
        const store = new CallsStore(
            // Silent: the person did not ask, so nothing should look busy.
            (method, ...args) => orm.silent.call("oda.call", method, args),
            (act) => action.doAction(act)
        );
        bus.subscribe("oda_telephony.call", (payload) => store.onPush(payload));
        bus.addEventListener("BUS:RECONNECT", () => store.reconnect());
        browser.addEventListener("online", () => store.reconnect());
        bus.start();
        store.reload(); // not awaited: the web client must not wait for us
        return store;
    },
};

registry.category("services").add("oda_telephony.calls", callsService);
