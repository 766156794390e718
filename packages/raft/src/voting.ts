/** The voter's side of elections (paper, sections 5.2 and 5.4.1; thesis, section 9.6). The same in every role. */
import type { RaftState } from "./state.ts";
import type { Role, VoteRequest, VoteResponse } from "./types.ts";

type Answer = Pick<VoteResponse, "kind" | "granted" | "term">;

function answer(state: RaftState, request: VoteRequest, given: Answer): VoteResponse {
  return { from: state.id, to: request.from, ...given };
}

/**
 * Is this node loyal to a live leader? Then it neither votes nor lets its term be raised by a vote request, or a node
 * that was cut off could depose a healthy leader (thesis, section 4.2.3). A transfer is the leader's own wish.
 */
export function isLoyal(state: RaftState, role: Role, request: VoteRequest): boolean {
  if (request.transfer) {
    return false;
  }
  if (state.clock.hasPromised) {
    return true;
  }
  // A leader that has not stepped down heard a majority within the election timeout.
  return role === "leader" || (state.leader !== null && state.clock.leaderIsLive());
}

/** Would this node vote for the sender? Promises nothing and changes nothing but the own timer. */
export function answerPreVote(state: RaftState, role: Role, request: VoteRequest): void {
  const granted =
    request.term > state.term &&
    !isLoyal(state, role, request) &&
    state.isUpToDate(request.lastIndex, request.lastTerm) &&
    !(role === "preCandidate" && precedes(state, request));
  if (granted) {
    state.clock.yieldBriefly();
  }
  state.outbox.send(
    answer(state, request, {
      kind: "preVoteResponse",
      granted,
      term: granted ? request.term : state.term,
    }),
  );
}

/**
 * Two nodes that campaign at the same moment with equal logs would split the votes. The order of ids decides between
 * them; the first in that order is refused by nobody for this reason, so an electable majority still elects.
 */
function precedes(state: RaftState, request: VoteRequest): boolean {
  const equalLogs =
    request.lastIndex === state.log.lastIndex && request.lastTerm === state.log.lastTerm;
  return equalLogs && state.id < request.from;
}

/** A vote request of the current term. The answer that grants waits until the vote is on disk. */
export function answerVote(state: RaftState, request: VoteRequest): void {
  // A promise outlasts the term it was given in.
  const bound = state.clock.hasPromised && !request.transfer;
  const free = state.vote === null && state.leader === null && !bound;
  const granted =
    (free || state.vote === request.from) && state.isUpToDate(request.lastIndex, request.lastTerm);
  const response = answer(state, request, { kind: "voteResponse", granted, term: state.term });
  if (!granted) {
    state.outbox.send(response);
    return;
  }
  state.voteFor(request.from);
  state.clock.restart();
  state.outbox.sendAfterPersist(response);
}

/** A request from an earlier term: refused, with the term that makes the sender catch up. */
export function refuseOutdated(state: RaftState, request: VoteRequest): void {
  const kind = request.kind === "voteRequest" ? "voteResponse" : "preVoteResponse";
  state.outbox.send(answer(state, request, { kind, granted: false, term: state.term }));
}
