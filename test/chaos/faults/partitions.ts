/** Networks that fall apart: of two parts, of one direction, of single lines, and such that come and go. */
import { pause } from "../../e2e/harness/cluster.ts";
import type { Prng } from "../../sim/world/prng.ts";
import type { Machines } from "../machines.ts";
import type { Heal, LinkChange } from "../network/link-conditions.ts";
import { drawMs, minorityOf, sample, type Aim, type AimedFault, type FaultKind } from "./fault.ts";
import { Repetition } from "./repetition.ts";

const SHORT_MS = 1_000;
const LONG_MS = 8_000;
/** Each direction is cut with this probability. */
const HOLE_PROBABILITY = 0.3;
const FLAP_MIN_MS = 50;
const FLAP_MAX_MS = 700;

interface Cuts {
  readonly about: string;
  readonly hit: readonly number[];
  readonly keepsMajority: boolean;
  readonly cuts: readonly LinkChange[];
}

export const partitions: readonly FaultKind[] = [
  partition("partition-leader", ({ machines, leader }) => {
    if (leader === null) return null;
    const others = machines.nodeIndexes.filter((node) => node !== leader);
    return apart(machines, [leader], others);
  }),
  partition("partition-halves", ({ machines, random }) => {
    const few = sample(random, machines.nodeIndexes, minorityOf(machines.nodeIndexes.length));
    const many = machines.nodeIndexes.filter((node) => !few.includes(node));
    return apart(machines, few, many);
  }),
  partition("partition-deaf", ({ machines, random }) => {
    const deaf = random.pick(machines.nodeIndexes);
    const cuts = others(machines, deaf).map((from) => cut(from, deaf));
    return {
      about: `${machines.name(deaf)} hears nobody`,
      hit: [deaf],
      keepsMajority: true,
      cuts,
    };
  }),
  partition("partition-mute", ({ machines, random }) => {
    const mute = random.pick(machines.nodeIndexes);
    const cuts = others(machines, mute).map((to) => cut(mute, to));
    return {
      about: `nobody hears ${machines.name(mute)}`,
      hit: [mute],
      keepsMajority: true,
      cuts,
    };
  }),
  partition("partition-bridge", ({ machines, random, leader }) => {
    const [bridge, ...rest] = sample(random, machines.nodeIndexes, machines.nodeIndexes.length);
    const half = Math.ceil(rest.length / 2);
    const sides = [rest.slice(0, half), rest.slice(half)];
    const about = `${names(machines, sides[0])} and ${names(machines, sides[1])} meet only at ${machines.name(bridge)}`;
    // Writes go straight to the leader: who does not reach it waits, although a majority could be reached.
    const hit =
      leader === bridge ? [] : sides.filter((side) => !side.includes(leader ?? -1)).flat();
    return { about, hit, keepsMajority: true, cuts: between(sides[0], sides[1]) };
  }),
  partition("partition-holes", ({ machines, random }) => {
    const all = machines.nodeIndexes.flatMap((from) =>
      others(machines, from).map((to) => cut(from, to)),
    );
    const cuts = all.filter(() => random.chance(HOLE_PROBABILITY));
    const lines = cuts.map(({ from, to }) => `${machines.name(from)}→${machines.name(to)}`);
    return {
      about: `cut: ${lines.join(", ") || "nothing"}`,
      // Who is left with a majority depends on what elections make of it.
      hit: machines.nodeIndexes,
      keepsMajority: false,
      cuts,
    };
  }),
  {
    name: "partition-flapping",
    missing: unlessCuts,
    aim: ({ machines, random }) => {
      const node = random.pick(machines.nodeIndexes);
      const cuts = between([node], others(machines, node));
      return {
        about: `the line of ${machines.name(node)} comes and goes`,
        hit: [node],
        keepsMajority: true,
        durationMs: drawMs(random, SHORT_MS, LONG_MS),
        ...flapping(machines, cuts, random),
      };
    },
  },
];

function partition(name: string, choose: (aim: Aim) => Cuts | null): FaultKind {
  return {
    name,
    missing: unlessCuts,
    aim: (aim) => {
      const chosen = choose(aim);
      if (chosen === null) return null;
      const { cuts, ...what } = chosen;
      const durationMs = drawMs(aim.random, SHORT_MS, LONG_MS);
      return { ...what, durationMs, ...impairment(aim.machines, cuts) };
    },
  };
}

/** Beginning and end of something that is wrong with links. */
export function impairment(
  machines: Machines,
  changes: readonly LinkChange[],
): Pick<AimedFault, "begin" | "end"> {
  let heal: Heal | null = null;
  return {
    begin: async () => {
      heal = await machines.network.impair(changes);
    },
    end: async () => {
      await heal?.();
    },
  };
}

function flapping(
  machines: Machines,
  cuts: readonly LinkChange[],
  random: Prng,
): Pick<AimedFault, "begin" | "end"> {
  return Repetition.of(async () => {
    const heal = await machines.network.impair(cuts);
    await pause(drawMs(random, FLAP_MIN_MS, FLAP_MAX_MS));
    await heal();
    await pause(drawMs(random, FLAP_MIN_MS, FLAP_MAX_MS));
  });
}

function apart(machines: Machines, few: readonly number[], many: readonly number[]): Cuts {
  const about = `${names(machines, few)} cut off from ${names(machines, many)}`;
  return { about, hit: few, keepsMajority: true, cuts: between(few, many) };
}

function between(some: readonly number[], rest: readonly number[]): LinkChange[] {
  return some.flatMap((one) => rest.flatMap((other) => [cut(one, other), cut(other, one)]));
}

function cut(from: number, to: number): LinkChange {
  return { from, to, isCut: true };
}

function unlessCuts(machines: Machines): string | null {
  return machines.network.can.has("cut") ? null : "this network can not cut lines";
}

export function others(machines: Machines, node: number): number[] {
  return machines.nodeIndexes.filter((other) => other !== node);
}

export function names(machines: Machines, nodes: readonly number[]): string {
  return nodes.map((node) => machines.name(node)).join(", ");
}
