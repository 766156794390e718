import type { LoadResult, SteadyJob } from "../load/job.ts";
import { runLoad, runSteady } from "../load/run-load.ts";
import { infoField } from "../peers/peer.ts";
import { respCall } from "../peers/resp-call.ts";
import { fillOnce } from "./fill-once.ts";
import type { Measurement, Round, Row, Side } from "./row.ts";

const CONNECTIONS = 50;
/** What somebody who means harm sends a second. */
const HOSTILE_PER_SECOND = 10_000;
/** A password of each waits to be hashed, and more than may wait at all: the rest is refused at once. */
const GUESSING_CONNECTIONS = 500;
/** The flood begins before the measured time and ends behind it. */
const LEAD_MS = 1000;

interface AccessUser {
  readonly name: string;
  readonly rules: readonly string[];
}

const RESTRICTED: AccessUser = {
  name: "restricted",
  rules: ["~key:*", "+@all", "-@dangerous"],
};
/** The pattern that fits comes last of ten. */
const MANY_PATTERNS: AccessUser = {
  name: "patterns",
  rules: [
    ...["a", "b", "c", "d", "e", "f", "g", "h", "i"].map((letter) => `~${letter}:*:data`),
    "~key:*",
    "+@all",
    "-@dangerous",
    "(%R~shared:* +@read)",
  ],
};
/** Whose password is guessed (SteadyJob). */
const GUESSED: AccessUser = { name: "guessed", rules: ["resetpass", ">not-a-guess", "+@all"] };
const DENIED: AccessUser = { name: "denied", rules: ["~own:*", "+@read"] };

async function createUser(port: number, { name, rules }: AccessUser): Promise<void> {
  await respCall(port, "ACL", "SETUSER", name, "reset", "on", "nopass", ...rules);
}

/** GET or SET at the leader; as `user`, or as the default user. */
async function load(
  round: Round,
  kind: "get" | "set",
  user: AccessUser | null = null,
): Promise<LoadResult> {
  const { warmupMs, durationMs, keyCount, valueBytes } = round.settings;
  const peer = await round.peers.get("ferrite");
  const [port] = peer.ports;
  await fillOnce(peer, round.settings);
  if (user !== null) await createUser(port, user);
  const login = user === null ? {} : { login: { user: user.name, password: "any" } };
  return await runLoad({
    kind,
    ports: [port],
    connections: CONNECTIONS,
    pipeline: 1,
    keyCount,
    valueBytes,
    warmupMs,
    durationMs,
    seed: round.number + 1,
    ...login,
  });
}

function measured(result: LoadResult, unit: Row["unit"]): Measurement {
  const { operationsPerSecond, latencyP50Ms, latencyP99Ms, latencyMaxMs, generatorLoad } = result;
  return {
    value: unit === "ms" ? latencyP99Ms : operationsPerSecond,
    details: { operationsPerSecond, latencyP50Ms, latencyP99Ms, latencyMaxMs, generatorLoad },
  };
}

function side(label: string, measure: Side["measure"]): Side {
  return { label, peer: "ferrite", measure };
}

function restrictedRow(kind: "get" | "set", user: AccessUser, what: string): Row {
  return {
    id: `acl-${kind}-${user.name}`,
    title: `${kind.toUpperCase()}, ${CONNECTIONS} clients, ${what}`,
    unit: "op/s",
    ours: side(user.name, async (round) => measured(await load(round, kind, user), "op/s")),
    theirs: side("the default user", async (round) => measured(await load(round, kind), "op/s")),
    floor: 0.95,
    goal: 0.99,
    moreIsBetter: true,
    once: false,
  };
}

interface Hostile {
  readonly kind: SteadyJob["kind"];
  readonly connections: number;
  /** Who has to be there. */
  readonly user: AccessUser;
  /** Whether the connections log in as that user first. */
  readonly isLoggedIn: boolean;
}

/** The load of others while somebody floods the same node. Elections that come of it are counted. */
async function underFlood(round: Round, flood: Hostile, unit: Row["unit"]): Promise<Measurement> {
  const peer = await round.peers.get("ferrite");
  const [port] = peer.ports;
  await fillOnce(peer, round.settings);
  await createUser(port, flood.user);
  const login = flood.isLoggedIn ? { login: { user: flood.user.name, password: "any" } } : {};
  const termBefore = Number(await infoField(port, "raft", "raft_term"));
  const { warmupMs, durationMs } = round.settings;
  const [hostile, others] = await Promise.all([
    runSteady({
      kind: flood.kind,
      port,
      connections: flood.connections,
      perSecond: HOSTILE_PER_SECOND,
      durationMs: warmupMs + durationMs + 2 * LEAD_MS,
      ...login,
    }),
    load(round, "set"),
  ]);
  const elections = Number(await infoField(port, "raft", "raft_term")) - termBefore;
  const { value, details } = measured(others, unit);
  return {
    value,
    details: {
      ...details,
      elections,
      hostilePerSecond: hostile.sentPerSecond,
      hostileAnsweredPerSecond: hostile.answeredPerSecond,
    },
  };
}

function electionFault({ details }: Measurement): string | null {
  return details["elections"] === 0 ? null : `${details["elections"]} elections`;
}

function floodRow(
  id: string,
  what: string,
  options: {
    readonly flood: Hostile;
    readonly unit: "op/s" | "ms";
    readonly floor: number;
    readonly goal: number;
  },
): Row {
  const { flood, unit, floor, goal } = options;
  const measure = unit === "ms" ? "p99 of SET" : "SET";
  return {
    id,
    title: `${measure}, ${CONNECTIONS} clients, beside ${what}`,
    unit,
    ours: side("beside the flood", (round) => underFlood(round, flood, unit)),
    theirs: side("the same without", async (round) => measured(await load(round, "set"), unit)),
    floor,
    goal,
    moreIsBetter: unit !== "ms",
    once: false,
    fault: electionFault,
  };
}

const denied: Hostile = { kind: "denied", connections: 1, user: DENIED, isLoggedIn: true };
const guesses: Hostile = {
  kind: "wrongAuth",
  connections: GUESSING_CONNECTIONS,
  user: GUESSED,
  isLoggedIn: false,
};

/** What access control costs those who behave: by its checks, and by those who do not behave. */
export const accessRows: readonly Row[] = [
  restrictedRow("get", RESTRICTED, "a restricted user"),
  restrictedRow("set", RESTRICTED, "a restricted user"),
  restrictedRow("get", MANY_PATTERNS, "ten patterns and a selector"),
  restrictedRow("set", MANY_PATTERNS, "ten patterns and a selector"),
  floodRow("acl-denied", "10,000 denied commands a second", {
    flood: denied,
    unit: "op/s",
    floor: 0.7,
    goal: 0.9,
  }),
  floodRow("acl-denied-p99", "10,000 denied commands a second", {
    flood: denied,
    unit: "ms",
    floor: 2,
    goal: 1.2,
  }),
  floodRow("auth-flood", "10,000 wrong passwords a second", {
    flood: guesses,
    unit: "op/s",
    floor: 0.5,
    goal: 0.8,
  }),
  floodRow("auth-flood-p99", "10,000 wrong passwords a second", {
    flood: guesses,
    unit: "ms",
    floor: 2,
    goal: 1.5,
  }),
];
