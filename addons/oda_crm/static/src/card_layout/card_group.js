import { Component, onMounted, useRef, useState } from "@odoo/owl";
import { registry } from "@web/core/registry";
import { standardWidgetProps } from "@web/views/widgets/standard_widget_props";
import { isFolded, keepFolded } from "./folded";

/** The head of a group of fields: its name, a button that folds and unfolds it. */
export class CardGroup extends Component {
    static template = "oda_crm.CardGroup";
    static props = {
        ...standardWidgetProps,
        title: String,
        groupKey: String,
        folded: Boolean,
    };

    setup() {
        this.root = useRef("root");
        this.state = useState({
            folded: isFolded(this.props.groupKey, this.props.folded),
        });
        onMounted(() => {
            this.holder = this.root.el.closest(".o_oda_group");
            this.holder?.addEventListener("oda-unfold", () => this.fold(false));
            this.show();
        });
    }

    /** The fields stay mounted: what was typed in them, and their checks, stay. */
    show() {
        this.holder?.classList.toggle("o_oda_folded", this.state.folded);
    }

    fold(folded) {
        this.state.folded = folded;
        keepFolded(this.props.groupKey, folded);
        this.show();
    }
}

registry.category("view_widgets").add("oda_card_group", {
    component: CardGroup,
    extractProps: ({ attrs }) => ({
        title: attrs.title,
        groupKey: attrs.key,
        folded: attrs.folded === "1",
    }),
});
