/**
 * Handing over leadership (thesis, section 3.10): no proposals meanwhile, the target is brought up to date, then told
 * to campaign at once. Given up after an election timeout, and the leader goes on as before.
 */
import { priorityOf } from "./priorities.ts";
import type { Progress } from "./progress.ts";
import type { Replicator } from "./replicator.ts";
import type { RaftState } from "./state.ts";
import type { NodeId } from "./types.ts";

export class LeadershipTransfer {
  readonly #state: RaftState;
  readonly #replicator: Replicator;
  #target: NodeId | null = null;
  #elapsedTicks = 0;
  #hasAsked = false;

  constructor(state: RaftState, replicator: Replicator) {
    this.#state = state;
    this.#replicator = replicator;
  }

  get target(): NodeId | null {
    return this.#target;
  }

  /**
   * Somebody was told to campaign in this term. That can not be taken back, and the message may arrive late: votes for
   * such a candidate heed no promises (lease.ts).
   */
  get hasAsked(): boolean {
    return this.#hasAsked;
  }

  /** False when `target`, or anybody, can not take over: not another voter, or not heard of lately. */
  begin(target: NodeId | undefined): boolean {
    const chosen = target ?? this.mostCaughtUp();
    if (chosen === null || !this.canTakeOver(chosen)) {
      return false;
    }
    if (this.#target !== chosen) {
      this.#target = chosen;
      this.#elapsedTicks = 0;
      this.proceed(chosen);
    }
    return true;
  }

  /** False when there is nothing to give up. */
  cancel(): boolean {
    const wasUnderWay = this.#target !== null;
    this.#target = null;
    return wasUnderWay;
  }

  tick(): void {
    if (this.#target === null) {
      return;
    }
    this.#elapsedTicks += 1;
    if (this.#elapsedTicks >= this.#state.options.electionTimeoutTicks) {
      this.#target = null;
    }
  }

  /** `peer` answered something: if it is the target and has everything, it is its turn. Repeated, as it may be lost. */
  proceed(peer: NodeId): void {
    if (this.#target !== peer) {
      return;
    }
    if (!this.#canBeLeader(peer)) {
      this.#target = null;
      return;
    }
    if (this.#replicator.get(peer)?.matchIndex === this.#state.log.lastIndex) {
      this.sendTimeoutNow(peer);
    }
  }

  sendTimeoutNow(to: NodeId): void {
    const { outbox, id, term } = this.#state;
    this.#hasAsked = true;
    outbox.send({ kind: "timeoutNow", from: id, to, term });
  }

  /** Is it another voter that was heard of lately? */
  canTakeOver(peer: NodeId): boolean {
    const progress = this.#replicator.get(peer);
    return progress !== undefined && this.#canBeLeader(peer) && this.#replicator.isActive(progress);
  }

  /**
   * The voter with the longest log among those heard lately; of several the one of the highest priority, then the first
   * by id. One of priority 0 only when no other has all that is committed.
   */
  mostCaughtUp(): NodeId | null {
    let best: Progress | null = null;
    for (const progress of this.#replicator.peers()) {
      if (this.canTakeOver(progress.id) && (best === null || this.#isBetter(progress, best))) {
        best = progress;
      }
    }
    return best?.id ?? null;
  }

  #isBetter(one: Progress, other: Progress): boolean {
    const priority = priorityOf(this.#state, one.id);
    const otherPriority = priorityOf(this.#state, other.id);
    const { commitIndex } = this.#state;
    const isWilling = priority > 0 && one.matchIndex >= commitIndex;
    const otherIsWilling = otherPriority > 0 && other.matchIndex >= commitIndex;
    if (isWilling !== otherIsWilling) {
      return isWilling;
    }
    if (one.matchIndex !== other.matchIndex) {
      return one.matchIndex > other.matchIndex;
    }
    return priority > otherPriority || (priority === otherPriority && one.id < other.id);
  }

  #canBeLeader(peer: NodeId): boolean {
    return peer !== this.#state.id && this.#state.configuration.voters.includes(peer);
  }
}
