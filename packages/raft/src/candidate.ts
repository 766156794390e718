/**
 * A node that asks for votes, in two phases. As pre-candidate it asks whether it could win, without touching its term
 * (thesis, section 9.6); as candidate it has entered a new term and voted for itself (paper, section 5.2).
 */
import { mayCampaign } from "./learner.ts";
import { patienceTicks } from "./priorities.ts";
import { allVoters, voteOutcome } from "./quorum.ts";
import type { CampaignKind, RoleBehaviour, Transitions } from "./role.ts";
import type { ProposeResult } from "./core-api.ts";
import type { RaftState } from "./state.ts";
import type { EntryKind, Message, NodeId, VoteRequest, VoteResponse } from "./types.ts";

export class Candidate implements RoleBehaviour {
  readonly role: "preCandidate" | "candidate";
  readonly #state: RaftState;
  readonly #transitions: Transitions;
  readonly #votes: Map<NodeId, boolean> = new Map<NodeId, boolean>();

  constructor(role: "preCandidate" | "candidate", state: RaftState, transitions: Transitions) {
    this.role = role;
    this.#state = state;
    this.#transitions = transitions;
  }

  /** Begins the phase. For a candidate the term has been entered by the caller. */
  begin(kind: CampaignKind): void {
    const state = this.#state;
    state.clock.restart();
    if (this.role === "preCandidate") {
      this.#requestVotes("preVoteRequest", kind);
      // A pre-vote promises nothing, so the own one counts without waiting for the disk.
      this.#count(state.id, true);
      return;
    }
    state.voteFor(state.id);
    this.#requestVotes("voteRequest", kind);
    // The own vote counts like any other: when it is on disk. The driver steps this message back.
    state.outbox.sendAfterPersist({
      kind: "voteResponse",
      from: state.id,
      to: state.id,
      term: state.term,
      granted: true,
    });
  }

  tick(): void {
    this.#state.clock.tick();
    if (!this.#state.clock.isDue(patienceTicks(this.#state))) {
      return;
    }
    if (mayCampaign(this.#state)) {
      this.#transitions.campaign("preVote");
    } else {
      this.#transitions.becomeFollower(this.#state.term, null);
    }
  }

  step(message: Message): void {
    if (message.kind === "voteResponse" && this.role === "candidate") {
      this.#count(message.from, message.granted);
    } else if (message.kind === "preVoteResponse" && this.role === "preCandidate") {
      this.#countPreVote(message);
    }
  }

  propose(_data: Uint8Array, _kind: EntryKind): ProposeResult {
    return { accepted: false, reason: "notLeader", leader: null };
  }

  readIndex(requestId: number): void {
    this.#state.outbox.readFailed(requestId);
  }

  peerUnreachable(_peer: NodeId): void {
    // Its vote is missing whether it is refused or silent.
  }

  durableAdvanced(): void {
    // Only a leader counts its own log.
  }

  hasWork(): boolean {
    return false;
  }

  flush(): void {
    // Everything was sent when the phase began.
  }

  leave(): void {
    this.#votes.clear();
  }

  #requestVotes(kind: VoteRequest["kind"], campaign: CampaignKind): void {
    const { id, term, log, configuration, outbox } = this.#state;
    for (const voter of allVoters(configuration)) {
      if (voter === id) {
        continue;
      }
      const request: VoteRequest = {
        kind,
        from: id,
        to: voter,
        term: kind === "preVoteRequest" ? term + 1 : term,
        lastIndex: log.lastIndex,
        lastTerm: log.lastTerm,
        transfer: campaign === "transfer",
      };
      if (kind === "preVoteRequest") {
        outbox.send(request);
      } else {
        // Not before the term is on disk: a node that forgot this campaign in a crash would begin another one in
        // the same term, and could then count a late vote that was given to a longer log than it has left.
        outbox.sendAfterPersist(request);
      }
    }
  }

  #countPreVote(response: VoteResponse): void {
    // A yes names the term that was asked about, a no the voter's own term.
    if (response.granted && response.term !== this.#state.term + 1) {
      return;
    }
    this.#count(response.from, response.granted);
  }

  #count(voter: NodeId, granted: boolean): void {
    if (this.#votes.has(voter)) {
      return;
    }
    this.#votes.set(voter, granted);
    const outcome = voteOutcome(this.#state.configuration, this.#votes);
    if (outcome === "lost") {
      this.#transitions.becomeFollower(this.#state.term, null);
    } else if (outcome === "won" && this.role === "preCandidate") {
      this.#transitions.campaign("election");
    } else if (outcome === "won") {
      this.#transitions.becomeLeader();
    }
  }
}
