// License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
// Panel of the PBX double: who calls whom, the live calls, what Odoo was told.
import { h, showLength, showPhone, showTime, sync } from "../dom.js";
import { advanced, renderAdvanced } from "./moldcell_settings.js";

const API = "/api/moldcell";
const DEFAULT_PHONE = "+373 69 123 456";
const RESULT = {
    Success: "Vorbit",
    Missed: "Pierdut",
    Cancel: "Renunțat",
    Busy: "Ocupat",
    NotAvailable: "Nu a răspuns",
    NotAllowed: "Nepermis",
    NotFound: "Număr inexistent",
};
const STATE = {
    routing: "Întreabă Odoo",
    manager: "Sună la angajat",
    ringing: "Sună",
    talking: "Se vorbește",
};
const LEG = { ringing: "sună", talking: "vorbește", lost: "a luat altul", done: "închis" };

let tools, last, form, calls, log, empty, logEmpty, asked, askedHead;

export function mount(root, given, state) {
    tools = given;
    last = state;
    form = orderForm(state);
    calls = h("div", { class: "stack" });
    empty = h(
        "p",
        { class: "empty" },
        "Niciun apel încă. Apăsați „Sună” sau alegeți un scenariu.",
    );
    log = h("ol", { class: "log" });
    logEmpty = h("p", { class: "empty" }, "Aici apare fiecare mesaj trimis spre Odoo.");
    asked = h("ol", { class: "log" });
    askedHead = h("h3", {}, "Cerut de Odoo");
    root.append(
        h(
            "div",
            { class: "columns" },
            h("div", { class: "column side" }, form, advanced(state, tools, API)),
            h("div", { class: "column" }, h("h3", {}, "Apeluri"), empty, calls),
            h(
                "div",
                { class: "column" },
                h("h3", {}, "Trimis spre Odoo"),
                logEmpty,
                log,
                askedHead,
                asked,
            ),
        ),
    );
    setInterval(() => render(last), 500);
}

export function render(state) {
    last = state;
    empty.hidden = state.calls.length > 0;
    logEmpty.hidden = state.pushes.length > 0;
    sync(calls, state.calls, (call) => call.callid, callSign, callCard);
    sync(log, state.pushes, (push) => push.n, (push) => JSON.stringify(push), pushRow);
    askedHead.hidden = state.requests.length === 0;
    sync(asked, state.requests, (row) => row.at, () => "", askedRow);
    for (const clock of calls.querySelectorAll("[data-since]")) {
        clock.textContent = showLength(tools.now() - Number(clock.dataset.since));
    }
    for (const node of calls.querySelectorAll("[data-until]")) {
        const left = Math.ceil(Number(node.dataset.until) - tools.now());
        node.textContent = `Înregistrarea apare peste ${left} s`;
    }
    renderAdvanced(state);
}

// -- making a call -------------------------------------------------------------

function orderForm(state) {
    const target = (value, label, note, checked = false) =>
        h(
            "label",
            { class: "chip" },
            h("input", { type: "radio", name: "to", value, checked }),
            h("span", {}, label, note ? h("small", {}, note) : null),
        );
    const node = h(
        "form",
        { class: "card", onsubmit: submitCall },
        h("h3", {}, "Clientul sună"),
        h("label", { class: "field-label", for: "moldcell-from" }, "De la numărul"),
        h("input", {
            id: "moldcell-from",
            name: "from",
            class: "phone",
            type: "tel",
            autocomplete: "off",
            value: DEFAULT_PHONE,
        }),
        h(
            "fieldset",
            { class: "chips" },
            h("legend", { class: "field-label" }, "Sună la"),
            target("", "Cum spune Odoo", "", true),
            state.users.map((user) => target(user.name, user.name, user.ext)),
            state.groups.map((group) => target(`group:${group.key}`, group.realName, "")),
        ),
        h("button", { type: "submit", class: "main" }, "Sună"),
        h(
            "div",
            { class: "chips", role: "group", "aria-label": "Scenarii" },
            h("p", { class: "field-label" }, "Sau un scenariu întreg, singur până la capăt"),
            state.scenarios.map((one) =>
                h(
                    "button",
                    { type: "button", class: "pill", onclick: () => order(one.name) },
                    one.label,
                ),
            ),
        ),
    );
    return node;
}

function submitCall(event) {
    event.preventDefault();
    order();
}

function order(scenario) {
    const data = { from: form.elements.from.value };
    const faults = [...document.querySelectorAll("input[name=fault]:checked")];
    data.faults = faults.map((input) => input.value);
    const to = form.elements.to.value;
    if (scenario) {
        data.scenario = scenario;
    } else if (to) {
        data.to = to;
    }
    tools.post(`${API}/call`, data).then((placed) => {
        // On a narrow screen the calls are below the form.
        if (placed) {
            calls.parentElement.scrollIntoView({ block: "nearest", behavior: "smooth" });
        }
    });
}

// -- a call --------------------------------------------------------------------

const isReady = (call) => call.link_ready && tools.now() >= call.link_ready;
const callSign = (call) => JSON.stringify([call, Boolean(isReady(call))]);

function callCard(call) {
    const over = call.state === "ended";
    const since = call.answered || call.started;
    const way = { in: "primit", out: "făcut de noi", internal: "intern" }[call.direction];
    return h(
        "article",
        { class: "card call", "data-state": over ? call.status : call.state },
        h(
            "header",
            {},
            h("strong", { class: "number" }, showPhone(call.phone)),
            h("span", { class: "badge" }, over ? RESULT[call.status] : STATE[call.state]),
            over
                ? h("span", { class: "clock" }, showTime(call.started))
                : h("span", { class: "clock", "data-since": since }, "0:00"),
        ),
        h("p", { class: "sub" }, [way, ...known(call)].join(" · ")),
        over ? ending(call) : legs(call),
        over ? null : actions(call),
        call.faults.length
            ? h("p", { class: "faults" }, call.faults.map((name) => h("code", {}, name)))
            : null,
    );
}

