import { mailModels, start, startServer } from "@mail/../tests/mail_test_helpers";
import {
    defineModels,
    getService,
    MockServer,
    patchWithCleanup,
    serverState,
} from "@web/../tests/web_test_helpers";
import { ConnectionLostError, rpc } from "@web/core/network/rpc";
import { animationFrame } from "@odoo/hoot-dom";
import { Deferred, tick } from "@odoo/hoot-mock";
import { OdaCall } from "./mock_server/oda_call";
import { OdaPbxUser } from "./mock_server/oda_pbx_user";

const { DateTime } = luxon;

export function defineTelephonyModels() {
    return defineModels({ ...mailModels, OdaCall, OdaPbxUser });
}

/** @param {number} [ago] seconds; @returns {string} as the server writes a moment */
export function utc(ago = 0) {
    return DateTime.utc().minus({ seconds: ago }).toFormat("yyyy-LL-dd HH:mm:ss");
}

/** @returns {Object} the card of a known caller whose call rings for 7 s */
export function makeCard(values = {}) {
    return {
        id: 1,
        version: 1,
        state: "ringing",
        direction: "in",
        phone: { raw: "37369123456", display: "+373 69 123 456", locality: "" },
        started_at: utc(7),
        answered_at: false,
        ended_at: false,
        server_now: utc(),
        partner: {
            id: serverState.partnerId,
            name: "Ion Munteanu",
            company: "Bakery SRL",
            is_new: false,
        },
        candidates: [],
        last: false,
        lead: false,
        earlier: [],
        routed: "",
        session: false,
        recording: false,
        ...values,
    };
}

/** Start the web client with these calls already on the server. */
export async function startWithCalls(...cards) {
    const pyEnv = await startServer();
    for (const card of cards) {
        pyEnv["oda.call"].cards.set(card.id, card);
    }
    await start();
    await getService("bus_service").start(); // what is sent before is lost
    await settle();
    return pyEnv["oda.call"];
}

export async function settle() {
    for (let i = 0; i < 5; i++) {
        await tick();
    }
    await animationFrame();
    await animationFrame();
}

/** The server writes a card and tells the person's browser. */
export async function push(values) {
    const { env } = MockServer;
    const card = makeCard({ ...env["oda.call"].cards.get(values.id ?? 1), ...values });
    if (card.state === "gone") {
        env["oda.call"].cards.delete(card.id);
    } else {
        env["oda.call"].cards.set(card.id, card);
    }
    await notify({ id: card.id, version: card.version, state: card.state });
}

/** Only the bus message. */
export async function notify(payload, type = "oda_telephony.call") {
    const { env } = MockServer;
    const [partner] = env["res.partner"].read(serverState.partnerId);
    const bus = getService("bus_service");
    const received = new Deferred();
    const onReceived = () => received.resolve();
    bus.subscribe(type, onReceived);
    env["bus.bus"]._sendone(partner, type, payload);
    await received;
    bus.unsubscribe(type, onReceived);
    await settle();
}

/** @returns {{down: boolean}} set `down` to cut the way to `oda.call` */
export function makeNetwork() {
    const network = { down: false };
    const original = rpc._rpc;
    patchWithCleanup(rpc, {
        _rpc(url) {
            if (network.down && url.includes("/oda.call/")) {
                return Promise.reject(new ConnectionLostError(url));
            }
            return original(...arguments);
        },
    });
    return network;
}

/** @returns {import("@oda_telephony/calls_service/calls_store").CallsStore} */
export function getStore() {
    return getService("oda_telephony.calls");
}
