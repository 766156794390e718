import type { EdgeContext } from "../../server/edge-context.ts";
import type { EdgeCommand } from "../command.ts";
import { NOT_AN_INTEGER } from "../error-texts.ts";
import { parseSmallInteger } from "../integer.ts";
import { propose, readName } from "./member-ask.ts";

const PRIORITY_MAX = 100;

/** FERRITE.MEMBER PRIORITY name 0-100: higher leads rather. Holds until the member's own configuration says something new. */
export const memberPriority: EdgeCommand = {
  kind: "edge",
  name: "ferrite.member|priority",
  summary: "Set how readily a member leads",
  complexity: "O(N) where N is the number of members",
  since: "0.1.0",
  group: "ferrite",
  arity: 4,
  flags: ["admin", "noscript", "stale"],
  categories: ["admin", "slow", "dangerous"],
  keySpecs: [],
  arguments: [
    { name: "name", type: "string" },
    { name: "priority", type: "integer" },
  ],
  run: runPriority,
};

function runPriority(context: EdgeContext): void {
  const name = readName(context, 2);
  if (name === null) return;
  const text = context.argv.bytes(3);
  const priority = parseSmallInteger(text, 0, text.length);
  if (!(priority >= 0 && priority <= PRIORITY_MAX)) return context.reply.error(NOT_AN_INTEGER);
  propose(context, { write: "priority", name, priority }, (answer) =>
    answer((later) => later.ok()),
  );
}
