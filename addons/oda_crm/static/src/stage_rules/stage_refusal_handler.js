import { registry } from "@web/core/registry";
import { UncaughtPromiseError } from "@web/core/errors/error_service";
import { refusalOf } from "./refusal";
import { StageDialog } from "./stage_dialog";

/**
 * A refused move, from whatever screen (drag, button, list, status bar), opens the
 * dialog that fills in what is missing and then repeats the move.
 */
export function stageRefusalHandler(env, error, originalError) {
    if (!(error instanceof UncaughtPromiseError)) {
        return false;
    }
    const refusal = refusalOf(originalError);
    if (!refusal) {
        return false;
    }
    error.unhandledRejectionEvent.preventDefault();
    env.services.dialog.add(StageDialog, {
        refusal,
        message: originalError.data.message,
        onMoved: () => env.services.action.doAction("soft_reload"),
    });
    return true;
}

// Before core's own handler of server errors (sequence 97).
registry
    .category("error_handlers")
    .add("oda_stage_refusal", stageRefusalHandler, { sequence: 90 });
