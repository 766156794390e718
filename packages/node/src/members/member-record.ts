/**
 * What the cluster agrees on about its members, besides who counts (that is Raft's configuration). Part of the replicated
 * state: every node has the same records at the same log position, and a snapshot carries them.
 */
import type { NodeId } from "@ferrite/raft";
import type { Member } from "../peers/membership.ts";

/** A member as the cluster knows it. Addresses are hints that the member renews at each start (O05). */
export interface MemberRecord extends Member {
  /** host:port where clients reach it over TLS; null when it does not offer that. */
  readonly tlsAddress: string | null;
  /** Higher leads rather; 0 never leads as long as another can. */
  readonly priority: number;
  /** The highest feature level the member supports (feature-level.ts). */
  readonly featureLevel: number;
  /** Its version, for people. */
  readonly version: string;
}

export type MemberRole = "voter" | "learner" | "joining" | "leaving";

export type ChangeKind = "add" | "remove" | "replace" | "promote" | "demote";

/**
 * asked      in the log; the leader has not looked at it
 * waiting    taken; the node that is to join has not come yet
 * catchingUp it receives the log as a learner
 * changing   the configuration that ends the change is on its way (joint, where more than one voter changes)
 * done, refused, cancelled: it is over
 */
export type ChangePhase =
  | "asked"
  | "waiting"
  | "catchingUp"
  | "changing"
  | "done"
  | "refused"
  | "cancelled";

/** One change of the membership. There is at most one that is not over. */
export interface MemberChange {
  /** Grows by one with every change. */
  readonly id: number;
  readonly kind: ChangeKind;
  /** The member's name. */
  readonly name: string;
  /** Whom it is about; null as long as a node that is to join has not come. */
  readonly target: NodeId | null;
  /** The disk that goes when `target` comes, or null. */
  readonly replaces: NodeId | null;
  /** Joins as a learner, and stays one. */
  readonly asLearner: boolean;
  /** The name under which a node is to join; null when nobody is. */
  readonly newcomer: string | null;
  /** Where the node that is to join must be; null: anywhere. */
  readonly address: string | null;
  readonly phase: ChangePhase;
  /** Why it was refused or cancelled; what is being waited for. Null when there is nothing to say. */
  readonly reason: string | null;
  /** Logical time of its beginning, Unix ms. */
  readonly startedMs: number;
}

/** Something that an operator has to know of a member, told by the leader and kept until it is over. */
export interface MemberAlarm {
  /** One word: what is wrong. */
  readonly kind: string;
  readonly nodeId: NodeId;
  readonly text: string;
  /** Logical time of its beginning, Unix ms. */
  readonly sinceMs: number;
}

/** The change, unless it is over; else null. */
export function underWay(change: MemberChange | null): MemberChange | null {
  return change === null || OVER.has(change.phase) ? null : change;
}

const OVER: ReadonlySet<ChangePhase> = new Set(["done", "refused", "cancelled"]);
