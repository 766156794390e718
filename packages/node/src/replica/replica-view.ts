/** What the edge (commands, HTTP, metrics) may know of the replica. */
import type { Index, NodeId, Role, Term } from "@ferrite/raft";
import type { KeyspaceApi } from "@ferrite/storage";
import type { MembershipControl } from "../members/membership-ports.ts";
import type { StateChecksView } from "../repair/state-checks.ts";
import type { AccessState, AuditAnchors } from "./access-state.ts";
import type { DiskFacts } from "./disk-facts.ts";
import type { LeadershipControl } from "./leadership-control.ts";

export type { StateVerdict } from "../repair/state-verdict.ts";

export interface MemberView {
  readonly id: NodeId;
  readonly name: string;
  readonly peerAddress: string;
  /** host:port where clients reach it, as the member announced it. */
  readonly clientAddress: string;
  readonly learner: boolean;
  readonly isSelf: boolean;
  readonly isLeader: boolean;
  /** Is the link to it up (always true for the node itself). */
  readonly connected: boolean;
  /** Leader only: how far it is known to have the log; null elsewhere. */
  readonly matchIndex: Index | null;
}

export interface ReplicaView {
  readonly nodeId: NodeId;
  readonly nodeName: string;
  readonly clusterId: string;
  role(): Role;
  term(): Term;
  leaderId(): NodeId | null;
  commitIndex(): Index;
  appliedIndex(): Index;
  lastIndex(): Index;
  /** First index that is not only in a snapshot. */
  firstIndex(): Index;
  snapshotIndex(): Index;
  logBytes(): number;
  members(): readonly MemberView[];
  /** Members, their changes and the feature level of the cluster. */
  readonly membership: MembershipControl;
  /** Where the snapshot of this node stands, for INFO persistence. */
  snapshotInProgress(): boolean;
  /** Bytes of snapshots that other nodes got from this one, since its start. */
  snapshotBytesSent(): number;
  /** The keyspace, for reading only. */
  readonly keyspace: KeyspaceApi;
  /** The users, to be asked and changed. */
  readonly access: AccessState;
  readonly anchors: AuditAnchors;
  /** Who leads, and wishes about it. */
  readonly leadership: LeadershipControl;
  /** This node's view of the leader's clock, in Unix ms. */
  logicalNowMs(): number;
  /** Ms since this node last heard a leader; 0 on the leader itself, Infinity if it never did. */
  leaderSilenceMs(): number;
  /** After a start: the state may still be older than what clients have seen of this node before. */
  isCatchingUp(): boolean;
  /** Comparisons of the members' states. */
  readonly checks: StateChecksView;
  /** Whether the log's disk answers, and whether it was damaged. */
  disk(): DiskFacts;
  /** Null when the node can take writes now; otherwise the error a write would get. */
  writeRefusal(): string | null;
  /**
   * How many other nodes have everything up to `index`: answered at once when it is `wanted` or more, else when it is
   * or at the deadline (0 = none). The returned function gives up.
   */
  waitForCopies(
    request: { readonly index: Index; readonly wanted: number; readonly timeoutMs: number },
    done: (count: number) => void,
  ): () => void;
}
