// License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
// Faults of the next call, switches of the tenant, and data for the connector.
import { h } from "../dom.js";

const SWITCHES = [
    ["tenant_host", "Tenant greșit (301)", "demo.pbx.moldcell.md", ""],
    ["tenant_status", "Comenzile răspund 503", 503, 0],
    ["tenant_slow", "Comenzile răspund în 6 s", 6, 0],
    ["records_expired", "Înregistrările au expirat (după o săptămână)", true, false],
    ["out_answer", "Clientul răspunde singur la apelul de ieșire (5 s)", 5, -1],
];
const TIMES = [
    ["recording_delay", "Înregistrarea apare după"],
    ["ring_timeout", "Sună cel mult"],
    ["fallback_after", "Responsabilul nu ridică: departamentul după"],
];

let boxes, times, counter, root;

export function advanced(state, tools, api) {
    const set = (name, value) => tools.post(`${api}/settings`, { [name]: value });
    counter = h("span", { class: "count" });
    boxes = new Map();
    times = new Map();
    for (const [name, , on, off] of SWITCHES) {
        const onchange = (event) => set(name, event.target.checked ? on : off);
        boxes.set(name, h("input", { type: "checkbox", onchange }));
    }
    for (const [name] of TIMES) {
        const onchange = (event) => set(name, Number(event.target.value));
        times.set(name, h("input", { type: "number", min: 0, max: 3600, onchange }));
    }
    const check = (input, label) => h("label", { class: "check" }, input, h("span", {}, label));
    const fault = ({ name, label }) =>
        check(h("input", { type: "checkbox", name: "fault", value: name }), label);
    root = h(
        "div",
        { class: "stack" },
        h(
            "details",
            { class: "card", onchange: countFaults },
            h("summary", {}, "Defecțiuni la următorul apel ", counter),
            h("div", { class: "checks" }, state.faults.map(fault)),
            h("button", { type: "button", class: "quiet small", onclick: clear }, "Fără defecțiuni"),
        ),
        h(
            "details",
            { class: "card" },
            h("summary", {}, "Centrala"),
            h(
                "div",
                { class: "checks" },
                SWITCHES.map(([name, label]) => check(boxes.get(name), label)),
                TIMES.map(([name, label]) =>
                    h("label", { class: "seconds" }, h("span", {}, label), times.get(name), " s"),
                ),
            ),
        ),
        h(
            "details",
            { class: "card" },
            h("summary", {}, "Datele conectorului"),
            h(
                "dl",
                {},
                Object.entries({
                    "Adresa comenzilor": state.tenant.endpoint,
                    "Numărul nostru": state.tenant.did,
                    Cheie: state.tenant.key,
                    Token: state.tenant.token,
                }).map(([name, value]) => [h("dt", {}, name), h("dd", {}, h("code", {}, value))]),
            ),
        ),
    );
    return root;
}

function chosen() {
    return [...root.querySelectorAll("input[name=fault]:checked")];
}

function countFaults() {
    counter.textContent = chosen().length || "";
}

function clear() {
    chosen().forEach((input) => (input.checked = false));
    countFaults();
}

export function renderAdvanced(state) {
    for (const [name, , , off] of SWITCHES) {
        boxes.get(name).checked = state.settings[name] !== off;
    }
    for (const [name, input] of times) {
        if (document.activeElement !== input) {
            input.value = state.settings[name];
        }
    }
}
