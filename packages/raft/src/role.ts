/** What the coordinator may ask of a role, and what a role may ask of the coordinator. */
import type { ProposeResult } from "./core-api.ts";
import type { EntryKind, Message, NodeId, Role, Term } from "./types.ts";

/**
 * How an election is begun: asking first whether it could be won (pre-vote, section 9.6 of the thesis), in earnest
 * after that, or at once because the leader itself asked for it (transfer, section 3.10).
 */
export type CampaignKind = "preVote" | "election" | "transfer";

/** Changes of role. After one of these the role that called it is over. */
export interface Transitions {
  /** Follow in `term`, which is the current one or a later one. */
  becomeFollower(term: Term, leader: NodeId | null): void;
  campaign(kind: CampaignKind): void;
  becomeLeader(): void;
  /** Tell the outside when role, term or leader are different now. */
  announce(): void;
}

export interface RoleBehaviour {
  readonly role: Role;
  tick(): void;
  /** A message of the current term, or one whose term does not matter. */
  step(message: Message): void;
  propose(data: Uint8Array, kind: EntryKind): ProposeResult;
  readIndex(requestId: number): void;
  peerUnreachable(peer: NodeId): void;
  /** More of this node's log is on disk. */
  durableAdvanced(): void;
  /** Is there something that `flush` would put into the outbox? */
  hasWork(): boolean;
  /** Called once per Ready: what is better decided for a whole batch than for each input. */
  flush(): void;
  /** The role ends: what it still owes is refused. */
  leave(): void;
}
