/**
 * The leader's side of writes that other nodes gathered: takes their batches into the log in the order of each node's stream.
 */
import type { NodeId, ProposeResult } from "@ferrite/raft";
import { BatchReader, isWholeBatch, stamp } from "./batch.ts";
import type { PeerPayload } from "./transport.ts";

type Refusal = Extract<PeerPayload, { readonly kind: "forwardRefused" }>;

export interface ForwardTarget {
  isLeader(): boolean;
  hasSpace(): boolean;
  /** The newest batch of this stream that this node has applied; 0 when none of this incarnation was. */
  appliedSequence(originKey: string, incarnation: number): number;
  /** Appends stamped bytes. */
  propose(batch: Buffer): ProposeResult;
  timeMs(): number;
  seed(): number;
}

/** Sequences in [first, next) of one incarnation are in this leader's log, in order. */
interface AppendedRun {
  readonly incarnation: number;
  readonly first: number;
  readonly next: number;
}

export class ForwardedWrites {
  readonly #target: ForwardTarget;
  readonly #reader: BatchReader = new BatchReader();
  /**
   * Per node, the newest run of its stream that this leader has appended without a gap. It never goes back to what
   * is in the run: a batch that was sent again, late, would make everything behind the run look like a gap.
   */
  readonly #appended: Map<NodeId, AppendedRun> = new Map();

  /** Per node, the newest index that clients of it wait for. */
  readonly #awaited: Map<NodeId, number> = new Map();
  /** The newest commit index that all nodes were told without being asked. */
  #told = 0;
  /** The newest commit index behind which there was nothing when it was looked at. */
  #drainedAt = 0;

  constructor(target: ForwardTarget) {
    this.#target = target;
  }

  /** A new term: what was appended before may be gone. */
  forget(): void {
    this.#appended.clear();
    this.#awaited.clear();
  }

  /**
   * Nodes whose clients wait hear of a new commit index at once; the others with the next append. When none is on its
   * way by the next round they hear of it then: who writes here and then reads there should not find the past for the
   * rest of a tick. A round later, because the clients that were answered meanwhile write again: with the next append the
   * news costs nobody a message of its own. True when there is to be a next round for that.
   */
  tellCommit(
    log: { readonly commitIndex: number; readonly lastIndex: number },
    push: (to?: NodeId) => void,
  ): boolean {
    const { commitIndex } = log;
    for (const [node, index] of this.#awaited) {
      push(node);
      if (commitIndex >= index) this.#awaited.delete(node);
    }
    if (commitIndex < log.lastIndex || commitIndex === this.#told) return false;
    if (commitIndex !== this.#drainedAt) {
      this.#drainedAt = commitIndex;
      return true;
    }
    this.#told = commitIndex;
    push();
    return false;
  }

  /**
   * Appends a batch from another node, or says why not. Null when it is in the log, now or since before (or is none
   * and was dropped). `bytes` belongs to this node from now on: time and seed are written into it.
   */
  receive(from: NodeId, originKey: string, bytes: Buffer): Refusal | null {
    if (!isWholeBatch(bytes) || !this.#reader.open(bytes) || this.#reader.originKey !== originKey)
      return null;
    const { incarnation, sequence } = this.#reader;
    const refusal = (reason: Refusal["reason"]): Refusal => ({
      kind: "forwardRefused",
      incarnation,
      sequence,
      reason,
    });
    if (!this.#target.isLeader()) return refusal("notLeader");
    const applied = this.#target.appliedSequence(originKey, incarnation);
    let run = this.#appended.get(from);
    // A new incarnation begins a run of its own; so does what follows batches that another leader appended.
    if (run?.incarnation !== incarnation || run.next <= applied) run = undefined;
    // Sent again, while the first is on its way to its commit or after it.
    const known = run !== undefined && sequence >= run.first && sequence < run.next;
    if (known || sequence <= applied) return null;
    if (!this.#target.hasSpace()) return refusal("noSpace");
    // Its predecessor was refused or lost: apply would only drop this one.
    if (run !== undefined && sequence > run.next) return refusal("gap");
    stamp(bytes, { timeMs: this.#target.timeMs(), seed: this.#target.seed() });
    const result = this.#target.propose(bytes);
    if (!result.accepted) return refusal(result.reason === "notLeader" ? "notLeader" : "busy");
    const first = run !== undefined && sequence === run.next ? run.first : sequence;
    this.#appended.set(from, { incarnation, first, next: sequence + 1 });
    this.#awaited.set(from, result.index);
    return null;
  }
}
