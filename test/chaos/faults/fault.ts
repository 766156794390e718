/** What a fault is to the nemesis: something that may be possible here, is aimed, begins and ends. */
import type { Prng } from "../../sim/world/prng.ts";
import type { Machines } from "../machines.ts";

/** What a fault aims by. */
export interface Aim {
  readonly machines: Machines;
  readonly random: Prng;
  /** Nodes that no other fault is doing something to. */
  readonly free: readonly number[];
  /** Who leads, if that can be told. */
  readonly leader: number | null;
}

export interface AimedFault {
  /** For people: what happens to whom. */
  readonly about: string;
  /** Nodes whose clients can expect nothing while it lasts. */
  readonly hit: readonly number[];
  /** Whether a majority that hears each other is left. */
  readonly keepsMajority: boolean;
  readonly durationMs: number;
  begin(): Promise<void>;
  /** Takes back what was begun; the nodes need not be well yet. */
  end(): Promise<void>;
}

export interface FaultKind {
  readonly name: string;
  /**
   * Takes a copy of the data or a vote from the cluster until it ends. Two of these at once can be more than the cluster is made to
   * bear: of three members one that is gone and one whose disk is lost leave no majority for ever.
   */
  readonly takesCopies?: true;
  /** Why it can not be made here, or null. */
  missing(machines: Machines): string | null;
  /** Null when there is nobody to aim at now. */
  aim(aim: Aim): AimedFault | null;
}

export function always(): null {
  return null;
}

/** In milliseconds, both ends drawn whole. */
export function drawMs(random: Prng, low: number, high: number): number {
  return random.between(low, high + 1);
}

/** So many different ones of these, in no order. */
export function sample<Item>(random: Prng, items: readonly Item[], count: number): Item[] {
  const left = [...items];
  return Array.from({ length: Math.min(count, left.length) }, () => {
    return left.splice(random.between(0, left.length), 1)[0];
  });
}

/** Fewer than half of so many. */
export function minorityOf(nodes: number): number {
  return Math.ceil(nodes / 2) - 1;
}
