/**
 * Who leads rather. Priorities are wishes, never safety: they decide who loses patience first when there is no leader, whom
 * a leader hands over to, and nothing else. Nodes may go by different ones for a while.
 */
import { hurriedDelayTicksMax } from "./election-clock.ts";
import type { RaftState } from "./state.ts";
import type { NodeId } from "./types.ts";

/** Of a node that nobody has given one. */
export const defaultPriority: number = 50;

/** Per voter of higher priority a node waits this part of the election timeout longer. */
const RANK_DIVISOR = 4;
/** A node of priority 0 waits so many election timeouts on top, for any other to campaign; in a hurry half of one. */
const LAST_RESORT_ELECTION_TIMEOUTS = 2;
const LAST_RESORT_IN_A_HURRY = 0.5;

export function priorityOf(state: RaftState, id: NodeId): number {
  return state.priorities.get(id) ?? defaultPriority;
}

/**
 * Ticks that this node waits beyond its election timeout for voters that should rather lead. Finite, so that somebody
 * campaigns in the end. A leader that is known to be gone is replaced in a hurry: then the waits are short too.
 */
export function patienceTicks(state: RaftState): number {
  const { configuration, id, clock, options } = state;
  const own = priorityOf(state, id);
  let rank = 0;
  for (const voter of configuration.voters) {
    if (priorityOf(state, voter) > own) {
      rank += 1;
    }
  }
  if (rank === 0) {
    return 0;
  }
  const { electionTimeoutTicks } = options;
  const perRank = clock.isHurried
    ? hurriedDelayTicksMax
    : Math.ceil(electionTimeoutTicks / RANK_DIVISOR);
  const timeouts = clock.isHurried ? LAST_RESORT_IN_A_HURRY : LAST_RESORT_ELECTION_TIMEOUTS;
  return rank * perRank + (own === 0 ? Math.ceil(timeouts * electionTimeoutTicks) : 0);
}
