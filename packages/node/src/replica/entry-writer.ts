/**
 * How entries of the state machine get into the log: this node's batches through the leader, those of other nodes when this
 * one leads, and what a leader writes by itself (keys and users whose time is up, what it decides about members). Time and seed are stamped here.
 */
import type { Index, NodeId, ProposeResult, RaftCoreApi } from "@ferrite/raft";
import {
  asBuffer,
  BatchBuilder,
  NODE_ACTOR_ID,
  NO_ORIGIN,
  stamp,
  uuidBytes,
  type BatchKind,
} from "./batch.ts";
import { ExpiryCycle, UserExpiryCycle } from "./expiry-cycle.ts";
import { ForwardedWrites } from "./forwarding.ts";
import type { LogicalClock } from "./logical-clock.ts";
import type { OwnBatch } from "./proposals.ts";
import type { StateMachine } from "./state-machine.ts";
import type { PeerPayload } from "./transport.ts";

export interface EntryWriterPorts {
  readonly nodeId: NodeId;
  readonly core: RaftCoreApi;
  readonly clock: LogicalClock;
  machine(): StateMachine;
  /** Whose writes are taken. */
  isMember(id: NodeId): boolean;
  hasSpace(): boolean;
  /** In [0, 1). */
  random(): number;
  /** False when it can not go now. */
  send(to: NodeId, payload: PeerPayload): boolean;
}

export class EntryWriter {
  readonly #ports: EntryWriterPorts;
  /** This node's batches bear it as their origin. */
  readonly ownKey: string;
  /** Of those that have written: made once, as every batch is compared with it. */
  readonly #nodeKeys: Map<NodeId, string> = new Map();
  readonly #forwarded: ForwardedWrites;
  readonly #keyExpiry: ExpiryCycle = new ExpiryCycle();
  readonly #userExpiry: UserExpiryCycle = new UserExpiryCycle();

  constructor(ports: EntryWriterPorts) {
    this.#ports = ports;
    this.ownKey = keyOf(ports.nodeId);
    this.#forwarded = new ForwardedWrites({
      isLeader: () => ports.core.role() === "leader",
      hasSpace: () => ports.hasSpace(),
      appliedSequence: (originKey, incarnation) =>
        ports.machine().sessions.sequenceOf(originKey, incarnation),
      propose: (batch) => ports.core.propose(batch),
      timeMs: () => ports.clock.nowMs(),
      seed: () => this.#seed(),
    });
  }

  /** Another term or leader: what was appended before may be gone. */
  leaderChanged(): void {
    this.#forwarded.forget();
    this.#keyExpiry.reset();
    this.#userExpiry.reset();
  }

  /** Leader only: nodes whose clients wait hear of a new commit index at once. True when a round is to follow. */
  tellCommit(): boolean {
    const { core } = this.#ports;
    if (core.role() !== "leader") return false;
    const ends = { commitIndex: core.commitIndex(), lastIndex: core.lastIndex() };
    return this.#forwarded.tellCommit(ends, (node) => core.pushCommit(node));
  }

  /** Hands one of this node's batches to the leader. False when it can not be taken now. */
  readonly sendOwn = (batch: OwnBatch): boolean => {
    const { core, nodeId, clock } = this.#ports;
    const leader = core.leader();
    if (leader === null) return false;
    if (leader !== nodeId) return this.#ports.send(leader, { kind: "forward", batch: batch.bytes });
    // A leader takes nothing out of its log while its term lasts: a second copy would be passed over in apply.
    if (batch.placedInTerm === core.term()) return true;
    if (!this.#ports.hasSpace()) return false;
    // Bytes that went to a log or to another node once must not change: the new stamp goes on a copy.
    const bytes = batch.attempts > 0 || batch.logged ? Buffer.from(batch.bytes) : batch.bytes;
    stamp(bytes, { timeMs: clock.nowMs(), seed: this.#seed() });
    const accepted = core.propose(bytes).accepted;
    if (accepted) {
      batch.logged = true;
      batch.placedInTerm = core.term();
    }
    return accepted;
  };

  /** A batch of another node. Its bytes belong to this node from now on. */
  receive(from: NodeId, batch: Uint8Array): void {
    // Not a member, or none any more: it gets no answer, as it has no promise of one (members-in-apply.ts).
    if (!this.#ports.isMember(from)) return void this.#nodeKeys.delete(from);
    let key = this.#nodeKeys.get(from);
    if (key === undefined) {
      key = keyOf(from);
      this.#nodeKeys.set(from, key);
    }
    const refusal = this.#forwarded.receive(from, key, asBuffer(batch));
    if (refusal !== null) this.#ports.send(from, refusal);
  }

  /** Leader only: names what has expired. */
  tick(monotonicMs: number): void {
    const { clock } = this.#ports;
    const { keyspace, users } = this.#ports.machine();
    const keys = this.#keyExpiry.tick(keyspace, clock.nowMs(), monotonicMs);
    if (keys !== null) this.#propose(keys);
    const expired = this.#userExpiry.tick(users.nextExpiryMs, clock.nowMs(), monotonicMs);
    if (expired !== null) this.#propose(expired);
  }

  /** Leader only: appends an entry of its own with one record. Its index, or null when it can not be appended now. */
  lead(kind: typeof BatchKind.Raise | typeof BatchKind.Leader, record: Buffer): Index | null {
    const builder = new BatchBuilder(kind);
    builder.add(record, 0, record.length, NODE_ACTOR_ID);
    const result = this.#propose(builder.seal(NO_ORIGIN));
    return result.accepted ? result.index : null;
  }

  #propose(bytes: Buffer): ProposeResult {
    stamp(bytes, { timeMs: this.#ports.clock.nowMs(), seed: 0 });
    // Nobody waits for it: what is refused is found again by the next cycle.
    return this.#ports.core.propose(bytes);
  }

  #seed(): number {
    return Math.floor(this.#ports.random() * 0x100000000);
  }
}

function keyOf(id: NodeId): string {
  return uuidBytes(id).toString("latin1");
}
