/** What a run of the random network is asked for, and what it tells in the end. */
import type { Canary } from "../harness/test-node.ts";

export interface NetworkSetup {
  readonly seed: number;
  readonly nodes: number;
  readonly steps: number;
  readonly canary?: Canary;
  readonly membershipChanges?: boolean;
  /** Logs get damaged behind some point while their node is down; never of more nodes than may fail. */
  readonly damage?: boolean;
  /**
   * Somebody always reads by lease, and whoever has one must know of all that is committed. The nodes' clocks then run
   * as a lease may rely on: one of them a tenth slower than the others.
   */
  readonly leases?: boolean;
  /** Every run is a storm of elections, instead of every fourth. */
  readonly storm?: boolean;
}

export interface Outcome {
  readonly commitIndex: number;
  readonly term: number;
  readonly readsConfirmed: number;
  readonly snapshotsInstalled: number;
  readonly logsDamaged: number;
  readonly leasesSeen: number;
}
