import { Component, useRef, useState } from "@odoo/owl";
import { browser } from "@web/core/browser/browser";
import { formatDate, deserializeDate } from "@web/core/l10n/dates";
import { normalize } from "@web/core/l10n/utils/normalize";
import { _t } from "@web/core/l10n/translation";
import { formatFloat } from "@web/views/fields/formatters";
import { parseFloat } from "@web/views/fields/parsers";
import { Chips } from "./chips";

const FOLDED = "oda_crm.instruments.folded";
let nextId = 1;

/** @returns {Set<number>} the groups this person keeps folded */
function readFolded() {
    try {
        return new Set(JSON.parse(browser.localStorage.getItem(FOLDED)) || []);
    } catch {
        return new Set();
    }
}

/**
 * The catalogue of instruments: search, groups that fold, one tap for a tick; what
 * is chosen stands on top. Knows nothing of where answers go.
 */
export class InstrumentPicker extends Component {
    static template = "oda_crm.InstrumentPicker";
    static components = { Chips };
    static props = {
        /** see `oda.instrument.get_catalogue` */
        groups: Array,
        /** instrument id -> value */
        answers: Object,
        /** as the server words the answers, for instruments no longer in the catalogue */
        chips: { type: Array, optional: true },
        onChange: Function,
        /** a field was left: a good moment to save */
        onLeave: { type: Function, optional: true },
        readonly: { type: Boolean, optional: true },
        /** little room: groups are folded until they are opened or searched */
        compact: { type: Boolean, optional: true },
    };

    setup() {
        this.id = `o_oda_instruments_${nextId++}`;
        this.state = useState({ query: "", folded: readFolded(), opened: new Set(), wrong: {} });
        this.root = useRef("root");
    }

    /** @returns {Object[]} groups with their instruments that the search finds */
    get groups() {
        const query = normalize(this.state.query.trim());
        if (!query) {
            return this.props.groups;
        }
        const found = (text) => normalize(text).includes(query);
        return this.props.groups
            .map((group) => ({
                ...group,
                instruments: found(group.name)
                    ? group.instruments
                    : group.instruments.filter(
                          ({ name, help, options }) =>
                              found(`${name} ${help}`) || options.some((one) => found(one.name))
                      ),
            }))
            .filter((group) => group.instruments.length);
    }

    get chosen() {
        const chips = [];
        const seen = new Set();
        for (const { instruments } of this.props.groups) {
            for (const one of instruments) {
                seen.add(one.id);
                if (this.isAnswered(one)) {
                    chips.push({ id: one.id, name: one.name, value: this.inWords(one) });
                }
            }
        }
        const other = (this.props.chips || []).filter(
            ({ id }) => !seen.has(id) && this.props.answers[id] !== undefined
        );
        return [...chips, ...other.map(({ id, name, value }) => ({ id, name, value }))];
    }

    value(instrument) {
        return this.props.answers[instrument.id];
    }

    isAnswered(instrument) {
        return this.value(instrument) !== undefined;
    }

    inWords({ kind, unit, options, ...instrument }) {
        const value = this.value(instrument);
        switch (kind) {
            case "number":
                return [this.formatNumber(value), unit].filter(Boolean).join(" ");
            case "text":
                return value;
            case "date":
                return formatDate(deserializeDate(value));
            case "one":
            case "several": {
                const chosen = [value].flat();
                return options.filter(({ id }) => chosen.includes(id)).map(({ name }) => name).join(", ");
            }
        }
        return "";
    }

    formatNumber(value) {
        return value === undefined ? "" : formatFloat(value, { digits: [false, 6], trailingZeros: false });
    }

    count(group) {
        return group.instruments.filter((one) => this.isAnswered(one)).length;
    }

    isOpen(group) {
        const { query, opened, folded } = this.state;
        return Boolean(query.trim()) || (this.props.compact ? opened.has(group.id) : !folded.has(group.id));
    }

    toggleGroup(group) {
        if (this.state.query.trim()) {
            return;
        }
        const groups = this.props.compact ? this.state.opened : this.state.folded;
        if (!groups.delete(group.id)) {
            groups.add(group.id);
        }
        if (!this.props.compact) {
            browser.localStorage.setItem(FOLDED, JSON.stringify([...groups]));
        }
    }

    set(instrument, value) {
        if (!this.props.readonly) {
            this.props.onChange(instrument.id, value);
        }
    }

    remove(chip) {
        this.set(chip, null);
    }

    toggle(instrument, on) {
        this.set(instrument, on ? true : null);
    }

    choose(instrument, ev) {
        this.set(instrument, Number(ev.target.value) || null);
    }

    toggleOption(instrument, option, on) {
        const rest = (this.value(instrument) || []).filter((id) => id !== option.id);
        const all = on ? [...rest, option.id].sort((a, b) => a - b) : rest;
        this.set(instrument, all.length ? all : null);
    }

    write(instrument, ev) {
        this.set(instrument, ev.target.value.trim() ? ev.target.value : null);
    }

    writeNumber(instrument, ev) {
        const text = ev.target.value.trim();
        delete this.state.wrong[instrument.id];
        if (!text) {
            return this.set(instrument, null);
        }
        try {
            this.set(instrument, parseFloat(text));
        } catch {
            this.state.wrong[instrument.id] = _t("Write a number.");
        }
    }

    writeDate(instrument, ev) {
        if (!ev.target.validity.badInput) {
            this.set(instrument, ev.target.value || null);
        }
    }

    leave() {
        this.props.onLeave?.();
    }

    // === KEYBOARD ===

    onSearchKeydown(ev) {
        const first = this.groups[0]?.instruments[0];
        if (ev.key === "Enter") {
            ev.preventDefault();
            if (first?.kind === "tick" && this.state.query.trim()) {
                this.toggle(first, !this.isAnswered(first));
                ev.target.select();
            } else {
                this.focusFirst();
            }
        } else if (ev.key === "ArrowDown") {
            ev.preventDefault();
            this.focusFirst();
        } else if (ev.key === "Escape" && this.state.query) {
            ev.stopPropagation();
            this.state.query = "";
        }
    }

    focusFirst() {
        this.root.el.querySelector(".o_oda_instrument :is(input, select, textarea)")?.focus();
    }

    /** Up and down walk from instrument to instrument; left and right stay Tab's. */
    onListKeydown(ev) {
        const step = { ArrowDown: 1, ArrowUp: -1 }[ev.key];
        if (!step || !ev.target.matches("input[type=checkbox]")) {
            return;
        }
        const all = [...this.root.el.querySelectorAll(".o_oda_instrument :is(input, select, textarea)")].filter(
            (el) => el.checkVisibility?.() ?? true
        );
        const next = all[all.indexOf(ev.target) + step];
        ev.preventDefault();
        (next || this.root.el.querySelector("input[type=search]")).focus();
    }
}