function known(call) {
    const words = [];
    if (call.root !== call.callid) {
        words.push("transfer");
    }
    if (call.contact) {
        const { ok, name, responsible } = call.contact;
        const nobody = ok ? "Odoo nu cunoaște numărul" : "Odoo nu a spus cine este";
        words.push(name ? `Odoo: ${name}` : nobody);
        if (responsible) {
            words.push(`responsabil ${responsible}`);
        }
    }
    return words;
}

function legs(call) {
    const canAnswer = call.state === "ringing" && call.direction !== "out";
    return h(
        "ul",
        { class: "legs" },
        call.legs.map((leg) =>
            h(
                "li",
                { "data-state": leg.state },
                h("span", {}, h("b", {}, leg.user), " ", LEG[leg.state]),
                canAnswer && leg.state === "ringing"
                    ? act(call, "Răspunde", "answer", { by: leg.user }, "good small")
                    : null,
            ),
        ),
    );
}

function act(call, label, verb, data = {}, style = "") {
    const path = `${API}/calls/${call.callid}/${verb}`;
    const onclick = () => tools.post(path, data);
    const name = data.by ? `${label} ca ${data.by}` : null;
    const props = { type: "button", class: style || null, "aria-label": name, onclick };
    return h("button", props, label);
}

function actions(call) {
    const out = call.direction === "out";
    const row = h("div", { class: "actions" });
    if (call.state === "talking") {
        row.append(act(call, "Închide", "hangup", {}, "bad"));
        row.append(act(call, "Clientul închide", "client_hangup"));
        row.append(transferMenu(call));
    } else if (out && call.state === "ringing") {
        const end = (label, status) => act(call, label, "client_hangup", { status });
        row.append(act(call, "Clientul răspunde", "answer", {}, "good"));
        row.append(end("Ocupat", "Busy"), end("Nu răspunde", "NotAvailable"));
        row.append(end("Inexistent", "NotFound"), act(call, "Renunță", "hangup", {}, "bad"));
    } else if (out) {
        row.append(act(call, "Renunță", "hangup", {}, "bad"));
    } else {
        row.append(act(call, "Clientul închide", "client_hangup"));
        row.append(act(call, "Respinge", "hangup", {}, "bad"));
    }
    return row;
}

function transferMenu(call) {
    const option = (value, label) => h("option", { value }, label);
    const others = last.users.filter((user) => user.name !== call.user);
    return h(
        "select",
        {
            "aria-label": "Transferă la",
            onchange: (event) =>
                tools.post(`${API}/calls/${call.callid}/transfer`, { to: event.target.value }),
        },
        option("", "Transferă la…"),
        others.map((user) => option(user.name, `${user.name} (${user.ext})`)),
        last.groups.map((group) => option(`group:${group.key}`, group.realName)),
    );
}

function ending(call) {
    const words =
        call.status === "Success"
            ? `${call.user}, ${showLength(call.duration)} de vorbit, ${call.wait} s de așteptat`
            : `A sunat ${call.wait} s`;
    let recording = null;
    if (call.link.startsWith("http://169.254.")) {
        recording = h("p", { class: "sub" }, call.link);
    } else if (isReady(call)) {
        const src = `/records/${call.callid}.mp3`;
        recording = h("audio", { controls: true, preload: "none", src });
    } else if (call.link) {
        recording = h("p", { class: "sub", "data-until": call.link_ready });
    }
    return h("div", {}, h("p", { class: "outcome" }, words), recording);
}

// -- the log -------------------------------------------------------------------

function pushRow(push, old) {
    const wasOpen = Boolean(old?.querySelector("details").open);
    const who = push.fields.user || showPhone(push.fields.phone || "");
    return h(
        "li",
        {},
        h(
            "details",
            { open: wasOpen },
            h(
                "summary",
                {},
                h("time", {}, showTime(push.at)),
                h("span", { class: "what" }, h("b", {}, push.what), " ", who, answerOf(push)),
                h("span", { class: "result", "data-state": push.state }, result(push)),
            ),
            h("pre", {}, details(push)),
        ),
    );
}

function askedRow(row) {
    const details = Object.entries(row.details).map(([name, value]) => `${name}=${value}`);
    return h(
        "li",
        { class: "row" },
        h("time", {}, showTime(row.at)),
        h("span", { class: "what" }, h("b", {}, row.cmd), " ", details.join(" ")),
        h("span", { class: "result", "data-state": row.status < 300 ? "sent" : "failed" }, row.status),
    );
}

function result(push) {
    const times = push.attempts > 1 ? ` ×${push.attempts}` : "";
    if (push.state === "lost") {
        return "pierdut";
    }
    if (push.status) {
        return `${push.status}${times} · ${push.ms} ms`;
    }
    return push.state === "waiting" ? `așteaptă${times}` : `fără răspuns${times}`;
}

function answerOf(push) {
    if (!push.contact || push.status !== 200) {
        return null;
    }
    const { name, responsible } = push.contact;
    const words = [name || "necunoscut", responsible ? `responsabil ${responsible}` : null];
    return h("em", {}, ` → ${words.filter(Boolean).join(", ")}`);
}

function details(push) {
    const fields = Object.entries(push.fields).map(([name, value]) => `${name} = ${value}`);
    const said = push.error || push.answer.slice(0, 600);
    const body = push.encoding === "json" ? "corp JSON" : "formular";
    return [...fields, "", `(${body}) răspuns: ${said || "–"}`].join("\n");
}
