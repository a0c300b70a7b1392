import { RPCError } from "@web/core/network/rpc";

const NUMBERS = new Set(["integer", "float", "monetary"]);

/**
 * Whether 0 would do, but cannot be typed: the screen shows 0 where there is nothing.
 *
 * @param {{ kind: string, type: string, strict: boolean }} item
 */
export function mayBeZero(item) {
    return item.kind === "property" && NUMBERS.has(item.type) && !item.strict;
}

/** Refusals of a move, which can be tried again when something is filled in. */
const OF_A_MOVE = new Set(["missing", "skip", "back"]);

/**
 * What the server said when it refused a move, or undefined for any other error.
 *
 * @param {Error} error
 * @returns {{ lead_id: number, code: string, stage_id: number, seen_stage_id: number | false,
 *  partner_id: number | false, items: object[], may_override: boolean } | undefined}
 */
export function refusalOf(error) {
    const refusal = error instanceof RPCError && error.data?.context?.oda_refusal;
    return refusal && refusal.lead_id && OF_A_MOVE.has(refusal.code) ? refusal : undefined;
}
