/**
 * Reads without the log (thesis, section 6.4). The leader notes its commit index, and answers with it once a quorum
 * has confirmed, by answering a heartbeat sent afterwards, that it still leads. Requests that come together share a
 * round; the answer to one round confirms all earlier ones too.
 */
import type { Index, NodeId } from "./types.ts";

/** Rounds on their way at once; requests beyond wait for the next. */
export const readRoundsInFlightMax: number = 8;

export interface ReadRequest {
  readonly from: NodeId;
  readonly requestId: number;
}

interface Round {
  readonly round: number;
  readonly index: Index;
  readonly requests: readonly ReadRequest[];
}

export class ReadOnly {
  /** Not in a round yet. */
  #waiting: ReadRequest[] = [];
  /** Waiting for a quorum, oldest first. */
  #rounds: Round[] = [];
  #lastRound = 0;

  /** The newest round that was begun. */
  get lastRound(): number {
    return this.#lastRound;
  }

  ask(request: ReadRequest): void {
    this.#waiting.push(request);
  }

  canBegin(): boolean {
    return this.#waiting.length > 0 && this.#rounds.length < readRoundsInFlightMax;
  }

  /** Puts all that wait into a new round that will be answered with `commitIndex`. */
  begin(commitIndex: Index): void {
    this.#lastRound += 1;
    this.#rounds.push({ round: this.#lastRound, index: commitIndex, requests: this.#waiting });
    this.#waiting = [];
  }

  /** The newest round that waits for a quorum; 0 when none does. */
  pendingRound(): number {
    return this.#rounds.at(-1)?.round ?? 0;
  }

  /** A quorum has confirmed `round`: `answer` is called for every request of it and of those before. */
  confirm(round: number, answer: (request: ReadRequest, index: Index) => void): void {
    let done = 0;
    for (const candidate of this.#rounds) {
      if (candidate.round > round) {
        break;
      }
      done += 1;
      for (const request of candidate.requests) {
        answer(request, candidate.index);
      }
    }
    if (done > 0) {
      this.#rounds = this.#rounds.slice(done);
    }
  }

  /** Leadership ends: everything that has no answer yet, oldest first. */
  drain(): readonly ReadRequest[] {
    const requests = [...this.#rounds.flatMap((round) => round.requests), ...this.#waiting];
    this.#rounds = [];
    this.#waiting = [];
    return requests;
  }
}
