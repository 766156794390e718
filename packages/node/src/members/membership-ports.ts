/** Between the membership of the replicated state, the links to other nodes, and the leader's view of them. */
import type { NodeId } from "@ferrite/raft";
import type { Member } from "../peers/membership.ts";
import type { MemberChange, MemberRecord, MemberRole } from "./member-record.ts";

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
  /** All that the configuration or the records name. Of two disks of one name the newer one. */
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

/** What commands, metrics and the command line see. */
export interface MembershipView {
  all(): readonly MemberStatus[];
  /** The change under way, or the last one. */
  change(): MemberChange | null;
  /** Level that the cluster has reached. */
  featureLevel(): number;
}
