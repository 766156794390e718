/** How a follower takes entries from its leader: the receiver's half of AppendEntries (paper, figure 2). */
import { invariant } from "./errors.ts";
import type { RaftState } from "./state.ts";
import type { AppendRequest, AppendResponse, Heartbeat, Index, NodeId } from "./types.ts";

/** Takes, or refuses, what the leader of the current term sent, and answers it. True when it was taken. */
export function acceptAppend(state: RaftState, request: AppendRequest): boolean {
  assertAgreesWithCommitted(state, request);
  if (request.previousIndex < state.commitIndex) {
    // Late or sent again. Up to the commit index both logs agree anyway, and comparing further would only repeat it.
    acknowledge(state, request, state.commitIndex);
    return true;
  }
  if (!state.log.matches(request.previousIndex, request.previousTerm)) {
    refuse(state, request);
    return false;
  }
  appendMissing(state, request);
  const lastSent = request.previousIndex + request.entries.length;
  state.commitTo(Math.min(request.commit, lastSent));
  acknowledge(state, request, lastSent);
  return true;
}

/** Whoever leads has every committed entry (leader completeness), so a leader that has another one is none. */
function assertAgreesWithCommitted(state: RaftState, request: AppendRequest): void {
  if (request.previousIndex > state.commitIndex) {
    return;
  }
  const term = state.log.termAt(request.previousIndex);
  invariant(
    term === null || term === request.previousTerm,
    "committedEntryContradicted",
    "the leader has another entry where this node has a committed one",
  );
}

/** The leader names a commit index in a heartbeat only when this node acknowledged the entries up to it. */
export function acceptHeartbeatCommit(state: RaftState, heartbeat: Heartbeat): void {
  invariant(
    heartbeat.commit <= state.log.lastIndex || state.floor !== null,
    "acknowledgedEntriesLost",
    "the leader counts on entries that this node does not have any more",
  );
  // What damage has left of an acknowledged log still agrees with the leader's, as far as it goes.
  state.commitTo(Math.min(heartbeat.commit, state.log.lastIndex));
}

/**
 * Tells the leader where a damaged log ends now: it may go by acknowledgements from before the damage, and would never
 * send again what it takes for stored. Repeated with every heartbeat, as such an acknowledgement may still be on its
 * way and arrive after the first report.
 */
export function reportDamage(state: RaftState, leader: NodeId): void {
  if (state.floor !== null) {
    // Of no append: no `previousIndex` is 0 less than what matches, so it changes nothing else at the leader.
    refuseWith(state, leader, { rejectedIndex: 0, hintIndex: 0, hintTerm: 0 });
  }
}

/** Appends from the first entry that is missing or differs. What agrees stays: a late request must not cut the log. */
function appendMissing(state: RaftState, request: AppendRequest): void {
  for (const entry of request.entries) {
    if (entry.index <= state.log.lastIndex) {
      if (state.log.matches(entry.index, entry.term)) {
        continue;
      }
      state.cutFrom(entry.index);
    }
    state.append(entry);
  }
}

function acknowledge(state: RaftState, request: AppendRequest, matchIndex: Index): void {
  state.outbox.acknowledge({
    kind: "appendResponse",
    from: state.id,
    to: request.from,
    term: state.term,
    success: true,
    matchIndex,
    rejectedIndex: 0,
    hintIndex: 0,
    hintTerm: 0,
  });
}

/**
 * Refuses with the furthest position that may still agree: nothing of a term above `previousTerm` can, as terms never
 * fall in the leader's log either. So one refusal skips a whole run of terms (paper, end of section 5.3).
 */
function refuse(state: RaftState, request: AppendRequest): void {
  const { log, commitIndex } = state;
  const candidate = log.lastIndexOfTermAtMost(request.previousIndex, request.previousTerm);
  const hintIndex = Math.max(candidate ?? 0, commitIndex);
  refuseWith(state, request.from, {
    rejectedIndex: request.previousIndex,
    hintIndex,
    hintTerm: log.termAt(hintIndex) ?? 0,
  });
}

function refuseWith(
  state: RaftState,
  leader: NodeId,
  reason: Pick<AppendResponse, "rejectedIndex" | "hintIndex" | "hintTerm">,
): void {
  const { id, term, outbox, floor, durability } = state;
  const refusal = { kind: "appendResponse", from: id, to: leader, term, success: false } as const;
  if (floor === null) {
    outbox.send({ ...refusal, matchIndex: 0, ...reason });
  } else {
    outbox.send({ ...refusal, matchIndex: durability.durableIndex, lowersMatch: true, ...reason });
  }
}
