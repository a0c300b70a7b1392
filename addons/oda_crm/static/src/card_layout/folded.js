import { browser } from "@web/core/browser/browser";
import { user } from "@web/core/user";

/**
 * Which groups of the card the person folded or unfolded, kept in this browser.
 * Several people may share one: each has their own.
 */

const nameOf = (key) => `oda_crm.folded.${user.userId}.${key}`;

/** @returns {boolean} whether the group is folded, by the person or by the layout */
export function isFolded(key, byDefault) {
    const kept = browser.localStorage.getItem(nameOf(key));
    return kept === null ? byDefault : kept === "1";
}

export function keepFolded(key, folded) {
    try {
        browser.localStorage.setItem(nameOf(key), folded ? "1" : "0");
    } catch {
        // A full or forbidden store: the group folds all the same, until the next load.
    }
}
