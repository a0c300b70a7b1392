import "@crm/views/crm_form/crm_form";
import { CrmKanbanModel } from "@crm/views/crm_kanban/crm_kanban_model";
import { registry } from "@web/core/registry";
import { patch } from "@web/core/utils/patch";
import { RelationalModel } from "@web/model/relational_model/relational_model";

/** Every save tells where the card stood on this screen: who comes second is told. */
const tellSeenStage = {
    get context() {
        const seen = this.resModel === "crm.lead" && this.resId && this._values?.stage_id?.id;
        return seen ? { ...super.context, oda_seen_stage_id: seen } : super.context;
    },
};

CrmKanbanModel.Record = class CrmKanbanRecord extends RelationalModel.Record {};
patch(CrmKanbanModel.Record.prototype, tellSeenStage);
patch(registry.category("views").get("crm_form").Model.Record.prototype, tellSeenStage);
