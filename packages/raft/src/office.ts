/** Who this node is at the moment: holds the role, changes it, and compares the terms of what arrives. */
import { Candidate } from "./candidate.ts";
import { Follower } from "./follower.ts";
import { invariant } from "./errors.ts";
import { Leader } from "./leader.ts";
import { SnapshotReceiver } from "./snapshot-receiver.ts";
import { answerPreVote, answerVote, isLoyal, refuseOutdated } from "./voting.ts";
import type { CampaignKind, RoleBehaviour, Transitions } from "./role.ts";
import type { RaftState } from "./state.ts";
import type { Message, NodeId, Term } from "./types.ts";

export class Office implements Transitions {
  readonly receiver: SnapshotReceiver;
  readonly #state: RaftState;
  readonly #follower: Follower;
  #holder: RoleBehaviour;
  #leader: Leader | null = null;

  constructor(state: RaftState) {
    this.#state = state;
    this.receiver = new SnapshotReceiver(state);
    this.#follower = new Follower(state, this, this.receiver);
    this.#holder = this.#follower;
    this.announce();
  }

  get holder(): RoleBehaviour {
    return this.#holder;
  }

  /** The leader's own operations; null unless this node leads. */
  get leader(): Leader | null {
    return this.#leader;
  }

  becomeFollower(term: Term, leader: NodeId | null): void {
    const state = this.#state;
    const wasFollower = this.#holder === this.#follower;
    const isNews = term !== state.term || leader !== state.leader || !wasFollower;
    // Answers that are still owed go out under the term they belong to.
    if (isNews) {
      this.#holder.leave();
    }
    if (term > state.term) {
      state.enterTerm(term);
    }
    state.leader = leader;
    this.#holder = this.#follower;
    this.#leader = null;
    if (leader !== null) {
      state.clock.followLeader();
    } else {
      state.clock.forgetLeader();
      if (!wasFollower) {
        // A follower that only learns of a later term keeps its timer, or a flood of terms could keep it silent.
        state.clock.restart();
      }
    }
    this.announce();
  }

  campaign(kind: CampaignKind): void {
    const state = this.#state;
    this.#holder.leave();
    this.#leader = null;
    state.leader = null;
    state.clock.forgetLeader();
    if (kind !== "preVote") {
      state.enterTerm(state.term + 1);
    }
    const role = kind === "preVote" ? "preCandidate" : "candidate";
    const candidate = new Candidate(role, state, this);
    this.#holder = candidate;
    this.announce();
    candidate.begin(kind);
  }

  becomeLeader(): void {
    const state = this.#state;
    this.#holder.leave();
    state.leader = state.id;
    const leader = new Leader(state, this);
    this.#leader = leader;
    this.#holder = leader;
    this.announce();
    leader.begin();
  }

  announce(): void {
    const { outbox, term, leader } = this.#state;
    outbox.officeIs({ role: this.#holder.role, term, leader });
  }

  /** Takes a message: first the terms are compared (paper, section 5.1), then the role acts on it. */
  step(message: Message): void {
    if (message.to !== this.#state.id) {
      return;
    }
    if (message.kind === "preVoteRequest") {
      this.#preVoteRequest(message);
      return;
    }
    if (message.term < this.#state.term) {
      this.#outdated(message);
      return;
    }
    if (message.term > this.#state.term && !this.#enterTermOf(message)) {
      return;
    }
    if (message.kind === "voteRequest") {
      answerVote(this.#state, message);
      return;
    }
    this.#acceptLeader(message);
    this.#holder.step(message);
  }

  #preVoteRequest(message: Message & { readonly kind: "preVoteRequest" | "voteRequest" }): void {
    if (message.term < this.#state.term) {
      refuseOutdated(this.#state, message);
    } else {
      answerPreVote(this.#state, this.#holder.role, message);
    }
  }

  /** False when the message must not move this node's term, and is to be dropped. */
  #enterTermOf(message: Message): boolean {
    if (message.kind === "preVoteResponse" && message.granted) {
      // It names the term that was asked about; the role knows whether it still asks.
      return true;
    }
    if (message.kind === "voteRequest" && isLoyal(this.#state, this.#holder.role, message)) {
      return false;
    }
    const fromLeader = isFromLeader(message);
    this.becomeFollower(message.term, fromLeader ? message.from : null);
    return true;
  }

  /** A candidate that hears from the leader of its term gives way (paper, section 5.2). */
  #acceptLeader(message: Message): void {
    if (!isFromLeader(message) || this.#holder === this.#follower) {
      return;
    }
    invariant(this.#leader === null, "twoLeadersInTerm", "another node leads this node's term");
    this.becomeFollower(this.#state.term, message.from);
  }

  #outdated(message: Message): void {
    if (message.kind === "voteRequest") {
      refuseOutdated(this.#state, message);
    } else if (isFromLeader(message)) {
      // A deposed leader that does not know: the term in any answer tells it to step down.
      const { outbox, id, term } = this.#state;
      outbox.send({
        kind: "appendResponse",
        from: id,
        to: message.from,
        term,
        success: false,
        matchIndex: 0,
        rejectedIndex: 0,
        hintIndex: 0,
        hintTerm: 0,
      });
    }
  }
}

/** Only the leader of a term sends these. */
function isFromLeader(message: Message): boolean {
  switch (message.kind) {
    case "append":
    case "heartbeat":
    case "snapshotChunk":
    case "timeoutNow":
      return true;
    default:
      return false;
  }
}
