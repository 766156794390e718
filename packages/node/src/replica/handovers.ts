/**
 * Wishes about who leads (LeadershipControl), from any node to the leader.
 *
 *   asked here ── leadershipAsk ──▶ leader: takes or refuses it ── leadershipAnswer ──▶ asked here
 *                                     │ tries until its time is up                        │ waits until it sees another leader
 *
 * A question is repeated until it is answered, as messages may be lost and leaders may change; the leader knows a question
 * that it has taken by its number.
 */
import type { NodeId, RaftCoreApi } from "@ferrite/raft";
import type {
  LeadershipAnswer,
  LeadershipControl,
  LeadershipOutcome,
  LeadershipWish,
} from "./leadership-control.ts";
import type { PeerPayload } from "./transport.ts";

/** A question without an answer goes out again after this. */
const ASK_AGAIN_MS = 500;
/** Between two attempts of the leader: writes that were held have their turn. */
const ATTEMPT_PAUSE_MS = 500;
/** Questions that wait here at the same time; operators ask them one by one. */
export const QUESTIONS_MAX = 64;

type Ask = Extract<PeerPayload, { readonly kind: "leadershipAsk" }>;
type Answer = Extract<PeerPayload, { readonly kind: "leadershipAnswer" }>;

interface Question {
  readonly requestId: number;
  readonly wish: LeadershipWish;
  readonly until: "accepted" | "moved";
  readonly deadlineMs: number;
  readonly done: (outcome: LeadershipOutcome) => void;
  askedAtMs: number;
  /** Who accepted it; null before that. */
  acceptedBy: NodeId | null;
}

/** A transfer that this node, as the leader, has taken. */
interface Attempt {
  readonly from: NodeId;
  readonly requestId: number;
  readonly target: NodeId | null;
  readonly deadlineMs: number;
  nextAtMs: number;
}

export interface HandoversPorts {
  readonly nodeId: NodeId;
  readonly core: RaftCoreApi;
  monotonicMs(): number;
  send(to: NodeId, payload: PeerPayload): void;
  /** Something is to be carried out. */
  plan(): void;
}

export class Handovers implements LeadershipControl {
  readonly #ports: HandoversPorts;
  readonly #questions: Map<number, Question> = new Map();
  #nextRequestId: number;
  #attempt: Attempt | null = null;

  /** `firstRequestId`: another one at every start, as with reads (reads.ts). */
  constructor(ports: HandoversPorts, firstRequestId: number) {
    this.#ports = ports;
    this.#nextRequestId = firstRequestId;
  }

