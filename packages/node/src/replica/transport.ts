/**
 * What the replica needs of the links to the other nodes. Everything is one-way and may be lost or late; Raft messages may
 * also be repeated. A forward and its refusal arrive at most once, or "refused" would not mean "not applied" (DESIGN.md).
 * In production: mutual TLS (peers/). In the simulator: a virtual network.
 */
import type {
  Index,
  Message,
  NodeId,
  SnapshotChunk,
  SnapshotMeta,
  SnapshotSource,
} from "@ferrite/raft";
import type { LeadershipAnswer, LeadershipWish } from "./leadership-control.ts";

export type PeerPayload =
  | { readonly kind: "raft"; readonly message: Message }
  /** A sealed batch of writes from the node that holds the clients, for the leader to append (batch.ts). */
  | { readonly kind: "forward"; readonly batch: Uint8Array }
  /** The receiver of a forward does not lead, or can not take it now: it was not appended by this node. */
  | {
      readonly kind: "forwardRefused";
      readonly incarnation: number;
      readonly sequence: number;
      /** gap: a batch before it did not arrive, or was refused. */
      readonly reason: "notLeader" | "busy" | "noSpace" | "gap";
    }
  /** WAIT on a follower: how many nodes have the log up to `index`? */
  | {
      readonly kind: "copiesQuery";
      readonly requestId: number;
      readonly index: number;
      readonly wanted: number;
      readonly timeoutMs: number;
    }
  | { readonly kind: "copiesAnswer"; readonly requestId: number; readonly count: number }
  /** To the leader: when has every member in contact with you applied `index`? The sender has. */
  | { readonly kind: "settleQuery"; readonly requestId: number; readonly index: number }
  /** It has. */
  | { readonly kind: "settleAnswer"; readonly requestId: number }
  /** From the leader: say so when you have applied `index`. */
  | { readonly kind: "appliedQuery"; readonly index: number }
  /** The sender has applied the log up to `index`, or will honour no credentials before it has. */
  | { readonly kind: "appliedAnswer"; readonly index: number }
  /** To the leader: a wish about who leads, to be tried for so long (handovers.ts). */
  | {
      readonly kind: "leadershipAsk";
      readonly requestId: number;
      readonly wish: LeadershipWish;
      readonly timeoutMs: number;
    }
  | {
      readonly kind: "leadershipAnswer";
      readonly requestId: number;
      readonly answer: LeadershipAnswer;
    }
  | SnapshotLoan;

/** A snapshot that a follower has lent (snapshot-sources.ts): the leader says what, the receiver gets the bytes there. */
export type SnapshotLoan =
  /** From the leader: have you a snapshot of `minimumIndex` or later, or can you take one, and have you a link to `to`? */
  | {
      readonly kind: "snapshotAsk";
      readonly requestId: number;
      readonly to: NodeId;
      readonly minimumIndex: Index;
      /** There is none yet: one is to be taken. */
      readonly mayTake: boolean;
    }
  | { readonly kind: "snapshotOffer"; readonly requestId: number; readonly offer: SnapshotOffer }
  /** From the leader: a chunk without its bytes. They are at its source. */
  | { readonly kind: "chunkNotice"; readonly chunk: LentChunk }
  /** To the source: a range of its file. */
  | {
      readonly kind: "chunkRead";
      readonly requestId: number;
      /** The life of the source that offered it. */
      readonly incarnation: number;
      readonly index: Index;
      readonly offsetBytes: number;
      readonly lengthBytes: number;
    }
  /** The range; shorter than asked for when the file is not there any more. */
  | { readonly kind: "chunkBytes"; readonly requestId: number; readonly data: Uint8Array };

export type SnapshotOffer =
  | { readonly state: "none" }
  /** Ask again. */
  | { readonly state: "beingTaken"; readonly index: Index }
  | { readonly state: "ready"; readonly meta: SnapshotMeta; readonly incarnation: number };

export type LentChunk = SnapshotChunk & { readonly source: SnapshotSource };

export interface Transport {
  /**
   * Queues for sending. False when there is no link or its queue is full (the payload is dropped). The payload's
   * bytes may be kept until they are sent and must not change.
   */
  send(to: NodeId, payload: PeerPayload): boolean;
  connected(peer: NodeId): boolean;
  /** Whether the peer knows what `SnapshotLoan` says: an older version is not sent it. False without a link. */
  lendsSnapshots(peer: NodeId): boolean;
}

export interface TransportEvents {
  /**
   * `senderTimeMs` is the sender's logical clock when the frame was written. Byte ranges in the payload belong to the receiver.
   */
  onPayload(from: NodeId, payload: PeerPayload, senderTimeMs: number): void;
  onConnected(peer: NodeId): void;
  /** The link broke. `refused` when nobody listens at the other end (the process is gone). */
  onDisconnected(peer: NodeId, reason: { readonly refused: boolean }): void;
}
