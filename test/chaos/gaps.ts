/**
 * How long clients had to wait while a fault was at work: the longest time between two acknowledged writes, for each probe (a
 * client that writes all the time) on a node that the fault did not hit. With no majority left nobody can be served: then what counts is the time from the
 * fault's end to the first acknowledged write, for every client.
 */
import { minorityOf } from "./faults/fault.ts";
import type { MadeFault } from "./nemesis.ts";

/** When one client's writes were acknowledged. */
export interface Acknowledgements {
  readonly node: number;
  readonly acknowledgedMs: readonly number[];
}

export interface GapStatistics {
  readonly count: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** One gap per client that could expect something. */
export function gapsOf(fault: MadeFault, clients: readonly Acknowledgements[]): number[] {
  if (!fault.keepsMajority)
    return clients.map((client) => timeToFirst(client, fault.endedMs, fault));
  const spared = clients.filter((client) => !fault.hit.includes(client.node));
  return spared.map((client) => longestGap(client.acknowledgedMs, fault.startedMs, fault.wellMs));
}

/** Faults that were at work at the same time, as one: together they may leave no majority. */
export function joined(round: readonly MadeFault[], nodes: number): MadeFault {
  const hit = [...new Set(round.flatMap((fault) => fault.hit))];
  return {
    kind: round.map(({ kind }) => kind).join(" and "),
    about: round.map(({ about }) => about).join("; "),
    hit,
    keepsMajority:
      round.every((fault) => fault.keepsMajority) &&
      (round.length === 1 || hit.length <= minorityOf(nodes)),
    startedMs: Math.min(...round.map(({ startedMs }) => startedMs)),
    endedMs: Math.max(...round.map(({ endedMs }) => endedMs)),
    wellMs: Math.max(...round.map(({ wellMs }) => wellMs)),
  };
}

/** Null of no gaps. */
export function statisticsOf(gapsMs: readonly number[]): GapStatistics | null {
  if (gapsMs.length === 0) return null;
  const sorted = gapsMs.toSorted((one, other) => one - other);
  const at = (share: number): number => sorted[Math.ceil(share * sorted.length) - 1];
  return { count: sorted.length, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: sorted.at(-1)! };
}

function timeToFirst(
  { acknowledgedMs }: Acknowledgements,
  fromMs: number,
  { wellMs }: MadeFault,
): number {
  const first = acknowledgedMs.find((ms) => ms >= fromMs);
  return Math.max(0, (first ?? wellMs) - fromMs);
}

/** Of those that lie at least partly between the two times. */
function longestGap(acknowledgedMs: readonly number[], startedMs: number, endedMs: number): number {
  let longest = 0;
  let previous = startedMs;
  for (const ms of acknowledgedMs) {
    if (ms >= startedMs) longest = Math.max(longest, ms - previous);
    if (ms >= endedMs) return longest;
    previous = ms;
  }
  return Math.max(longest, endedMs - previous);
}
