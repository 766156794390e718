import type { KeyContext, ReadCommand } from "../command.ts";
import { findKeyUntouched } from "../lookup.ts";

/** OBJECT FREQ key */
export const objectFreq: ReadCommand = {
  kind: "read",
  name: "object|freq",
  summary: "Get the logarithmic access frequency counter of a Redis object",
  complexity: "O(1)",
  since: "4.0.0",
  group: "generic",
  arity: 3,
  flags: ["readonly"],
  categories: ["keyspace", "read", "slow"],
  keySpecs: [
    {
      flags: ["RO"],
      beginSearch: { kind: "index", index: 2 },
      findKeys: { kind: "range", lastKey: 0, keyStep: 1, limit: 0 },
    },
  ],
  arguments: [{ name: "key", type: "key", keySpecIndex: 0 }],
  tips: ["nondeterministic_output"],
  run: runFreq,
};

/** Frequencies are counted under an LFU eviction policy only, and nothing is ever evicted here. */
function runFreq(context: KeyContext): void {
  if (findKeyUntouched(context, 2) === 0) {
    context.reply.nullBulk();
    return;
  }
  context.reply.error(
    "ERR An LFU maxmemory policy is not selected, access frequency not tracked. " +
      "Please note that when switching between policies at runtime LRU and LFU data " +
      "will take some time to adjust.",
  );
}
