/** How loud a recording is from its beginning to its end: drawing it, finding talk. */

/** Below this (of 255) nobody speaks: the noise of a line. */
const QUIET = 6;
/** Seconds: a shorter pause belongs to the talk. */
const PAUSE = 1.5;
/** Seconds left of a pause, before the voice comes back. */
const BREATH = 0.3;

/**
 * @param {string} text base64 of one byte (0 silent ... 255) for each bit of time
 * @returns {Uint8Array} empty when the text is none
 */
export function decodeWaveform(text) {
    try {
        return Uint8Array.from(atob(text || ""), (one) => one.charCodeAt(0));
    } catch {
        return new Uint8Array();
    }
}

/**
 * @param {Uint8Array} values
 * @param {number} bars how many to draw
 * @returns {string} a path of an SVG whose viewBox is "0 0 bars 100"
 */
export function drawWaveform(values, bars) {
    const parts = [];
    for (let bar = 0; bar < bars; bar++) {
        const from = Math.floor((bar * values.length) / bars);
        const to = Math.max(from + 1, Math.floor(((bar + 1) * values.length) / bars));
        let most = 0;
        for (const value of values.subarray(from, to)) {
            most = Math.max(most, value);
        }
        // As the ear has it: quiet voices are seen too.
        const height = Math.max(2, Math.round(Math.sqrt(most / 255) * 96));
        parts.push(`M${bar + 0.5} ${50 - height / 2}v${height}`);
    }
    return parts.join("");
}

/**
 * @param {Uint8Array} values
 * @param {number} duration seconds of the whole
 * @param {number} at seconds
 * @returns {number} where to go on: `at` itself unless a longer silence is there
 */
export function skipSilence(values, duration, at) {
    if (!values.length || !(duration > 0)) {
        return at;
    }
    const step = duration / values.length;
    let place = Math.floor(at / step);
    if (place < 0 || place >= values.length || values[place] > QUIET) {
        return at;
    }
    while (place < values.length && values[place] <= QUIET) {
        place++;
    }
    const end = place * step;
    return end - at < PAUSE ? at : Math.max(at, end - BREATH);
}
