import { Component, useState } from "@odoo/owl";
import { DomainSelectorDialog } from "@web/core/domain_selector_dialog/domain_selector_dialog";
import { _t } from "@web/core/l10n/translation";
import { useService } from "@web/core/utils/hooks";

/** How one thing is asked at one stage, and buttons for all that a drag can do. */
export class RuleCellPopover extends Component {
    static template = "oda_crm.RuleCellPopover";
    static props = {
        rule: Object,
        label: String,
        stages: Array,
        onChange: Function,
        onStage: Function,
        onShift: Function,
        onRemove: Function,
        close: { type: Function, optional: true },
    };

    setup() {
        this.dialog = useService("dialog");
        const { mandatory, strict, condition } = this.props.rule;
        this.state = useState({ mandatory, strict, condition });
    }

    /** Only what holds a value can hold a zero. */
    get maybeZero() {
        return ["field", "property"].includes(this.props.rule.kind);
    }

    set(name, value) {
        this.state[name] = value;
        this.props.onChange({ [name]: value });
    }

    onStage(ev) {
        this.props.onStage(Number(ev.target.value));
    }

    editCondition() {
        const { onChange, label } = this.props;
        this.dialog.add(DomainSelectorDialog, {
            resModel: "crm.lead",
            title: _t("Only when: %s", label),
            domain: this.state.condition || "[]",
            confirmButtonText: _t("Use"),
            onConfirm: (domain) => onChange({ condition: domain === "[]" ? "" : domain }),
        });
        this.props.close?.();
    }
}
