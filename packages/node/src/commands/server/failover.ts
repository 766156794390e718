/**
 * FAILOVER as Redis 7.0 spells it, for a cluster that chooses its leader itself: at any node, and without FORCE, as nobody can
 * lead who lacks what was acknowledged.
 */
import type { LeadershipOutcome } from "../../replica/leadership-control.ts";
import type { EdgeContext } from "../../server/edge-context.ts";
import { answerLater } from "../acl/answer-later.ts";
import type { EdgeCommand } from "../command.ts";
import { NOT_AN_INTEGER, SYNTAX_ERROR } from "../error-texts.ts";
import { splitAddress } from "../host-and-port.ts";
import { parseSmallInteger } from "../integer.ts";

/** For how long it is tried without TIMEOUT; Redis tries for ever. */
const DEFAULT_TIMEOUT_MS = 10_000;
const TIMEOUT_MS_MAX = 3_600_000;

const NOT_IN_PROGRESS = "ERR No failover in progress.";
const NOT_POSITIVE = "ERR FAILOVER timeout must be greater than 0";
const TOO_LONG = `ERR FAILOVER timeout must not be greater than ${TIMEOUT_MS_MAX}`;
const FORCE_NEEDS =
  "ERR FAILOVER with force option requires both a timeout and target HOST and IP.";
const NO_FORCE =
  "ERR FAILOVER FORCE is not supported: a node that lacks acknowledged writes can not lead. Without FORCE it is brought up to date first";
const NOT_A_REPLICA = "ERR FAILOVER target HOST and PORT is not a replica.";

const REFUSALS: Readonly<Record<LeadershipOutcome, string | null>> = {
  accepted: null,
  stays: null,
  underWay: "ERR FAILOVER already in progress.",
  nobody: "ERR FAILOVER requires connected replicas.",
  nothing: NOT_IN_PROGRESS,
  notLeader: "CLUSTERDOWN no leader answered; leadership stays where it is",
  timeout: "CLUSTERDOWN no leader answered; leadership stays where it is",
};

export const failover: EdgeCommand = {
  kind: "edge",
  name: "failover",
  summary: "Start a coordinated failover between this server and one of its replicas.",
  complexity: "O(1)",
  since: "6.2.0",
  group: "server",
  arity: -1,
  flags: ["admin", "noscript", "stale"],
  categories: ["admin", "slow", "dangerous"],
  keySpecs: [],
  arguments: [
    {
      name: "target",
      type: "block",
      token: "TO",
      flags: ["optional"],
      arguments: [
        { name: "host", type: "string" },
        { name: "port", type: "integer" },
        { name: "force", type: "pure-token", token: "FORCE", flags: ["optional"] },
      ],
    },
    { name: "abort", type: "pure-token", token: "ABORT", flags: ["optional"] },
    { name: "milliseconds", type: "integer", token: "TIMEOUT", flags: ["optional"] },
  ],
  run: runFailover,
};

interface FailoverRequest {
  readonly timeoutMs: number;
  readonly target: { readonly host: string; readonly port: number } | null;
  readonly isForced: boolean;
}

function runFailover(context: EdgeContext): void {
  const { argv, reply, server } = context;
  const { leadership } = server.replica;
  if (argv.count === 2 && argv.isWord(1, "ABORT")) {
    const answer = answerLater(context);
    const options = { until: "accepted", timeoutMs: DEFAULT_TIMEOUT_MS } as const;
    leadership.ask({ kind: "cancel" }, options, (outcome) => answerWith(answer, outcome));
    return;
  }
  const request = readRequest(context);
  if (request === null) return;
  const { target, timeoutMs, isForced } = request;
  if (isForced) {
    return reply.error(timeoutMs === 0 || target === null ? FORCE_NEEDS : NO_FORCE);
  }
  const targetId = target === null ? null : memberAt(context, target);
  if (targetId === undefined) return reply.error(NOT_A_REPLICA);
  const answer = answerLater(context);
  leadership.ask(
    { kind: "transfer", target: targetId },
    { until: "accepted", timeoutMs: timeoutMs === 0 ? DEFAULT_TIMEOUT_MS : timeoutMs },
    (outcome) => answerWith(answer, outcome),
  );
}

function answerWith(answer: ReturnType<typeof answerLater>, outcome: LeadershipOutcome): void {
  const refusal = REFUSALS[outcome];
  answer((reply) => (refusal === null ? reply.ok() : reply.error(refusal)));
}

/** Null after an error was replied. */
function readRequest({ argv, reply }: EdgeContext): FailoverRequest | null {
  let timeoutMs = 0;
  let target: FailoverRequest["target"] = null;
  let isForced = false;
  for (let at = 1; at < argv.count; at++) {
    if (argv.isWord(at, "TIMEOUT") && at + 1 < argv.count && timeoutMs === 0) {
      timeoutMs = integerAt(argv, ++at);
      const error = timeoutError(timeoutMs);
      if (error !== null) {
        reply.error(error);
        return null;
      }
    } else if (argv.isWord(at, "TO") && at + 2 < argv.count && target === null) {
      const port = integerAt(argv, at + 2);
      if (Number.isNaN(port)) {
        reply.error(NOT_AN_INTEGER);
        return null;
      }
      target = { host: argv.latin1(at + 1), port };
      at += 2;
    } else if (argv.isWord(at, "FORCE") && !isForced) {
      isForced = true;
    } else {
      reply.error(SYNTAX_ERROR);
      return null;
    }
  }
  return { timeoutMs, target, isForced };
}

function timeoutError(timeoutMs: number): string | null {
  if (Number.isNaN(timeoutMs)) return NOT_AN_INTEGER;
  if (timeoutMs <= 0) return NOT_POSITIVE;
  return timeoutMs > TIMEOUT_MS_MAX ? TOO_LONG : null;
}

function integerAt(argv: EdgeContext["argv"], at: number): number {
  return parseSmallInteger(argv.buffer, argv.starts[at], argv.ends[at]);
}

/** The other member that announced this address to clients; undefined when none did, or it leads already. */
function memberAt(
  { server }: EdgeContext,
  place: { readonly host: string; readonly port: number },
): string | undefined {
  return server.replica.members().find((member) => {
    const { host, port } = splitAddress(member.clientAddress);
    return host === place.host && port === place.port && !member.isLeader;
  })?.id;
}
