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
  /** Appends stamped bytes. */
  propose(batch: Buffer): ProposeResult;
  timeMs(): number;
  seed(): number;
}

export class ForwardedWrites {
  readonly #target: ForwardTarget;
  readonly #reader: BatchReader = new BatchReader();
  /** What each node's stream must bring next, as far as this leader has appended it. */
  readonly #expected: Map<NodeId, { readonly incarnation: number; readonly sequence: number }> =
    new Map();

  /** Per node, the newest index that clients of it wait for. */
  readonly #awaited: Map<NodeId, number> = new Map();

  constructor(target: ForwardTarget) {
    this.#target = target;
  }

  /** A new term: what was appended before may be gone. */
  forget(): void {
    this.#expected.clear();
    this.#awaited.clear();
  }

  /** Nodes whose clients wait hear of a new commit index at once; the others with the next append, or tick. */
  tellCommit(commitIndex: number, pushTo: (node: NodeId) => void): void {
    for (const [node, index] of this.#awaited) {
      pushTo(node);
      if (commitIndex >= index) this.#awaited.delete(node);
    }
  }

  /**
   * Appends a batch from another node, or says why not. Null when it is in the log (or is none and was dropped).
   * `bytes` belongs to this node from now on: time and seed are written into it.
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
    if (!this.#target.hasSpace()) return refusal("noSpace");
    const expected = this.#expected.get(from);
    if (
      expected !== undefined &&
      incarnation === expected.incarnation &&
      sequence > expected.sequence
    ) {
      // Its predecessor was refused or lost: apply would only drop this one.
      return refusal("busy");
    }
    stamp(bytes, { timeMs: this.#target.timeMs(), seed: this.#target.seed() });
    const result = this.#target.propose(bytes);
    if (!result.accepted) return refusal(result.reason === "notLeader" ? "notLeader" : "busy");
    this.#expected.set(from, { incarnation, sequence: sequence + 1 });
    this.#awaited.set(from, result.index);
    return null;
  }
}
