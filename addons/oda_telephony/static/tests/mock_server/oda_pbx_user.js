import { makeServerError, models } from "@web/../tests/web_test_helpers";

/** The person's own phones, kept in memory. */
export class OdaPbxUser extends models.Model {
    _name = "oda.pbx.user";

    /** @type {Object[]} as `oda.pbx.user.get_my_lines` gives them */
    lines = [];
    /** @type {Array[]} arguments of each set_silent */
    switched = [];
    refuses = "";

    get_my_lines() {
        return this.lines;
    }

    set_silent([id], on) {
        this.switched.push([id, on]);
        if (this.refuses) {
            throw makeServerError({ type: "UserError", message: this.refuses });
        }
        const line = this.lines.find((one) => one.id === id);
        return Object.assign(line, { wanted: on ? "on" : "off" });
    }
}