  ask(
    wish: LeadershipWish,
    options: { readonly until: "accepted" | "moved"; readonly timeoutMs: number },
    done: (outcome: LeadershipOutcome) => void,
  ): void {
    if (this.#questions.size >= QUESTIONS_MAX) return done("timeout");
    const requestId = this.#nextRequestId++;
    const { until, timeoutMs } = options;
    const deadlineMs = this.#ports.monotonicMs() + timeoutMs;
    const question = { requestId, wish, until, deadlineMs, done, acceptedBy: null };
    this.#questions.set(requestId, { ...question, askedAtMs: -Infinity });
    this.#look();
  }

  isHandingOver(): boolean {
    const { core } = this.#ports;
    if (core.role() !== "leader") return false;
    return this.#attempt !== null || core.status().transferTarget !== null;
  }

  tick(): void {
    this.#proceed();
    if (this.#questions.size > 0) this.#look();
  }

  /** Another node leads, or nobody does. */
  leaderChanged(): void {
    this.#proceed();
    if (this.#questions.size > 0) this.#look();
  }

  /** The node ends: whoever waits is told that nobody answered. */
  stop(): void {
    for (const question of this.#questions.values()) this.#end(question, "timeout");
  }

  receive(from: NodeId, payload: Ask | Answer): void {
    if (payload.kind === "leadershipAnswer") {
      const question = this.#questions.get(payload.requestId);
      if (question !== undefined) this.#answered(question, from, payload.answer);
      return;
    }
    const { requestId, wish, timeoutMs } = payload;
    const answer = this.#take(from, requestId, { wish, timeoutMs });
    this.#ports.send(from, { kind: "leadershipAnswer", requestId, answer });
  }

  // ---- As the one who asks ----------------------------------------------------------------------------------

  #look(): void {
    const { core, nodeId } = this.#ports;
    const nowMs = this.#ports.monotonicMs();
    const leader = core.leader();
    for (const question of this.#questions.values()) {
      const { acceptedBy } = question;
      if (acceptedBy !== null && leader !== null && leader !== acceptedBy) {
        this.#end(question, "accepted");
      } else if (nowMs >= question.deadlineMs) {
        this.#end(question, acceptedBy === null ? "timeout" : "stays");
      } else if (acceptedBy === null && leader !== null) {
        if (nowMs - question.askedAtMs < ASK_AGAIN_MS) continue;
        question.askedAtMs = nowMs;
        this.#put(question, leader, nodeId);
      }
    }
  }

  #put(question: Question, leader: NodeId, nodeId: NodeId): void {
    const { requestId, wish, deadlineMs } = question;
    const timeoutMs = Math.max(1, Math.floor(deadlineMs - this.#ports.monotonicMs()));
    if (leader === nodeId) {
      this.#answered(question, nodeId, this.#take(nodeId, requestId, { wish, timeoutMs }));
    } else {
      this.#ports.send(leader, { kind: "leadershipAsk", requestId, wish, timeoutMs });
    }
  }

  #answered(question: Question, by: NodeId, answer: LeadershipAnswer): void {
    // It may be the leader no more: whoever is gets the question next.
    if (answer === "notLeader" || question.acceptedBy !== null) return;
    question.acceptedBy = by;
    if (answer !== "accepted" || question.until === "accepted") this.#end(question, answer);
    else this.#look();
  }

  #end(question: Question, outcome: LeadershipOutcome): void {
    if (this.#questions.delete(question.requestId)) question.done(outcome);
  }

  // ---- As the leader ----------------------------------------------------------------------------------------

  #take(
    from: NodeId,
    requestId: number,
    { wish, timeoutMs }: { readonly wish: LeadershipWish; readonly timeoutMs: number },
  ): LeadershipAnswer {
    const { core } = this.#ports;
    const attempt = this.#attempt;
    if (attempt?.from === from && attempt.requestId === requestId) return "accepted";
    if (core.role() !== "leader") return "notLeader";
    if (wish.kind === "cancel") return this.#cancel();
    if (wish.kind === "transfer") {
      if (this.isHandingOver()) return "underWay";
      if (!core.transferLeadership(wish.target ?? undefined)) return "nobody";
      const nowMs = this.#ports.monotonicMs();
      const { target } = wish;
      this.#attempt = { from, requestId, target, deadlineMs: nowMs + timeoutMs, nextAtMs: nowMs };
    } else {
      this.#attempt = null;
      core.stepDown();
    }
    this.#ports.plan();
    return "accepted";
  }

  #cancel(): LeadershipAnswer {
    const wasUnderWay = this.#attempt !== null;
    this.#attempt = null;
    const wasBegun = this.#ports.core.cancelTransfer();
    this.#ports.plan();
    return wasUnderWay || wasBegun ? "accepted" : "nothing";
  }

  /** The core gives a transfer up after an election timeout: while there is time it is begun again. */
  #proceed(): void {
    const attempt = this.#attempt;
    if (attempt === null) return;
    const { core } = this.#ports;
    if (core.role() !== "leader") {
      this.#attempt = null;
      return;
    }
    const nowMs = this.#ports.monotonicMs();
    if (core.status().transferTarget !== null) {
      attempt.nextAtMs = nowMs + ATTEMPT_PAUSE_MS;
    } else if (nowMs >= attempt.deadlineMs) {
      this.#attempt = null;
    } else if (nowMs >= attempt.nextAtMs) {
      attempt.nextAtMs = nowMs + ATTEMPT_PAUSE_MS;
      core.transferLeadership(attempt.target ?? undefined);
      this.#ports.plan();
    }
  }
}
