import type { EdgeCommand } from "../command.ts";
import { changeKeys } from "./at-rest-change.ts";

/** FERRITE.ATREST REWRAP: the keyring is wrapped anew, by the first key of the file or the newest version in Vault (S40). */
export const atRestRewrap: EdgeCommand = {
  kind: "edge",
  name: "ferrite.atrest|rewrap",
  summary: "Wrap this node's keys with the key-encryption key that is current now",
  complexity: "O(1)",
  since: "0.1.0",
  group: "ferrite",
  arity: 2,
  flags: ["admin", "noscript", "loading", "stale"],
  categories: ["admin", "slow", "dangerous"],
  keySpecs: [],
  arguments: [],
  tips: ["request_policy:all_nodes", "response_policy:all_succeeded"],
  run: (context) => changeKeys(context, (atRest) => atRest.rewrap(context.client)),
};
