/** Between the membership of the replicated state, the links to other nodes, and the leader's view of them. */
import type { NodeId } from "@ferrite/raft";
import type { Member } from "../peers/membership.ts";
import type { MemberAlarm, MemberChange, MemberRecord, MemberRole } from "./member-record.ts";
import type { MemberWrite } from "./member-writes.ts";

/** A node that is none of the members and proved by its certificate that it owns its name. */
export interface JoinRequest {
  readonly id: NodeId;
  readonly name: string;
  readonly peerAddress: string;
  readonly clientAddress: string;
  readonly tlsAddress: string | null;
  readonly featureLevel: number;
  readonly version: string;
}

/** Whom the links are for, from the replicated state; said again whenever it changes. */
export interface LinkedMembers {
  /** All that the records name, this node too. Of two disks of one name the newer one. */
  readonly members: readonly Member[];
  /** Names whose new disks are heard (JoinRequest) and kept waiting; "anybody" lets every name of the token and authority ask. */
  readonly welcome: readonly string[] | "anybody";
  /** Disks that were members and are none any more: told so, once and for all. */
  readonly removed: readonly NodeId[];
  /** Nodes that do not support the cluster's level are refused. */
  readonly featureLevel: number;
}

/** What the links do for the membership. Implemented by the peer network. */
export interface MemberLinks {
  setMembers(linked: LinkedMembers): void;
  /** Called with every hello of a node that asks to join, again on every new link. */
  onJoinRequest(listener: (request: JoinRequest) => void): void;
  /** Called once when a member of this node's cluster says that this node's disk was removed. */
  onRemoved(listener: (text: string) => void): void;
  /** The highest level that the node said it supports on its link; null when there is none. */
  featureLevelOf(id: NodeId): number | null;
}

export interface MemberStatus extends MemberRecord {
  readonly role: MemberRole;
  readonly isLeader: boolean;
  /** Whether this node has a link to it (itself: yes). */
  readonly isConnected: boolean;
  /** Known at the leader only. */
  readonly matchIndex: number | null;
}

/** What became of a write of the membership. `changeId`: of the change that it began or ended, 0 for other writes. */
export type MemberOutcome =
  | { readonly ok: true; readonly changeId: number }
  | { readonly ok: false; readonly errorText: string };

/** What commands, metrics and the command line see, as of what this node has applied. */
export interface MembershipView {
  all(): readonly MemberStatus[];
  /** The change under way, or the last one. */
  change(): MemberChange | null;
  /** Level that the cluster has reached. */
  featureLevel(): number;
  /** What the leader holds against members. */
  alarms(): readonly MemberAlarm[];
  /** Last index of the leader's log; null elsewhere: how far a member that catches up has to go. */
  goalIndex(): number | null;
}

/** Changes the membership. */
export interface MembershipControl extends MembershipView {
  /**
   * Writes to the log; `done` is called once, when this node has applied it or with the error (CLUSTERDOWN: not applied;
   * UNKNOWNOUTCOME: it may have been; REFUSED: why not). `actorId` is the id of the user that asks; null: the node itself.
   */
  propose(write: MemberWrite, actorId: number | null, done: (outcome: MemberOutcome) => void): void;
  /**
   * Calls `done` once: when the change has come as far as `until`, or at the deadline, with what it is like then. Null when
   * this node does not know it any more. The returned function gives up.
   */
  follow(
    request: {
      readonly changeId: number;
      readonly until: "accepted" | "over";
      readonly timeoutMs: number;
    },
    done: (change: MemberChange | null) => void,
  ): () => void;
}
