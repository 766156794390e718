import type { EdgeContext } from "../../server/edge-context.ts";
import type { EdgeCommand } from "../command.ts";
import { askChange, isName, NOT_A_NAME, readName, readOptions, readWait } from "./member-ask.ts";

/** FERRITE.MEMBER REPLACE name [BY newcomer] [WAIT ms]: one joint change swaps the old disk for the one that has caught up (O07). */
export const memberReplace: EdgeCommand = {
  kind: "edge",
  name: "ferrite.member|replace",
  summary: "Replace a member by a new disk of its name, or by another node",
  complexity: "O(N) where N is the number of members",
  since: "0.1.0",
  group: "ferrite",
  arity: -3,
  flags: ["admin", "noscript", "stale"],
  categories: ["admin", "slow", "dangerous"],
  keySpecs: [],
  arguments: [
    { name: "name", type: "string" },
    { name: "newcomer", type: "string", token: "BY", flags: ["optional"] },
    { name: "milliseconds", type: "integer", token: "WAIT", flags: ["optional"] },
  ],
  run: runReplace,
};

function runReplace(context: EdgeContext): void {
  const name = readName(context, 2);
  if (name === null) return;
  const options = readOptions(context, { known: { BY: "value", WAIT: "value" }, startAt: 3 });
  if (options === null) return;
  const newcomer = options.get("BY") ?? null;
  if (newcomer !== null && !isName(newcomer)) return context.reply.error(NOT_A_NAME);
  const waitMs = readWait(context, options);
  if (waitMs === null) return;
  askChange(
    context,
    { write: "change", kind: "replace", name, newcomer, address: null, asLearner: false },
    waitMs,
  );
}
