import type { EdgeCommand } from "../command.ts";
import type { Consistency, EdgeContext } from "../../server/edge-context.ts";

const LEVELS: readonly (readonly [string, Consistency])[] = [
  ["SESSION", "session"],
  ["LINEARIZABLE", "linearizable"],
  ["LOCAL", "local"],
];

/** FERRITE.CONSISTENCY [session | linearizable | local]: of this connection's reads. */
export const ferriteConsistency: EdgeCommand = {
  kind: "edge",
  name: "ferrite.consistency",
  summary: "Set or return how fresh the reads of this connection are",
  complexity: "O(1)",
  since: "0.1.0",
  group: "ferrite",
  arity: -1,
  flags: ["loading", "stale", "fast"],
  categories: ["fast", "connection"],
  keySpecs: [],
  arguments: [
    {
      name: "level",
      type: "oneof",
      flags: ["optional"],
      arguments: [
        { name: "session", type: "pure-token", token: "SESSION" },
        { name: "linearizable", type: "pure-token", token: "LINEARIZABLE" },
        { name: "local", type: "pure-token", token: "LOCAL" },
      ],
    },
  ],
  run: runConsistency,
};

function runConsistency({ argv, reply, client }: EdgeContext): void {
  if (argv.count === 1) {
    reply.bulkText(client.consistency);
    return;
  }
  const level = argv.count === 2 ? LEVELS.find(([word]) => argv.isWord(1, word)) : undefined;
  if (level === undefined) {
    reply.error("ERR consistency is one of: session, linearizable, local");
    return;
  }
  client.consistency = level[1];
  reply.ok();
}
