import { expect, test } from "@odoo/hoot";
import { countWords } from "@oda_crm/task_result/words";

test("words are counted as the server counts them", () => {
    for (const [text, count] of [
        ["", 0],
        [undefined, 0],
        ["  ... -- !?", 0],
        ["<p><br></p>", 0],
        ["\u200b\u200b", 0],
        ["👍 👍", 0],
        ["ok", 1],
        ["sună-l mâine", 2],
        ["Позвонил, придёт", 2],
        ["2 < 3 sau 5 > 4", 5],
    ]) {
        expect(countWords(text)).toBe(count, { message: JSON.stringify(text) });
    }
});
