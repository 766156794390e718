import type { EdgeCommand } from "../command.ts";
import { askAboutMember } from "./member-ask.ts";

/** FERRITE.MEMBER DEMOTE name [WAIT ms]: it goes on as a learner, which has the data and no vote. */
export const memberDemote: EdgeCommand = {
  kind: "edge",
  name: "ferrite.member|demote",
  summary: "Make a learner of a voter",
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
  run: (context) => askAboutMember(context, "demote"),
};
