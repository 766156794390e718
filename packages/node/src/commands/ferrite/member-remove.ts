import type { EdgeCommand } from "../command.ts";
import { askAboutMember } from "./member-ask.ts";

/** FERRITE.MEMBER REMOVE name [WAIT ms]: it is a member no more, and stops. Refused when the rest would have no quorum. */
export const memberRemove: EdgeCommand = {
  kind: "edge",
  name: "ferrite.member|remove",
  summary: "Remove a member from the cluster",
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
  run: (context) => askAboutMember(context, "remove"),
};
