/**
 * WAIT: how many other nodes have the log up to an index. The leader knows from its followers' acknowledgements; a
 * follower asks it. "Other" means all that have it but one, as Redis counts replicas and not the master.
 */
import type { Index, NodeId, RaftCoreApi } from "@ferrite/raft";
import { CopiesWaiters } from "./copies.ts";
import type { PeerPayload } from "./transport.ts";

export interface CopiesRequest {
  readonly index: Index;
  readonly wanted: number;
  /** 0: no limit. */
  readonly timeoutMs: number;
}

/** A leader keeps a question of a follower no longer than this; the follower asks again. */
const MAX_REMOTE_WAIT_MS = 60_000;
/** Of the time that is left, how much the leader may take before it says how many there are so far. */
const REMOTE_WAIT_SHARE = 0.5;

type Query = Extract<PeerPayload, { readonly kind: "copiesQuery" }>;
type Answer = Extract<PeerPayload, { readonly kind: "copiesAnswer" }>;

export interface CopyCountsPorts {
  readonly core: RaftCoreApi;
  monotonicMs(): number;
  send(to: NodeId, payload: PeerPayload): void;
}

export class CopyCounts {
  readonly #ports: CopyCountsPorts;
  readonly #waiters: CopiesWaiters = new CopiesWaiters();
  readonly #questions: Map<
    number,
    { readonly ask: () => void; readonly answer: (count: number) => void }
  > = new Map();
  #nextQuestion: number;

  /** `firstQuestion`: another one at every start, as with reads (reads.ts). */
  constructor(ports: CopyCountsPorts, firstQuestion: number) {
    this.#nextQuestion = firstQuestion;
    this.#ports = ports;
  }

  /** Calls `done` once, when there are enough copies or the time is up. The returned function gives up. */
  wait(request: CopiesRequest, done: (count: number) => void): () => void {
    const { core } = this.#ports;
    const deadlineMs =
      request.timeoutMs === 0 ? Infinity : this.#ports.monotonicMs() + request.timeoutMs;
    if (core.role() !== "leader") return this.#ask(request, deadlineMs, done);
    const giveUp = this.#waiters.add({ ...request, deadlineMs, done });
    this.check();
    return giveUp;
  }

  /** Answers who has enough by now, and whose time is up. */
  check(): void {
    if (!this.#waiters.isEmpty)
      this.#waiters.check((index) => this.#count(index), this.#ports.monotonicMs());
  }

  /** A follower asks this node. */
  answer(from: NodeId, query: Query): void {
    this.#waiters.add({
      index: query.index,
      wanted: query.wanted,
      // A lost answer must not keep a waiter here for ever: who still wants it asks again.
      deadlineMs: this.#ports.monotonicMs() + Math.min(query.timeoutMs, MAX_REMOTE_WAIT_MS),
      done: (count) =>
        this.#ports.send(from, { kind: "copiesAnswer", requestId: query.requestId, count }),
    });
  }

  /** The leader answered a question of this node. */
  answered(answer: Answer): void {
    this.#questions.get(answer.requestId)?.answer(answer.count);
  }

  /** Another leader: the one that was asked may never answer. */
  leaderChanged(): void {
    for (const question of this.#questions.values()) question.ask();
  }

  /** A follower asks the leader, again when the answer is too low and there is time left. */
  #ask(request: CopiesRequest, deadlineMs: number, done: (count: number) => void): () => void {
    const requestId = this.#nextQuestion++;
    const { index, wanted } = request;
    /** The most that a leader has answered so far. */
    let known = 0;
    const forget = (): void => void this.#questions.delete(requestId);
    const giveUp = this.#waiters.add({
      index,
      wanted,
      deadlineMs,
      done: (count) => {
        forget();
        done(Math.max(count, known));
      },
    });
    const ask = (): void => {
      const leader = this.#ports.core.leader();
      const leftMs = Math.min(deadlineMs - this.#ports.monotonicMs(), MAX_REMOTE_WAIT_MS);
      if (leader === null || leftMs <= 0) return;
      this.#ports.send(leader, {
        kind: "copiesQuery",
        requestId,
        index,
        wanted,
        // The answer has to be back before the time is up here.
        timeoutMs: Math.floor(leftMs * REMOTE_WAIT_SHARE),
      });
    };
    const answer = (count: number): void => {
      known = Math.max(known, count);
      if (count < wanted && this.#ports.monotonicMs() < deadlineMs) return ask();
      giveUp();
      forget();
      return done(count);
    };
    this.#questions.set(requestId, { ask, answer });
    ask();
    return () => {
      giveUp();
      forget();
    };
  }

  /** How many nodes besides one have the log up to `index`, as far as this node knows. */
  #count(index: Index): number {
    const status = this.#ports.core.status();
    if (status.role !== "leader") {
      const majority = Math.floor(status.configuration.voters.length / 2) + 1;
      return status.commitIndex >= index ? majority - 1 : 0;
    }
    let copies = status.durableIndex >= index ? 1 : 0;
    for (const [peer, progress] of status.progress) {
      if (peer !== status.id && progress.matchIndex >= index) copies++;
    }
    return Math.max(0, copies - 1);
  }
}
