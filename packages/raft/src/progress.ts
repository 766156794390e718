/**
 * What a leader knows of one follower, and what it may send to it.
 *
 *   probe      does not know where the logs agree: one append at a time, until one fits
 *   replicate  knows: appends flow ahead of their answers, as far as the window allows
 *   snapshot   the follower needs what the log has forgotten: no appends until a snapshot is installed
 *
 *        refused append, broken link                 append fits
 *   replicate ----------------------> probe ----------------------> replicate
 *                                      |  ^
 *              entry before is missing |  | installed, or caught up otherwise
 *                                      v  |
 *                                    snapshot
 */
import { Inflights } from "./inflights.ts";
import type { InflightLimits } from "./inflights.ts";
import type { SnapshotTransfer } from "./snapshot-transfer.ts";
import type { Index, NodeId } from "./types.ts";

export class Progress {
  readonly id: NodeId;
  readonly inflights: Inflights;
  /** Known to agree and to be durable there. */
  matchIndex: Index = 0;
  /** First entry of the next append; always above `matchIndex`. */
  nextIndex: Index;
  /** A probe is on its way: wait for its answer. */
  probeInFlight = false;
  /** It has had time for an answer: the next sign of life means that the probe is lost. */
  probeOverdue = false;
  /** Not null exactly in the snapshot state. */
  snapshot: SnapshotTransfer | null = null;
  /** The newest one it was ever offered: an older one would be taken for a late one. */
  snapshotIndexOffered: Index = 0;
  /** The highest commit index it was told. */
  commitTold: Index = 0;
  /** It should hear of a new commit index without waiting for the next append. */
  commitPushDue = false;
  /** The highest read round it has confirmed. */
  readRoundConfirmed = 0;
  /** The tick of this leader's latest lease offer that it keeps to; 0 for none. */
  promisedTick = 0;
  /** `matchIndex` when it last answered a heartbeat: if it has not moved since, something may have been lost. */
  matchAtHeartbeat: Index = -1;
  /** The leader's tick count when it was last heard. */
  heardAtTick: number;

  #replicating = false;

  constructor(options: {
    readonly id: NodeId;
    readonly nextIndex: Index;
    readonly heardAtTick: number;
    readonly limits: InflightLimits;
  }) {
    this.id = options.id;
    this.nextIndex = options.nextIndex;
    this.heardAtTick = options.heardAtTick;
    this.inflights = new Inflights(options.limits);
  }

  get state(): "probe" | "replicate" | "snapshot" {
    if (this.snapshot !== null) {
      return "snapshot";
    }
    return this.#replicating ? "replicate" : "probe";
  }

  becomeProbe(nextIndex: Index): void {
    this.#replicating = false;
    this.snapshot = null;
    this.nextIndex = Math.max(nextIndex, this.matchIndex + 1);
    this.probeInFlight = false;
    this.probeOverdue = false;
    this.inflights.clear();
  }

  /** Nothing is sent before the follower shows itself. */
  waitForSignOfLife(): void {
    this.probeInFlight = true;
    this.probeOverdue = true;
  }

  becomeReplicate(): void {
    this.#replicating = true;
    this.snapshot = null;
    this.nextIndex = this.matchIndex + 1;
    this.probeInFlight = false;
    this.probeOverdue = false;
    this.inflights.clear();
  }

  becomeSnapshot(transfer: SnapshotTransfer): void {
    this.#replicating = false;
    this.snapshot = transfer;
    this.probeInFlight = false;
    this.probeOverdue = false;
    this.inflights.clear();
  }
}
