import type { EdgeCommand } from "../command.ts";
import { askChange } from "./member-ask.ts";

/** FERRITE.MEMBER CANCEL: as long as the change has not come to voters. A node that has joined with it goes again. */
export const memberCancel: EdgeCommand = {
  kind: "edge",
  name: "ferrite.member|cancel",
  summary: "Give up the change of the membership that is under way",
  complexity: "O(N) where N is the number of members",
  since: "0.1.0",
  group: "ferrite",
  arity: 2,
  flags: ["admin", "noscript", "stale"],
  categories: ["admin", "slow", "dangerous"],
  keySpecs: [],
  arguments: [],
  run: (context) => askChange(context, { write: "cancel" }, 0),
};
