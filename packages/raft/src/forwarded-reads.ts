/**
 * Reads of a follower's clients that wait for the leader's word (thesis, section 6.4). They fail as soon as the
 * leader is in doubt, and after an election timeout without an answer: the asker asks again.
 */
import type { RaftState } from "./state.ts";
import type { NodeId, ReadIndexResponse } from "./types.ts";

export class ForwardedReads {
  readonly #state: RaftState;
  /** Request id to the tick it was asked at; a Map keeps that order. */
  readonly #pending: Map<number, number> = new Map<number, number>();
  #now = 0;

  constructor(state: RaftState) {
    this.#state = state;
  }

  ask(requestId: number, leader: NodeId): void {
    this.#pending.delete(requestId);
    this.#pending.set(requestId, this.#now);
    this.#state.outbox.send({
      kind: "readIndexRequest",
      from: this.#state.id,
      to: leader,
      term: this.#state.term,
      requestId,
    });
  }

  answered(response: ReadIndexResponse): void {
    if (!this.#pending.delete(response.requestId)) {
      return;
    }
    if (response.index === 0) {
      this.#state.outbox.readFailed(response.requestId);
    } else {
      this.#state.outbox.readConfirmed(response.requestId, response.index);
    }
  }

  tick(): void {
    this.#now += 1;
    for (const [requestId, askedAt] of this.#pending) {
      if (this.#now - askedAt < this.#state.options.electionTimeoutTicks) {
        return;
      }
      this.#pending.delete(requestId);
      this.#state.outbox.readFailed(requestId);
    }
  }

  failAll(): void {
    for (const requestId of this.#pending.keys()) {
      this.#state.outbox.readFailed(requestId);
    }
    this.#pending.clear();
  }
}
