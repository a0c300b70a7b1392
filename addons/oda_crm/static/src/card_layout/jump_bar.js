import { Component, useRef } from "@odoo/owl";
import { Dropdown } from "@web/core/dropdown/dropdown";
import { DropdownItem } from "@web/core/dropdown/dropdown_item";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { standardWidgetProps } from "@web/views/widgets/standard_widget_props";
import { firstEmptyInput, groupElement } from "./places";

/** The groups of the card as a row of buttons; on a narrow screen, as a menu. */
export class JumpBar extends Component {
    static template = "oda_crm.JumpBar";
    static components = { Dropdown, DropdownItem };
    static props = { ...standardWidgetProps, sections: Array };

    setup() {
        this.root = useRef("root");
        this.ui = useService("ui");
    }

    /** Those that the card's flow shows: the server's own condition, once more. */
    get sections() {
        const flow = this.props.record.data.team_id?.id ?? false;
        return this.props.sections.filter(
            ({ flows }) => !flows.length || flows.includes(flow)
        );
    }

    jump(key) {
        const group = groupElement(this.root.el, key);
        if (!group) {
            return;
        }
        group.dispatchEvent(new CustomEvent("oda-unfold"));
        group.scrollIntoView({ block: "start" });
        const target = firstEmptyInput(group) || group.querySelector("button");
        target?.focus({ preventScroll: true });
    }
}

registry.category("view_widgets").add("oda_jump_bar", {
    component: JumpBar,
    extractProps: ({ attrs }) => ({ sections: JSON.parse(attrs.sections) }),
    fieldDependencies: [{ name: "team_id", type: "many2one" }],
});
