// License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl.html).
// Small helpers shared by the page and the panels. Text always goes in as text.

/** Build an element: h("button", {class: "quiet", onclick: f}, "Sună"). */
export function h(tag, props = {}, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(props)) {
        if (value === false || value === null || value === undefined) {
            continue;
        }
        if (name.startsWith("on")) {
            node.addEventListener(name.slice(2), value);
        } else if (name === "checked" || name === "value" || name === "open") {
            node[name] = value;
        } else {
            node.setAttribute(name, value === true ? "" : value);
        }
    }
    const given = children.flat(Infinity); // a map of pairs is two levels deep
    node.append(...given.filter((child) => child !== null && child !== undefined));
    return node;
}

/**
 * Keep the children of `root` equal to `items`, in order, touching only what changed,
 * so that open menus, focus and playing audio elsewhere survive a refresh.
 * @param keyOf item -> identity; @param sign item -> string that changes with its look
 * @param build (item, oldNode) -> node
 */
export function sync(root, items, keyOf, sign, build) {
    const old = new Map([...root.children].map((node) => [node.dataset.key, node]));
    let place = root.firstElementChild;
    for (const item of items) {
        const key = String(keyOf(item));
        const mark = sign(item);
        let node = old.get(key);
        old.delete(key);
        if (!node || node.dataset.mark !== mark) {
            const fresh = build(item, node);
            fresh.dataset.key = key;
            fresh.dataset.mark = mark;
            if (node) {
                if (node === place) {
                    place = fresh;
                }
                node.replaceWith(fresh);
            }
            node = fresh;
        }
        if (node === place) {
            place = place.nextElementSibling;
        } else {
            root.insertBefore(node, place);
        }
    }
    for (const node of old.values()) {
        node.remove();
    }
}

/** 37369123456 -> "+373 69 123 456"; other things as they are. */
export function showPhone(phone) {
    const digits = phone.replace(/^\+/, "");
    const parts = digits.match(/^373(\d{2})(\d{3})(\d{3})$/);
    if (parts) {
        return `+373 ${parts[1]} ${parts[2]} ${parts[3]}`;
    }
    return phone === "anonymous" ? "Număr ascuns" : phone;
}

/** Seconds -> "1:05". */
export function showLength(seconds) {
    const whole = Math.max(0, Math.round(seconds));
    return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

const CLOCK = new Intl.DateTimeFormat("ro-RO", {
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    timeZone: "Europe/Chisinau",
});

/** Epoch seconds -> "14:03:22" in Chișinău. */
export function showTime(epoch) {
    return CLOCK.format(new Date(epoch * 1000));
}
