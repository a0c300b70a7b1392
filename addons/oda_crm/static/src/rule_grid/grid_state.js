/**
 * The rules of a flow as the grid shows them: an array of rules in the order of
 * answering. Each has a `uid` of its own in the browser; `id` is the server's, null
 * before it is saved. Every function returns a new array.
 */

let lastUid = 0;

/** @returns {Object[]} the server's rules, each with a uid */
export function fromServer(rules) {
    return rules.map((rule) => ({ ...rule, uid: ++lastUid }));
}

/** @returns {Object[]} rules as the server takes them */
export function toServer(rules) {
    return rules.map(({ id, stage, kind, what, mandatory, strict, condition }) => ({
        id,
        stage,
        kind,
        what,
        mandatory,
        strict,
        condition,
    }));
}

/** A rule that asks for something at a stage, not in the grid yet. */
export function newRule(kind, what, stage) {
    return {
        uid: ++lastUid,
        id: null,
        stage,
        kind,
        what,
        mandatory: true,
        strict: false,
        condition: "",
    };
}

export const ofStage = (rules, stage) => rules.filter((rule) => rule.stage === stage);

/** @returns {number} the place of a rule in its stage, from 1 */
export function numberOf(rules, rule) {
    return ofStage(rules, rule.stage).findIndex((one) => one.uid === rule.uid) + 1;
}

/** Put a rule, new or not, at a number of a stage; beyond the last one: at the end. */
export function place(rules, rule, stage, number) {
    const others = rules.filter((one) => one.uid !== rule.uid);
    const there = ofStage(others, stage);
    const next = there[Math.max(0, number - 1)];
    const at = next ? others.indexOf(next) : others.length;
    return [...others.slice(0, at), { ...rule, stage }, ...others.slice(at)];
}

/** Whether the same thing is asked at a stage already, under the same condition. */
export function isTaken(rules, rule, stage) {
    return rules.some(
        (one) =>
            one.uid !== rule.uid &&
            one.stage === stage &&
            one.kind === rule.kind &&
            one.what === rule.what &&
            one.condition === rule.condition
    );
}

export const remove = (rules, uid) => rules.filter((rule) => rule.uid !== uid);

export const change = (rules, uid, values) =>
    rules.map((rule) => (rule.uid === uid ? { ...rule, ...values } : rule));

/** Whether two grids ask for the same, in the same order within each stage. */
export function isSame(left, right) {
    const facts = (rules) => {
        const stages = {};
        for (const { id, stage, ...rule } of toServer(rules)) {
            (stages[stage] ||= []).push(rule);
        }
        return JSON.stringify(Object.entries(stages).sort());
    };
    return facts(left) === facts(right);
}

/**
 * The rows of the grid, by groups: what is on the card, what is asked, what was added.
 *
 * @param {Object[]} groups all that may be asked
 * @param {Object[]} rules
 * @param {Set<string>} added keys of rows without a rule yet
 * @returns {Object[]} groups with `rows`: `{key, kind, what, label, cells: {stage: rule}}`;
 *  what is asked twice at a stage, under two conditions, has two rows
 */
export function rowsOf(groups, rules, added) {
    const asked = {};
    for (const rule of rules) {
        (asked[keyOf(rule)] ||= []).push(rule);
    }
    const result = [];
    for (const group of groups) {
        const rows = [];
        for (const item of group.items) {
            const key = keyOf(item);
            const mine = asked[key] || [];
            if (!mine.length && !group.card && !added.has(key)) {
                continue;
            }
            const layers = [{}];
            for (const rule of mine) {
                const free = layers.find((cells) => !cells[rule.stage]);
                (free || layers[layers.push({}) - 1])[rule.stage] = rule;
            }
            layers.forEach((cells, at) => {
                rows.push({ ...item, key: at ? `${key}#${at}` : key, item: key, cells });
            });
        }
        if (rows.length) {
            result.push({ ...group, rows });
        }
    }
    return result;
}

export const keyOf = ({ kind, what }) => `${kind}:${what}`;
