/**
 * A leader of lower priority than a voter that could take over hands over to it (priorities.ts): not at once, as the one that
 * just came back may go again, and ever more rarely to those that do not stay.
 */
import { isJoint } from "./configuration.ts";
import { priorityOf } from "./priorities.ts";
import type { LeadershipTransfer } from "./leadership-transfer.ts";
import type { Replicator } from "./replicator.ts";
import type { RaftState } from "./state.ts";
import type { NodeId } from "./types.ts";

/** A leader looks for one that should rather lead after so many election timeouts, and again after as many. */
const WAIT_ELECTION_TIMEOUTS = 10;
/** Handing over again soon after the last time: the wait doubles each time, this often. */
const DOUBLINGS_MAX = 6;
/** "Soon" is within so many waits. */
const SOON_WAITS = 4;

export class PreferredLeader {
  readonly #state: RaftState;
  readonly #replicator: Replicator;
  readonly #transfer: LeadershipTransfer;
  #waitTicks: number;

  constructor(state: RaftState, replicator: Replicator, transfer: LeadershipTransfer) {
    this.#state = state;
    this.#replicator = replicator;
    this.#transfer = transfer;
    this.#waitTicks = this.#nextWaitTicks();
  }

  tick(): void {
    this.#waitTicks -= 1;
    if (this.#waitTicks > 0) {
      return;
    }
    this.#waitTicks = this.#nextWaitTicks();
    const { configuration, configurations, commitIndex } = this.#state;
    if (
      this.#transfer.target !== null ||
      configurations.currentIndex() > commitIndex ||
      isJoint(configuration)
    ) {
      return;
    }
    const better = this.#best();
    if (better !== null && this.#transfer.begin(better)) {
      this.#state.yields = { count: this.#recentYields() + 1, atTick: this.#state.ticks };
      this.#waitTicks = this.#nextWaitTicks();
    }
  }

  /** Of those of higher priority that have all that is committed, the one of the highest; the first by id of several. */
  #best(): NodeId | null {
    let best: NodeId | null = null;
    let bestPriority = priorityOf(this.#state, this.#state.id);
    for (const progress of this.#replicator.peers()) {
      const priority = priorityOf(this.#state, progress.id);
      const better =
        priority > bestPriority ||
        (best !== null && priority === bestPriority && progress.id < best);
      if (better && progress.matchIndex >= this.#state.commitIndex && this.#isReady(progress.id)) {
        best = progress.id;
        bestPriority = priority;
      }
    }
    return best;
  }

  #isReady(peer: NodeId): boolean {
    return this.#transfer.canTakeOver(peer) && this.#replicator.get(peer)?.state === "replicate";
  }

  #nextWaitTicks(): number {
    const doublings = Math.min(this.#recentYields(), DOUBLINGS_MAX);
    return WAIT_ELECTION_TIMEOUTS * this.#state.options.electionTimeoutTicks * 2 ** doublings;
  }

  /** How often in a row it has handed over, each time soon after the one before. */
  #recentYields(): number {
    const { yields, ticks, options } = this.#state;
    const doublings = Math.min(yields.count, DOUBLINGS_MAX);
    const waitTicks = WAIT_ELECTION_TIMEOUTS * options.electionTimeoutTicks * 2 ** doublings;
    return ticks - yields.atTick > SOON_WAITS * waitTicks ? 0 : yields.count;
  }
}
