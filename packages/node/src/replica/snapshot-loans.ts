/** The three parts a node has in lent snapshots: leader (snapshot-sources.ts), source (-lender.ts), receiver (-borrower.ts). */
import type { Index, NodeId, RaftCoreApi, SnapshotChunk, SnapshotMeta } from "@ferrite/raft";
import type { SnapshotStore } from "@ferrite/storage";
import { SnapshotBorrower } from "./snapshot-borrower.ts";
import { SnapshotLender } from "./snapshot-lender.ts";
import { SnapshotSources, type LentSnapshot, type WantedLoan } from "./snapshot-sources.ts";
import type { LentChunk, PeerPayload, SnapshotLoan } from "./transport.ts";

export interface SnapshotLoansPorts {
  readonly core: RaftCoreApi;
  readonly store: Pick<SnapshotStore, "read">;
  readonly incarnation: number;
  readonly electionTimeoutMs: number;
  /** Of requests, another one at every start: what was asked before it is none of this life's. */
  readonly firstRequestId: number;
  monotonicMs(): number;
  connected(peer: NodeId): boolean;
  lendsSnapshots(peer: NodeId): boolean;
  send(to: NodeId, payload: PeerPayload): boolean;
  /** The newest snapshot of this node. */
  latest(): SnapshotMeta | null;
  /** For the leader: the position of one that is being taken, begun now if need be; null when that can not be. */
  take(asker: NodeId, minimumIndex: Index): Index | null;
  /** Another node is taking one, to lend it. */
  beingTaken(index: Index): void;
  /** A snapshot of this node could not be read. */
  readFailed(meta: SnapshotMeta, error: Error): void;
  /** A chunk came together that the leader had announced. */
  received(chunk: SnapshotChunk): void;
}

export class SnapshotLoans {
  readonly #core: RaftCoreApi;
  readonly #sources: SnapshotSources;
  readonly #lender: SnapshotLender;
  readonly #borrower: SnapshotBorrower;

  constructor(ports: SnapshotLoansPorts) {
    this.#core = ports.core;
    this.#sources = new SnapshotSources(ports, ports.firstRequestId);
    this.#lender = new SnapshotLender(ports);
    this.#borrower = new SnapshotBorrower(ports, ports.firstRequestId);
  }

  get lentBytes(): number {
    return this.#lender.lentBytes;
  }

  /** As the leader: looks for a follower that lends one. */
  find(wanted: WantedLoan, done: (lent: LentSnapshot | null) => void): void {
    this.#sources.find(wanted, done);
  }

  /** As the leader: a chunk of a lent snapshot is to go. */
  announce(chunk: LentChunk): void {
    if (!this.#sources.announce(chunk)) this.#core.snapshotUnavailable(chunk.to);
  }

  receive(from: NodeId, payload: SnapshotLoan): void {
    switch (payload.kind) {
      case "snapshotAsk":
        return this.#lender.asked(from, payload);
      case "snapshotOffer":
        return this.#sources.answered(from, payload);
      case "chunkNotice":
        return this.#borrower.announced(payload.chunk);
      case "chunkRead":
        return this.#lender.read(from, payload);
      case "chunkBytes":
        return this.#borrower.answered(from, payload);
    }
  }

  tick(): void {
    this.#sources.tick();
  }

  disconnected(peer: NodeId): void {
    this.#borrower.disconnected(peer);
    for (const to of this.#sources.disconnected(peer)) this.#core.snapshotUnavailable(to);
  }

  leaderChanged(): void {
    this.#sources.leaderChanged();
  }
}
