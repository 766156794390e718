/**
 * Linearizable reads (thesis, section 6.4). All that ask between two rounds share one read index; the answer is
 * given in the same synchronous step in which the state machine is seen to have reached it, so that nothing can
 * change between "confirmed" and "read" (R29).
 */
import type { ReadState } from "@ferrite/raft";

type Done = (errorText: string | null) => void;

interface Round {
  readonly requestId: number;
  /** When the oldest of those who wait came. */
  readonly sinceMs: number;
  readonly askedAtMs: number;
  readonly waiting: Done[];
  /** 0 until the quorum has confirmed it. */
  index: number;
}

export class LinearizableReads {
  readonly #timeoutMs: number;
  readonly #askAgainAfterMs: number;
  #gathering: Done[] = [];
  #gatheringSinceMs = 0;
  #rounds: Round[] = [];
  #nextRequestId: number;
  #freshAsOfMs = -Infinity;

  /**
   * `askAgainAfterMs`: a request or its answer may be lost on the way. `firstRequestId`: another one at every start. The
   * leader may still owe an answer to a process of this node that is gone: it must not confirm a read of this one.
   */
  constructor(options: {
    readonly timeoutMs: number;
    readonly askAgainAfterMs: number;
    readonly firstRequestId: number;
  }) {
    this.#nextRequestId = options.firstRequestId;
    this.#timeoutMs = options.timeoutMs;
    this.#askAgainAfterMs = options.askAgainAfterMs;
  }

  add(done: Done, nowMs: number): void {
    if (this.#gathering.length === 0) this.#gatheringSinceMs = nowMs;
    this.#gathering.push(done);
  }

  /** Asks for one read index for all that came since the last call. */
  pump(readIndex: (requestId: number) => void, nowMs: number): void {
    if (this.#gathering.length === 0) return;
    const round: Round = {
      requestId: this.#nextRequestId++,
      sinceMs: this.#gatheringSinceMs,
      askedAtMs: nowMs,
      waiting: this.#gathering,
      index: 0,
    };
    this.#gathering = [];
    this.#rounds.push(round);
    readIndex(round.requestId);
  }

  confirmed(read: ReadState): void {
    const round = this.#rounds.find((candidate) => candidate.requestId === read.requestId);
    if (round !== undefined) round.index = Math.max(read.index, 1);
  }

  /** The index can not come any more: those who wait ask again with the next round, until their time is up. */
  failed(requestId: number): void {
    const at = this.#rounds.findIndex((candidate) => candidate.requestId === requestId);
    if (at < 0) return;
    const [round] = this.#rounds.splice(at, 1);
    if (this.#gathering.length === 0) this.#gatheringSinceMs = round.sinceMs;
    this.#gatheringSinceMs = Math.min(this.#gatheringSinceMs, round.sinceMs);
    this.#gathering.unshift(...round.waiting);
  }

  /**
   * Monotonic ms: everything that was committed anywhere by then is in this node's state. A round that was confirmed by
   * a majority after it was asked for, and is applied here, says so; the heartbeats of a leader do not (freshness.ts).
   */
  get freshAsOfMs(): number {
    return this.#freshAsOfMs;
  }

  /** Serves every round the state machine has reached. */
  serve(appliedIndex: number): void {
    for (let at = 0; at < this.#rounds.length;) {
      const round = this.#rounds[at];
      if (round.index === 0 || round.index > appliedIndex) {
        at++;
        continue;
      }
      this.#rounds.splice(at, 1);
      this.#freshAsOfMs = Math.max(this.#freshAsOfMs, round.askedAtMs);
      for (const done of round.waiting) done(null);
    }
  }

  /** Whether reads wait for a leader to be asked again. */
  get isGathering(): boolean {
    return this.#gathering.length > 0;
  }

  tick(nowMs: number): void {
    const text = `CLUSTERDOWN no leader confirmed the read within ${this.#timeoutMs} ms`;
    if (this.#gathering.length > 0 && nowMs - this.#gatheringSinceMs >= this.#timeoutMs) {
      const waiting = this.#gathering;
      this.#gathering = [];
      for (const done of waiting) done(text);
    }
    while (this.#rounds.length > 0 && nowMs - this.#rounds[0].sinceMs >= this.#timeoutMs) {
      for (const done of this.#rounds.shift()!.waiting) done(text);
    }
    const lost = this.#rounds.filter(
      (round) => round.index === 0 && nowMs - round.askedAtMs >= this.#askAgainAfterMs,
    );
    for (const round of lost) this.failed(round.requestId);
  }

  failAll(errorText: string): void {
    const waiting = [...this.#rounds.flatMap((round) => round.waiting), ...this.#gathering];
    this.#rounds = [];
    this.#gathering = [];
    for (const done of waiting) done(errorText);
  }
}
