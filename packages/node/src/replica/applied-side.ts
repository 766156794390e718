/**
 * The applied side of a replica: the state machine that serves, what waits to be applied to it, and how a received snapshot takes
 * its place.
 */
import type { Entry, Index, NodeId, RaftCoreApi, SnapshotMeta } from "@ferrite/raft";
import type { KeyspaceApi, LogWriter } from "@ferrite/storage";
import type { UsersChange } from "@ferrite/acl";
import { ApplyQueue } from "./apply-queue.ts";
import type { BatchReader } from "./batch.ts";
import type { LogicalClock } from "./logical-clock.ts";
import type { ReplicaEvents } from "./options.ts";
import type { Proposals } from "./proposals.ts";
import type { ServiceState } from "./service-state.ts";
import type { SessionVerdict } from "./sessions.ts";
import type { ApplyListener, StateMachine } from "./state-machine.ts";
import type { WriteClient } from "./write-path.ts";

export interface AppliedSidePorts {
  readonly core: RaftCoreApi;
  readonly clock: LogicalClock;
  readonly proposals: Proposals;
  readonly service: ServiceState;
  readonly log: LogWriter;
  readonly events: ReplicaEvents;
  /** This node's batches bear it as their origin. */
  ownKey(): string;
  /** The users have changed; null: by a snapshot that took the place of the state. */
  usersChanged(change: UsersChange | null, index: number): void;
  /** The members have changed, or were replaced by a snapshot's. */
  membersChanged(): void;
  /** A comparison of states begins, or a node says what its state was. */
  stateWrite(words: readonly string[], origin: NodeId, index: Index): void;
  /** Another state machine serves from now on. */
  keyspaceReplaced(keyspace: KeyspaceApi): void;
  /** A round is to follow: something has come up. */
  plan(): void;
}

export class AppliedSide {
  readonly #ports: AppliedSidePorts;
  readonly #queue: ApplyQueue = new ApplyQueue();
  readonly #listener: ApplyListener;
  #machine: StateMachine;
  /** Where the newest write of this process stands that came up in this round; 0 without one. */
  #ownIndex = 0;

  constructor(machine: StateMachine, ports: AppliedSidePorts) {
    this.#machine = machine;
    this.#ports = ports;
    this.#listener = {
      batch: (reader, verdict) => this.#batchComesUp(reader, verdict),
      commandThrew: (name, error) => ports.events.commandThrew(name, error),
      expired: (count) => ports.events.keysExpired(count),
      usersChanged: (change, index) => ports.usersChanged(change, index),
      stateWrite: (words, origin, index) => ports.stateWrite(words, origin, index),
      membersChanged: () => ports.membersChanged(),
    };
  }

  get machine(): StateMachine {
    return this.#machine;
  }

  /** Something waits to be applied. */
  get hasWork(): boolean {
    return !this.#queue.isEmpty;
  }

  push(committed: readonly Entry[]): void {
    this.#queue.push(committed);
  }

  /** Applies what is committed, up to about so many records; the rest comes in the next round. */
  apply(recordsMax: number): void {
    const { core, clock } = this.#ports;
    this.#queue.apply(this.#machine, this.#listener, recordsMax);
    clock.applied(this.#machine.timeMs);
    if (this.#machine.appliedIndex > 0) core.applied(this.#machine.appliedIndex);
    if (this.#ownIndex > 0) core.ownEntryCommitted(this.#ownIndex);
    this.#ownIndex = 0;
  }

  /** A received snapshot is durable and restored: it takes the place of the state and of the log. */
  adopt(meta: SnapshotMeta, machine: StateMachine): void {
    if (meta.index <= this.#machine.appliedIndex) return;
    const { log, service } = this.#ports;
    log.reset({ index: meta.index, term: meta.term }, () => {
      if (!service.isStopped) this.#replace(meta, machine);
    });
  }

  #replace(meta: SnapshotMeta, machine: StateMachine): void {
    const { clock, core, events, proposals } = this.#ports;
    this.#machine = machine;
    this.#queue.clear();
    this.#ports.keyspaceReplaced(machine.keyspace);
    this.#ports.usersChanged(null, meta.index);
    this.#ports.membersChanged();
    clock.applied(machine.timeMs);
    core.snapshotInstalled(meta);
    // Own writes that ran before the snapshot was taken do not come up in apply any more.
    const { incarnation } = proposals;
    proposals.jumpTo(machine.sessions.sequenceOf(this.#ports.ownKey(), incarnation));
    events.snapshotInstalled(meta);
    this.#ports.plan();
  }

  #batchComesUp(reader: BatchReader, verdict: SessionVerdict): readonly WriteClient[] | null {
    const { proposals, service } = this.#ports;
    if (reader.originKey !== this.#ports.ownKey()) return null;
    if (verdict === "next") {
      const clients = proposals.take(reader.incarnation, reader.sequence);
      // A write of this process comes behind everything that was acknowledged before it.
      if (clients !== null) {
        service.isCaughtUp = true;
        // Of the entry that is being applied.
        this.#ownIndex = this.#machine.appliedIndex + 1;
      }
      return clients;
    }
    if (verdict === "gap") proposals.misplaced();
    return null;
  }
}
