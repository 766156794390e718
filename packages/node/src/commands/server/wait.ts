import type { EdgeCommand } from "../command.ts";
import type { EdgeContext } from "../../server/edge-context.ts";
import { NOT_AN_INTEGER } from "../error-texts.ts";
import { parseInt64 } from "../integer.ts";

/** Longer waits are taken as waits without end: timers count milliseconds in 31 bits, which is 24 days. */
const TIMEOUT_MS_MAX = 2_147_483_647n;

/**
 * WAIT numreplicas timeout: how many other nodes have the connection's last write. It is on a majority already when it
 * was answered, so this asks for more than that.
 */
export const wait: EdgeCommand = {
  kind: "edge",
  name: "wait",
  summary:
    "Wait for the synchronous replication of all the write commands sent in the context of the current connection",
  complexity: "O(1)",
  since: "3.0.0",
  group: "generic",
  arity: 3,
  flags: ["noscript"],
  categories: ["slow", "connection"],
  keySpecs: [],
  arguments: [
    { name: "numreplicas", type: "integer" },
    { name: "timeout", type: "integer" },
  ],
  tips: ["request_policy:all_shards", "response_policy:agg_min"],
  run: runWait,
};

function runWait(context: EdgeContext): void {
  const { argv, reply, client, server } = context;
  const wanted = parseInt64(argv.buffer, argv.starts[1], argv.ends[1]);
  const timeoutMs = parseInt64(argv.buffer, argv.starts[2], argv.ends[2]);
  if (wanted === null) return reply.error(NOT_AN_INTEGER);
  if (timeoutMs === null) return reply.error("ERR timeout is not an integer or out of range");
  if (timeoutMs < 0n) return reply.error("ERR timeout is negative");

  const request = {
    index: client.lastWriteIndex,
    wanted: Number(wanted),
    timeoutMs: timeoutMs > TIMEOUT_MS_MAX ? 0 : Number(timeoutMs),
  };
  const state = { answered: false };
  let waiting: { resume(): void } | null = null;
  const giveUp = server.replica.waitForCopies(request, (count) => {
    state.answered = true;
    reply.integer(count);
    waiting?.resume();
  });
  if (!state.answered) waiting = context.defer(giveUp);
}
