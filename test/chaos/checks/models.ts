/** Sequential objects of a run: what a key would be if one client after the other used it. */
import type { Model } from "../../checkers/linearizability.ts";
import type { Call } from "../clients/operation.ts";

/** What a reply said; null: nothing was there. */
export interface Reply {
  readonly value: string | number | null;
}

/** A state of its own for "nothing there": the checkers take null for "can not be". */
interface Value {
  readonly value: string | null;
}

/** SET, GETSET and GET. */
export const REGISTER: Model<Value, Call, Reply> = {
  initial: { value: null },
  step: (state, call, reply) => {
    if (call.kind === "write") return { value: call.value };
    // A read, and a swap as well: the reply is what was there before.
    if (reply !== null && reply.value !== state.value) return null;
    return call.kind === "swap" ? { value: call.value } : state;
  },
  describe: ({ value }) => (value === null ? "-" : `=${value}`),
};

/** INCR and GET. */
export const COUNTER: Model<number, Call, Reply> = {
  initial: 0,
  step: (count, call, reply) => {
    if (call.kind === "increment") {
      const isAnswer = reply === null || reply.value === count + 1;
      return isAnswer ? count + 1 : null;
    }
    return reply === null || Number(reply.value ?? 0) === count ? count : null;
  },
  describe: String,
};
