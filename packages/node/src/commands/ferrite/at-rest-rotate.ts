import type { EdgeCommand } from "../command.ts";
import { changeKeys } from "./at-rest-change.ts";

/** FERRITE.ATREST ROTATE: a new node key. OK once it is durable; STATUS tells when the older one is gone (S40). */
export const atRestRotate: EdgeCommand = {
  kind: "edge",
  name: "ferrite.atrest|rotate",
  summary: "Make a new node key; files follow in the background",
  complexity: "O(1)",
  since: "0.1.0",
  group: "ferrite",
  arity: 2,
  flags: ["admin", "noscript", "loading", "stale"],
  categories: ["admin", "slow", "dangerous"],
  keySpecs: [],
  arguments: [],
  tips: ["request_policy:all_nodes", "response_policy:all_succeeded"],
  run: (context) => changeKeys(context, (atRest) => atRest.rotate(context.client)),
};
