import { Component, useState } from "@odoo/owl";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { standardWidgetProps } from "@web/views/widgets/standard_widget_props";

/** A button that has the exchange call a number; not there where it cannot. */
export class DialButton extends Component {
    static template = "oda_telephony.DialButton";
    static props = {
        number: { type: String, optional: true },
        model: { type: [String, Boolean], optional: true },
        resId: { type: [Number, Boolean], optional: true },
        className: { type: String, optional: true },
    };
    static defaultProps = { number: "", model: false, resId: false, className: "" };

    setup() {
        this.dialler = useState(useService("oda_telephony.dial"));
    }

    get shown() {
        return Boolean(this.props.number) && this.dialler.takes(false);
    }

    get isCalling() {
        return this.dialler.isCalling(this.props.number);
    }

    async onClick(ev) {
        ev.stopPropagation();
        const { number, model, resId } = this.props;
        await this.dialler.dial(number, model, resId);
    }
}

/** The same in a form: `<widget name="oda_dial" number="phone"/>`. */
export class DialWidget extends Component {
    static template = "oda_telephony.DialWidget";
    static components = { DialButton };
    static props = { ...standardWidgetProps, number: { type: String, optional: true } };
    static defaultProps = { number: "phone" };
}

const dialWidget = {
    component: DialWidget,
    extractProps: ({ attrs }) => ({ number: attrs.number || "phone" }),
};

/** A line of a list of numbers has no room for a large one. */
class DialRowWidget extends DialWidget {
    static template = "oda_telephony.DialRowWidget";
}

registry
    .category("view_widgets")
    .add("oda_dial", dialWidget)
    .add("oda_dial_row", { ...dialWidget, component: DialRowWidget });
