import { patch } from "@web/core/utils/patch";
import { KanbanController } from "@web/views/kanban/kanban_controller";

/**
 * Coming back to a kanban, the web client goes on with the fields it had read before
 * and draws them with the view of now: a card with a new field on it would fail.
 * Such a state is let go; the columns are read anew.
 *
 * @param {Object|undefined} state what the kanban left behind
 * @param {Object} archInfo the view of now
 * @param {Object} fields the fields of the model, now
 */
export function dropStaleState(state, archInfo, fields) {
    const kept = state?.modelState?.config?.activeFields;
    if (!kept) {
        return;
    }
    const drawn = Object.values(archInfo.fieldNodes).map((node) => node.name);
    if (!drawn.every((name) => name in kept) || !Object.keys(kept).every((n) => n in fields)) {
        delete state.modelState;
    }
}

patch(KanbanController.prototype, {
    setup() {
        dropStaleState(this.props.state, this.props.archInfo, this.props.fields);
        super.setup();
    },
});
