import { deserializeDate, deserializeDateTime } from "@web/core/l10n/dates";
import { _t } from "@web/core/l10n/translation";

const { DateTime } = luxon;

/**
 * @param {string|false} value "YYYY-MM-DD HH:MM:SS" in UTC, or "YYYY-MM-DD"
 * @returns {luxon.DateTime|null} null when there is no such moment
 */
export function toMoment(value) {
    if (!value) {
        return null;
    }
    const moment = value.length > 10 ? deserializeDateTime(value) : deserializeDate(value);
    return moment.isValid ? moment : null;
}

/**
 * A day as people say it: "today", "yesterday", "12 May", "12 May 2024".
 *
 * @param {string|false} value see toMoment
 * @returns {string} the value itself when it is not a date we know
 */
export function sayDay(value) {
    const moment = toMoment(value);
    if (!moment) {
        return value || "";
    }
    const now = DateTime.now();
    const days = Math.round(moment.startOf("day").diff(now.startOf("day"), "days").days);
    if (days === 0) {
        return _t("today");
    }
    if (days === -1) {
        return _t("yesterday");
    }
    if (days === 1) {
        return _t("tomorrow");
    }
    return moment.toFormat(moment.year === now.year ? "d MMM" : "d MMM yyyy");
}

/**
 * Like sayDay, with the hour when the value has one: "today 15:00".
 *
 * @param {string|false} value see toMoment
 * @returns {string}
 */
export function sayMoment(value) {
    const moment = toMoment(value);
    const day = sayDay(value);
    return moment && value.length > 10 ? `${day} ${sayTime(moment)}` : day;
}

/**
 * @param {luxon.DateTime} moment
 * @returns {string} "14:02"
 */
export function sayTime(moment) {
    return moment.toFormat("HH:mm");
}

/**
 * @param {string|false} value see toMoment; a plain date is past at its end
 * @returns {boolean}
 */
export function isPast(value) {
    const moment = toMoment(value);
    return Boolean(moment) && (value.length > 10 ? moment : moment.endOf("day")) < DateTime.now();
}

/**
 * @param {number} seconds negative (clocks disagree) counts as zero
 * @returns {string} "0:07", "12:30", "1:02:03"
 */
export function sayDuration(seconds) {
    const total = Math.max(0, Math.floor(seconds || 0));
    const [h, m, s] = [Math.floor(total / 3600), Math.floor(total / 60) % 60, total % 60];
    const two = (n) => String(n).padStart(2, "0");
    return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}
