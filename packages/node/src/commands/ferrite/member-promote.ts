import type { EdgeCommand } from "../command.ts";
import { askAboutMember } from "./member-ask.ts";

/** FERRITE.MEMBER PROMOTE name [WAIT ms]: its vote counts from then on. Refused when it has not caught up. */
export const memberPromote: EdgeCommand = {
  kind: "edge",
  name: "ferrite.member|promote",
  summary: "Make a voter of a learner",
  complexity: "O(N) where N is the number of members",
  since: "0.1.0",
  group: "ferrite",
  arity: -3,
  flags: ["admin", "noscript", "stale"],
  categories: ["admin", "slow", "dangerous"],
  keySpecs: [],
  arguments: [
    { name: "name", type: "string" },
    { name: "milliseconds", type: "integer", token: "WAIT", flags: ["optional"] },
  ],
  run: (context) => askAboutMember(context, "promote"),
};
