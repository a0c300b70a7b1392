import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { IntegerField, integerField } from "@web/views/fields/integer/integer_field";
import { sayDuration } from "../calls_service/call_format";

/**
 * Seconds as people read them: 65 -> "1:05". Also in the sums of lists.
 *
 * @param {number|false} seconds
 * @returns {string}
 */
export function formatDuration(seconds) {
    return seconds === false || seconds === undefined ? "" : sayDuration(seconds);
}

/** A number of seconds, to read only. */
export class DurationField extends IntegerField {
    get formattedValue() {
        return formatDuration(this.value);
    }
}

registry.category("fields").add("oda_duration", {
    ...integerField,
    component: DurationField,
    displayName: _t("Duration"),
});
registry.category("formatters").add("oda_duration", formatDuration);
