import { Component, onWillDestroy, toRaw, useRef, useState } from "@odoo/owl";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { standardFieldProps } from "@web/views/fields/standard_field_props";
import { openFillIn } from "./fill_in";
import { mayBeZero } from "./refusal";

const FOCUSABLE = "input, textarea, select, [contenteditable=true], button";

/** Whether an answer stands in the card, saved or not; the server decides. */
export function isTyped(item, data) {
    if (!(item.name in data)) {
        return false;
    }
    const value = data[item.name];
    if (item.type === "boolean") {
        return value || !item.strict;
    }
    if (typeof value === "number") {
        return value !== 0 || !item.strict;
    }
    if (item.type === "html") {
        const text = new DOMParser().parseFromString(String(value || ""), "text/html");
        return Boolean(text.body.textContent.trim() || text.querySelector("img, video, iframe"));
    }
    if (typeof value === "string") {
        return Boolean(value.trim());
    }
    return Array.isArray(value?.records) ? value.records.length > 0 : Boolean(value);
}

/**
 * The line under the status bar: what is missing to go on, each item a button that
 * jumps to its place; nothing missing: the button that moves.
 */
export class ToGoOnField extends Component {
    static template = "oda_crm.ToGoOnField";
    static props = { ...standardFieldProps };

    setup() {
        this.dialog = useService("dialog");
        this.orm = useService("orm");
        this.root = useRef("root");
        // What the server says since the rules were changed, instead of `old`.
        this.state = useState({ fresh: null, old: null });
        const bus = useService("bus_service");
        const onFlow = ({ flows }) => this.refresh(flows);
        bus.subscribe("oda.flow", onFlow);
        // Not onWillUnmount: a drawing that was given up was never mounted.
        onWillDestroy(() => bus.unsubscribe("oda.flow", onFlow));
    }

    get record() {
        return this.props.record;
    }

    get told() {
        const read = this.record.data[this.props.name];
        // Once the card is read again, what it says counts.
        const isOld = this.state.fresh && toRaw(this.state.old) === toRaw(read);
        return (isOld ? this.state.fresh : read) || {};
    }

    /** The rules of some flows (none: of all) were changed: ask again, this line only. */
    async refresh(flows) {
        const { resId, data } = this.record;
        const flow = data.team_id?.id;
        if (!resId || (flow && flows.length && !flows.includes(flow))) {
            return;
        }
        const { name } = this.props;
        const [found] = await this.orm.silent.read("crm.lead", [resId], [name]);
        if (found) {
            this.state.old = data[name];
            this.state.fresh = found[name] || {};
        }
    }

    get items() {
        return (this.told.items || []).map((item) => ({
            ...item,
            typed: isTyped(item, this.record.data),
        }));
    }

    /** The one that is open now: the others wait for it. */
    get first() {
        return this.owed[0]?.name;
    }

    /** The number that is open now and may be the 0 that the card shows already. */
    get zero() {
        const item = this.owed[0];
        return item && mayBeZero(item) ? item : null;
    }

    async answerZero(item) {
        if (await this.record.save()) {
            await this.orm.call("crm.lead", "oda_answer_zero", [
                [this.record.resId],
                item.name,
            ]);
            await this.record.load();
        }
    }

    get owed() {
        return this.items.filter((item) => item.mandatory && !item.typed);
    }

    get canMove() {
        const { next, moves } = this.told;
        return next && !this.owed.length && moves.some((move) => move.id === next.id);
    }

    /** Go to the field; when it is on no visible page, ask for it in a dialog. */
    goTo(item) {
        const form = this.root.el.closest(".o_form_view");
        const name = item.kind === "property" ? "lead_properties" : item.name;
        // A beneficiary's field stands on the card under a name of its own.
        const names = [name, name.replace(/^partner_id\./, "x_oda_p_")];
        let place = null;
        for (const one of names) {
            place ||= form?.querySelector(`.o_field_widget[name="${CSS.escape(one)}"]`);
        }
        if (item.kind === "property") {
            place = place?.querySelector(`[property-name="${CSS.escape(item.name)}"]`) || place;
        } else if (item.kind === "task") {
            place = form?.querySelector(".o-mail-Chatter-activity, .o-mail-Activity");
        }
        if (place) {
            place.closest(".o_oda_group")?.dispatchEvent(new CustomEvent("oda-unfold"));
            place.scrollIntoView({ block: "center" });
            const target = place.matches(FOCUSABLE) ? place : place.querySelector(FOCUSABLE);
            (target || place).focus();
            return;
        }
        if (item.kind !== "task") {
            return this.fillIn(item);
        }
    }

    async fillIn(item) {
        if (!(await this.record.save())) {
            return;
        }
        openFillIn(this.dialog, {
            leadId: this.record.resId,
            partnerId: this.record.data.partner_id?.id,
            items: [item],
            onSaved: () => this.record.load(),
        });
    }

    async move() {
        const { next, stage } = this.told;
        if (!(await this.record.save())) {
            return;
        }
        await this.orm.call("crm.lead", "oda_move", [[this.record.resId], next.id], {
            seen_stage_id: stage,
        });
        await this.record.load();
    }
}

registry.category("fields").add("oda_to_go_on", {
    component: ToGoOnField,
    supportedTypes: ["json"],
    fieldDependencies: [
        { name: "partner_id", type: "many2one", relation: "res.partner" },
        { name: "team_id", type: "many2one", relation: "crm.team" },
    ],
});
