/**
 * Handing over leadership (thesis, section 3.10): no proposals meanwhile, the target is brought up to date, then told
 * to campaign at once. Given up after an election timeout, and the leader goes on as before.
 */
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
    if (chosen === null || !this.#canTakeOver(chosen)) {
      return false;
    }
    if (this.#target !== chosen) {
      this.#target = chosen;
      this.#elapsedTicks = 0;
      this.proceed(chosen);
    }
    return true;
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

  /** The voter with the longest log among those heard lately; the first by id when several have it. */
  mostCaughtUp(): NodeId | null {
    let best: NodeId | null = null;
    let bestMatch = -1;
    for (const progress of this.#replicator.peers()) {
      if (!this.#canTakeOver(progress.id)) {
        continue;
      }
      const better =
        progress.matchIndex > bestMatch ||
        (progress.matchIndex === bestMatch && best !== null && progress.id < best);
      if (better) {
        best = progress.id;
        bestMatch = progress.matchIndex;
      }
    }
    return best;
  }

  #canBeLeader(peer: NodeId): boolean {
    return peer !== this.#state.id && this.#state.configuration.voters.includes(peer);
  }

  #canTakeOver(peer: NodeId): boolean {
    const progress = this.#replicator.get(peer);
    return progress !== undefined && this.#canBeLeader(peer) && this.#replicator.isActive(progress);
  }
}
