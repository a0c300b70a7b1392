// License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
// The page: asks the process for its state, shows Odoo's line, feeds the panels.
// A panel is panels/<name>.js with `mount(root, tools, state)` and `render(state)`.
import { h, showTime } from "./dom.js";

const POLL_MS = 500;
const HIDDEN_POLL_MS = 3000;
const panels = new Map();
let rev = 0;
let clockSkew = 0;
let toastTimer = 0;

const byId = (id) => document.getElementById(id);

function toast(text) {
    const node = byId("toast");
    node.textContent = text;
    node.hidden = false;
    clearTimeout(toastTimer);
    toastTimer = setTimeout(() => (node.hidden = true), 6000);
}

/** POST JSON; shows the words of a refusal and returns null then. */
async function post(path, data = {}) {
    try {
        const answer = await fetch(path, {
            method: "POST",
            headers: { "Content-Type": "application/json" },
            body: JSON.stringify(data),
        });
        const body = await answer.json();
        if (!answer.ok) {
            toast(body.error || `Eroare ${answer.status}`);
            return null;
        }
        refresh();
        return body;
    } catch {
        toast("Sandbox-ul nu răspunde.");
        return null;
    }
}

/** Now, in the seconds of the process. */
const now = () => Date.now() / 1000 + clockSkew;

function setStatus(kind, text) {
    const node = byId("status");
    node.dataset.kind = kind;
    node.textContent = text;
    node.title = text;
}

function showWorld(world) {
    const last = world.last_answer;
    const host = world.odoo.replace(/^https?:\/\//, "");
    let line = `Odoo ${world.up ? "pornit" : "oprit"} · ${host}`;
    let kind = world.up ? "good" : "bad";
    if (world.up === null) {
        [kind, line] = ["unknown", `Se caută Odoo la ${host}…`];
    }
    if (last) {
        const said = last.status ? `a răspuns ${last.status}` : last.error;
        line += ` · ${last.what}: ${said}, ${last.ms} ms, ${showTime(last.at)}`;
        if (kind === "good" && last.status !== 200) {
            kind = "warn";
        }
    }
    setStatus(kind, line);
}

async function panelOf(double) {
    let panel = panels.get(double.name);
    if (!panel) {
        const title = h("h2", { class: "panel-title" }, double.title);
        const root = h("section", { "aria-label": double.title }, title);
        panel = { root, code: await import(`./panels/${double.name}.js`) };
        panels.set(double.name, panel);
        panel.code.mount(root, { post, now, toast }, double.state);
        byId("panels").append(root);
        addTab(double, root);
    }
    return panel;
}

function addTab(double, root) {
    const tab = h(
        "button",
        { type: "button", class: "tab", onclick: () => choose(double.name) },
        double.title,
    );
    tab.dataset.name = double.name;
    byId("tabs").append(tab);
    byId("tabs").hidden = panels.size < 2;
    root.hidden = panels.size > 1;
    choose(location.hash.slice(1) || [...panels.keys()][0]);
}

function choose(name) {
    if (!panels.has(name)) {
        return;
    }
    for (const [key, panel] of panels) {
        panel.root.hidden = key !== name;
    }
    for (const tab of byId("tabs").children) {
        tab.setAttribute("aria-pressed", String(tab.dataset.name === name));
    }
    history.replaceState(null, "", `#${name}`);
}

let asking = false;
async function refresh() {
    if (asking) {
        return;
    }
    asking = true;
    try {
        const answer = await fetch(`/api/state?since=${rev}`);
        if (answer.status === 200) {
            const state = await answer.json();
            rev = state.rev;
            clockSkew = state.now - Date.now() / 1000;
            showWorld(state.world);
            for (const double of state.doubles) {
                const panel = await panelOf(double);
                panel.code.render(double.state);
            }
        }
    } catch {
        // A restarted process counts revisions anew.
        rev = 0;
        setStatus("bad", "Sandbox-ul este oprit. Porniți-l din nou: make run");
    } finally {
        asking = false;
    }
}

async function loop() {
    await refresh();
    setTimeout(loop, document.hidden ? HIDDEN_POLL_MS : POLL_MS);
}

byId("reset").addEventListener("click", () => post("/api/reset"));
loop();
