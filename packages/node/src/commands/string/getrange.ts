import type { ReadCommand } from "../command.ts";
import { getRange } from "./range.ts";

/** GETRANGE key start end */
export const getrange: ReadCommand = {
  kind: "read",
  name: "getrange",
  summary: "Get a substring of the string stored at a key",
  complexity:
    "O(N) where N is the length of the returned string. The complexity is ultimately determined by the returned length, but because creating a substring from an existing string is very cheap, it can be considered O(1) for small strings.",
  since: "2.4.0",
  group: "string",
  arity: 4,
  flags: ["readonly"],
  categories: ["read", "string", "slow"],
  keySpecs: [
    {
      flags: ["RO", "access"],
      beginSearch: { kind: "index", index: 1 },
      findKeys: { kind: "range", lastKey: 0, keyStep: 1, limit: 0 },
    },
  ],
  arguments: [
    { name: "key", type: "key", keySpecIndex: 0 },
    { name: "start", type: "integer" },
    { name: "end", type: "integer" },
  ],
  run: getRange,
};
