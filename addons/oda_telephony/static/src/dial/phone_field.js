import { useState } from "@odoo/owl";
import { isMobileOS } from "@web/core/browser/feature_detection";
import { useService } from "@web/core/utils/hooks";
import { patch } from "@web/core/utils/patch";
import { PhoneField } from "@web/views/fields/phone/phone_field";

/** Every phone number on screen is called by the exchange, where there is one. */
patch(PhoneField.prototype, {
    setup() {
        super.setup(...arguments);
        this.dialler = useState(useService("oda_telephony.dial"));
    },

    get dialNumber() {
        return this.props.record.data[this.props.name] || "";
    },

    get isCalling() {
        return this.dialler.isCalling(this.dialNumber);
    },

    get isButton() {
        return this.dialler.takes(isMobileOS());
    },

    async onDialClick(ev) {
        if (!this.isButton) {
            return; // the link does what it always did
        }
        ev.preventDefault();
        ev.stopPropagation(); // in a list it must not open the row
        if (this.isCalling) {
            return;
        }
        const { record } = this.props;
        const root = record.model.root;
        // What was just typed is not on the server yet, and would be refused there.
        if (root.isDirty && root.save && (await root.isDirty())) {
            if (!(await root.save())) {
                return;
            }
        }
        const { resModel, resId } = record.resId ? record : root;
        await this.dialler.dial(this.dialNumber, resModel, resId || false);
    },
});
