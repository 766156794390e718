/** Nodes that lose their disk and come back under their old name (O07), and members that leave and come again. */
import { pause } from "../../e2e/harness/cluster.ts";
import { RespError, type RespValue } from "../../e2e/harness/resp-client.ts";
import type { Machines } from "../machines.ts";
import { always, drawMs, type AimedFault, type FaultKind } from "./fault.ts";
import { others } from "./partitions.ts";

const DOWN_MIN_MS = 300;
const DOWN_MAX_MS = 4_000;
/** A node that does not answer by then is not waited for. */
const ANSWER_TIMEOUT_MS = 5_000;
/** A member that is to come back has to be one again by then, whatever else happens. */
const RETURN_TIMEOUT_MS = 90_000;
const ASK_AGAIN_MS = 300;

export const membership: readonly FaultKind[] = [
  {
    name: "member-wiped",
    takesCopies: true,
    missing: always,
    aim: ({ machines, free, random }) => {
      if (free.length === 0) return null;
      const node = random.pick(free);
      return {
        about: `${machines.name(node)} is killed and loses its disk`,
        hit: [node],
        keepsMajority: true,
        durationMs: drawMs(random, DOWN_MIN_MS, DOWN_MAX_MS),
        begin: async () => {
          await machines.endNode(node, "SIGKILL");
          machines.wipe(node);
        },
        end: async () => {
          await machines.startNode(node);
          await comesBack(machines, node);
        },
      };
    },
  },
  {
    name: "member-removed",
    takesCopies: true,
    missing: always,
    aim: ({ machines, free, leader, random }) => {
      if (free.length === 0) return null;
      // To remove the leader takes a transfer as well.
      const isLeader = leader !== null && free.includes(leader) && random.chance(0.5);
      const node = isLeader ? leader : random.pick(free);
      return removal(machines, node, drawMs(random, DOWN_MIN_MS, DOWN_MAX_MS));
    },
  },
  {
    name: "member-demoted",
    takesCopies: true,
    missing: always,
    aim: ({ machines, free, random }) => {
      if (free.length === 0) return null;
      const node = random.pick(free);
      return {
        about: `${machines.name(node)} is made a learner, and a voter again`,
        hit: [],
        keepsMajority: true,
        durationMs: drawMs(random, DOWN_MIN_MS, DOWN_MAX_MS),
        begin: async () => {
          await ask(machines, node, "DEMOTE");
        },
        end: async () => {
          await comesBack(machines, node);
        },
      };
    },
  },
];

/** Removed it stops by itself; an empty disk under its name is a new member, which has to be invited. */
function removal(machines: Machines, node: number, durationMs: number): AimedFault {
  return {
    about: `${machines.name(node)} is removed, and comes back with an empty disk`,
    hit: [node],
    keepsMajority: true,
    durationMs,
    begin: async () => {
      machines.mayEnd(node);
      await ask(machines, node, "REMOVE");
    },
    end: () => comesBack(machines, node),
  };
}

/**
 * Until the node runs and is a voter. Removals and demotions that were asked for may have been refused, may be under way, or
 * may only now be carried out: what is asked for depends on what is, again and again.
 */
async function comesBack(machines: Machines, node: number): Promise<void> {
  const deadlineMs = performance.now() + RETURN_TIMEOUT_MS;
  let role: string | null = null;
  while (performance.now() < deadlineMs) {
    role = await roleOf(machines, node);
    const isRunning = machines.cluster.isRunning(node);
    if (role === "voter" && isRunning) return;
    if (!isRunning) {
      // A disk that was removed is refused for ever; only an empty one is let in under its name.
      if (role === "none") machines.wipe(node);
      await machines.startNode(node);
    }
    machines.mayEnd(node);
    if (role === "none") await ask(machines, node, "ADD");
    if (role === "learner") await ask(machines, node, "PROMOTE");
    await pause(ASK_AGAIN_MS);
  }
  const name = machines.name(node);
  throw new Error(`${name} is no voter again within ${RETURN_TIMEOUT_MS} ms, but ${role}`);
}

/** What the answer is shows in the members; a refusal is asked about again by who needs it. */
async function ask(machines: Machines, node: number, verb: string): Promise<void> {
  await askAnother(machines, node, verb, machines.name(node));
}

/**
 * As another node has applied it: "none" of one that is no member, "silent" of a voter to which that node has no link (that
 * of a disk which is gone is one), null when nobody answers.
 */
async function roleOf(machines: Machines, node: number): Promise<string | null> {
  const members = mapOf(await askAnother(machines, node, "LIST"))?.get("members");
  if (!Array.isArray(members)) return null;
  const roles = (members as readonly RespValue[])
    .map(mapOf)
    .filter((member) => member?.get("name") === machines.name(node))
    .map((member) => {
      const isSilent = member?.get("role") === "voter" && member.get("connected") !== 1;
      return isSilent ? "silent" : textOf(member?.get("role"));
    });
  return roles.find((role) => role === "voter") ?? roles.at(-1) ?? "none";
}

/** The answer of the first other node that gives one. */
async function askAnother(
  machines: Machines,
  node: number,
  ...words: readonly string[]
): Promise<RespValue> {
  for (const other of others(machines, node)) {
    if (!machines.cluster.isRunning(other)) continue;
    const answer = machines.cluster.call(other, "FERRITE.MEMBER", ...words).catch(() => null);
    const reply = await Promise.race([answer, pause(ANSWER_TIMEOUT_MS).then(() => null)]);
    if (reply !== null && !(reply instanceof RespError)) return reply;
  }
  return null;
}

/** A map of RESP2: names and values in turns. */
function mapOf(reply: RespValue): ReadonlyMap<string, RespValue> | null {
  if (!Array.isArray(reply)) return null;
  const values = reply as readonly RespValue[];
  const names = values.filter((_, at) => at % 2 === 0);
  return new Map(names.map((name, at) => [textOf(name), values[at * 2 + 1] ?? null]));
}

function textOf(value: RespValue | undefined): string {
  return typeof value === "string" ? value : "";
}
