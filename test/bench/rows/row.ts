import type { PeerName, PeerSet } from "../peers/peer-set.ts";
import type { BenchSettings } from "../settings.ts";

/** One side of a row, measured once. */
export interface Measurement {
  /** Operations per second; bytes per key in the memory row; ms where a latency is measured. */
  readonly value: number;
  /** What else was seen, for the JSON file. */
  readonly details: Readonly<Record<string, number>>;
}

export interface Round {
  readonly peers: PeerSet;
  readonly settings: BenchSettings;
  /** From 0; decides which node is asked where any may be. */
  readonly number: number;
}

export interface Side {
  readonly label: string;
  readonly peer: PeerName;
  measure(round: Round): Promise<Measurement>;
}

/** A line of the table: ours against theirs, in the same run. */
export interface Row {
  readonly id: string;
  readonly title: string;
  readonly unit: "op/s" | "B/key" | "ms";
  readonly ours: Side;
  readonly theirs: Side;
  /** The ratio ours / theirs that the design asks for and the one it aims at. */
  readonly floor: number;
  readonly goal: number;
  /** False for memory and latencies, where less is better. */
  readonly moreIsBetter: boolean;
  /** Measured once: it starts from empty servers and takes long. */
  readonly once: boolean;
  /** What must not happen while ours is measured, whatever the ratio: why the row fails, or null. */
  readonly fault?: (ours: Measurement) => string | null;
}
