import { Component, useState } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { useService } from "@web/core/utils/hooks";

const NOBODY = 0;

/** The team's day: a heat map by hour and what is at risk with whom. */
export class DayTeam extends Component {
    static template = "oda_crm.DayTeam";
    static props = { day: Object };

    setup() {
        this.action = useService("action");
        this.state = useState({ person: false });
    }

    get people() {
        const { people } = this.props.day;
        return this.state.person === false
            ? people
            : people.filter((one) => one.id === this.state.person);
    }

    get morePeople() {
        return _t("and %s more people", this.props.day.more_people);
    }

    get hours() {
        return this.props.day.heat.hours;
    }

    get atRisk() {
        return this.people.filter((one) =>
            this.props.day.risks.some((risk) => risk.counts[one.id])
        );
    }

    /** A click on somebody shows only them, the next one all again. */
    choose(person) {
        this.state.person = this.state.person === person.id ? false : person.id;
    }

    cell(person, { hour }) {
        return this.props.day.heat.cells[person.id]?.[hour] || { shade: 0 };
    }

    /** What there is in a cell: each number opens what it counts. */
    parts(cell) {
        return Object.entries(this.props.day.heat.kinds)
            .filter(([what]) => cell[what])
            .map(([what, kind]) => ({ what, kind, count: cell[what] }));
    }

    describe(person, hour, { kind, count }) {
        return `${person.name}, ${hour.hour}:00. ${kind.label}: ${count}`;
    }

    of(field, person) {
        return person.id === NOBODY
            ? ["|", [field, "=", false], [`${field}.active`, "=", false]]
            : [[field, "=", person.id]];
    }

    list(name, model, domain, context = {}) {
        const views = [
            [false, "list"],
            [false, "form"],
        ];
        return this.action.doAction({
            type: "ir.actions.act_window",
            name,
            res_model: model,
            views: model === "crm.lead" ? [...views, [false, "kanban"]] : views,
            domain,
            context,
        });
    }

    openRisk(risk, person) {
        return this.list(`${risk.label}: ${person.name}`, risk.model, [
            ...risk.domain,
            ...this.of(risk.user_field, person),
        ]);
    }

    openPart(person, hour, { kind }) {
        return this.list(
            `${kind.label}: ${person.name}`,
            kind.model,
            [
                ...kind.domain,
                [kind.at, ">=", hour.from],
                [kind.at, "<", hour.until],
                ...this.of(kind.user_field, person),
            ],
            { active_test: false }
        );
    }
}
