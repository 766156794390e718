import type { Argv } from "../../resp/argv.ts";
import { CONSISTENCY_LEVELS, READ_BOUND_MS_MAX, READ_BOUND_MS_MIN } from "../consistency-levels.ts";
import type { EdgeContext } from "../../server/edge-context.ts";
import type { EdgeCommand } from "../command.ts";
import { parseSmallInteger } from "../integer.ts";

const SYNTAX = "ERR consistency is one of: session, linearizable, lease, bounded <ms>, local";
const BOUND = `ERR a bound is a number of milliseconds from ${READ_BOUND_MS_MIN} to ${READ_BOUND_MS_MAX}`;

/** FERRITE.CONSISTENCY [session | linearizable | lease | bounded [ms] | local]: of this connection's reads. */
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
        { name: "lease", type: "pure-token", token: "LEASE" },
        {
          name: "bounded",
          type: "block",
          arguments: [
            { name: "bounded", type: "pure-token", token: "BOUNDED" },
            { name: "milliseconds", type: "integer", flags: ["optional"] },
          ],
        },
        { name: "local", type: "pure-token", token: "LOCAL" },
      ],
    },
  ],
  run: runConsistency,
};

function runConsistency({ argv, reply, client, server }: EdgeContext): void {
  if (argv.count === 1) {
    const { consistency, readBoundMs } = client;
    reply.bulkText(consistency === "bounded" ? `bounded ${readBoundMs}` : consistency);
    return;
  }
  const level = CONSISTENCY_LEVELS.find((word) => argv.isWord(1, word.toUpperCase()));
  if (level === undefined || argv.count > (level === "bounded" ? 3 : 2)) {
    reply.error(SYNTAX);
    return;
  }
  const boundMs = argv.count === 3 ? boundIn(argv) : server.defaultReadBoundMs;
  if (boundMs === null) {
    reply.error(BOUND);
    return;
  }
  client.consistency = level;
  client.readBoundMs = boundMs;
  reply.ok();
}

function boundIn(argv: Argv): number | null {
  const bound = parseSmallInteger(argv.buffer, argv.starts[2], argv.ends[2]);
  return bound >= READ_BOUND_MS_MIN && bound <= READ_BOUND_MS_MAX ? bound : null;
}
