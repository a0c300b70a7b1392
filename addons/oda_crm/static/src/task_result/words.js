const TAG = /<\/?[a-zA-Z!][^<>]*>/g;
const WORD = /[\p{L}\p{N}\p{M}_]+(?:['’-][\p{L}\p{N}\p{M}_]+)*/gu;
const LETTER = /[\p{L}\p{N}]/u;

/**
 * How many words a result has, as the server counts them (results.py): what the
 * button waits for. The server judges again, and more.
 *
 * @param {string} text
 * @returns {number}
 */
export function countWords(text) {
    const plain = (text || "").replace(TAG, " ").replace(/\p{Cf}/gu, "");
    return (plain.match(WORD) || []).filter((word) => LETTER.test(word)).length;
}
