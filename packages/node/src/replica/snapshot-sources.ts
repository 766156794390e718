/**
 * Spares a leader the work of sending snapshots: a follower that has one as new as is needed lends it.
 *
 *    leader ── snapshotAsk ──▶ source      "have you one of index 900 or later, and a link to c? If not, take one"
 *           ◀─ snapshotOffer ─             "being taken, of 940"; asked again: "940, 3 MiB"
 *    leader ── chunkNotice ──▶ receiver    every chunk, without its bytes, which the receiver gets at the source
 *           ◀─ snapshotResponse            (snapshot-borrower.ts, snapshot-lender.ts) and answers as ever
 *
 * From the offer on the transfer is the core's, as with a snapshot of its own. The leader keeps the word: what a receiver
 * takes in is what its leader announced to it. When no follower has one, or nothing comes of it, the leader sends its own.
 */
import type { Index, NodeId, RaftCoreApi, SnapshotMeta, SnapshotSource } from "@ferrite/raft";
import type { LentChunk, PeerPayload, SnapshotOffer } from "./transport.ts";

/** In election timeouts: a follower that has not answered by then has none. */
const ANSWER_TIMEOUTS = 2;
/** One that is taking a snapshot is asked so often whether it is there, */
const ASK_AGAIN_TIMEOUTS = 0.2;
/** and no longer than this. */
const TAKING_TIMEOUTS = 60;
/** A transfer that gets nowhere for so long goes on with another source. */
const PATIENCE_TIMEOUTS = 8;
/** A receiver that was announced nothing for so long was not there; its source is not to blame. */
const ABSENT_TIMEOUTS = 3;
/** For so long that source is not asked again for the same receiver. */
const AVOIDED_TIMEOUTS = 60;

type Offer = Extract<PeerPayload, { readonly kind: "snapshotOffer" }>;

export interface SnapshotSourcesPorts {
  readonly core: RaftCoreApi;
  readonly electionTimeoutMs: number;
  monotonicMs(): number;
  connected(peer: NodeId): boolean;
  /** Whether its version lends snapshots, and takes lent ones. */
  lendsSnapshots(peer: NodeId): boolean;
  send(to: NodeId, payload: PeerPayload): boolean;
  /** A follower is taking one: entries behind that position will be needed. */
  beingTaken(index: Index): void;
}

/** Whom it is for, how new it must be, and whether one is to be taken when there is none. */
export type WantedLoan = Pick<Ask, "to" | "minimumIndex" | "mayTake">;

export interface LentSnapshot {
  readonly meta: SnapshotMeta;
  readonly source: SnapshotSource;
}

type Ask = Extract<PeerPayload, { readonly kind: "snapshotAsk" }>;

interface Question {
  readonly ask: Ask;
  readonly asked: NodeId;
  readonly done: (lent: LentSnapshot | null) => void;
  /** It may take one until then. */
  readonly endMs: number;
  deadlineMs: number;
  /** Infinity while an answer is missing. */
  askAgainAtMs: number;
}

interface Loan {
  readonly source: SnapshotSource;
  readonly index: Index;
  /** Everything before it was announced at least once. */
  announcedBytes: number;
  /** When that last became more: the receiver takes what is announced, or it would not. */
  movedAtMs: number;
  announcedAtMs: number;
}

export class SnapshotSources {
  readonly #ports: SnapshotSourcesPorts;
  /** By receiver. */
  readonly #questions: Map<NodeId, Question> = new Map();
  readonly #loans: Map<NodeId, Loan> = new Map();
  /** Receiver and source that got nowhere with each other, and until when that is remembered. */
  readonly #avoided: Map<string, number> = new Map();
  #nextRequestId: number;

  constructor(ports: SnapshotSourcesPorts, firstRequestId: number) {
    this.#ports = ports;
    this.#nextRequestId = firstRequestId;
  }

  /**
   * Looks for a follower that lends a snapshot, and may have it take one. `done` is called once, at the latest when another
   * one is looked for, but not when the office is lost meanwhile.
   */
  find(wanted: WantedLoan, done: (lent: LentSnapshot | null) => void): void {
    const { to } = wanted;
    this.#end(to, null);
    this.#loans.delete(to);
    const asked = this.#choose(to);
    const ask = { kind: "snapshotAsk", requestId: this.#nextRequestId++, ...wanted } as const;
    if (asked === null || !this.#ports.send(asked, ask)) return done(null);
    const endMs = this.#inTimeouts(TAKING_TIMEOUTS);
    const deadlineMs = this.#inTimeouts(ANSWER_TIMEOUTS);
    this.#questions.set(to, { ask, asked, done, endMs, deadlineMs, askAgainAtMs: Infinity });
  }

  /** A follower answered. */
  answered(from: NodeId, { requestId, offer }: Offer): void {
    for (const [to, question] of this.#questions) {
      if (question.ask.requestId !== requestId || question.asked !== from) continue;
      this.#answered(to, question, offer);
      return;
    }
  }

  #answered(to: NodeId, question: Question, offer: SnapshotOffer): void {
    const { asked, ask } = question;
    if (offer.state === "ready" && offer.meta.index >= ask.minimumIndex) {
      const { meta, incarnation } = offer;
      const source = { node: asked, incarnation };
      const movedAtMs = this.#ports.monotonicMs();
      const times = { movedAtMs, announcedAtMs: movedAtMs };
      this.#loans.set(to, { source, index: meta.index, announcedBytes: 0, ...times });
      this.#end(to, { meta, source });
    } else if (offer.state === "beingTaken" && offer.index >= ask.minimumIndex) {
      question.askAgainAtMs = this.#inTimeouts(ASK_AGAIN_TIMEOUTS);
      question.deadlineMs = Math.min(this.#inTimeouts(ANSWER_TIMEOUTS), question.endMs);
      this.#ports.beingTaken(offer.index);
    } else {
      this.#avoid(to, asked);
      this.#end(to, null);
    }
  }

  /** Tells the receiver of a chunk. False when the source should not be relied on any longer. */
  announce(chunk: LentChunk): boolean {
    const loan = this.#loans.get(chunk.to);
    if (loan !== undefined && isOf(loan, chunk) && !this.#isMoving(loan, chunk)) {
      this.#avoid(chunk.to, loan.source.node);
      this.#loans.delete(chunk.to);
      return false;
    }
    // Lost, it is announced again by and by.
    this.#ports.send(chunk.to, { kind: "chunkNotice", chunk });
    return true;
  }

  /** Once a tick: who has not answered has nothing to lend, who is taking a snapshot is asked again. */
  tick(): void {
    if (this.#questions.size === 0) return;
    const nowMs = this.#ports.monotonicMs();
    for (const [to, question] of this.#questions) {
      if (nowMs >= question.deadlineMs) {
        this.#avoid(to, question.asked);
        this.#end(to, null);
      } else if (nowMs >= question.askAgainAtMs) {
        question.askAgainAtMs = Infinity;
        this.#ports.send(question.asked, question.ask);
      }
    }
  }

  /** The link to a source broke. Returns who needs another one. */
  disconnected(peer: NodeId): readonly NodeId[] {
    for (const [to, question] of this.#questions) {
      if (question.asked === peer) this.#end(to, null);
    }
    const left = [...this.#loans].filter(([, { source }]) => source.node === peer);
    for (const [to] of left) this.#loans.delete(to);
    return left.map(([to]) => to);
  }

  /** This node does not lead any more, or leads anew. */
  leaderChanged(): void {
    this.#questions.clear();
    this.#loans.clear();
    this.#avoided.clear();
  }

  /** Who could have one: the follower with the fewest receivers, and of these the one that has most of the log. */
  #choose(to: NodeId): NodeId | null {
    const ports = this.#ports;
    if (!ports.lendsSnapshots(to)) return null;
    const nowMs = ports.monotonicMs();
    const followers = ports.core.status().progress;
    for (const receiver of this.#loans.keys()) {
      if (followers.get(receiver)?.state !== "snapshot") this.#loans.delete(receiver);
    }
    let best: { readonly id: NodeId; readonly loans: number; readonly matchIndex: Index } | null =
      null;
    for (const [id, { state, active, matchIndex }] of followers) {
      if (id === to || state === "snapshot" || !active) continue;
      if (!ports.connected(id) || !ports.lendsSnapshots(id)) continue;
      if (this.#isAvoided(to, id, nowMs)) continue;
      const loans = [...this.#loans.values()].filter(({ source }) => source.node === id).length;
      const isBetter =
        best === null ||
        loans < best.loans ||
        (loans === best.loans && matchIndex > best.matchIndex);
      if (isBetter) best = { id, loans, matchIndex };
    }
    return best?.id ?? null;
  }

  #isMoving(loan: Loan, { offsetBytes, lengthBytes }: LentChunk): boolean {
    const { electionTimeoutMs } = this.#ports;
    const nowMs = this.#ports.monotonicMs();
    const endBytes = offsetBytes + lengthBytes;
    const wasAbsent = nowMs - loan.announcedAtMs > ABSENT_TIMEOUTS * electionTimeoutMs;
    if (endBytes > loan.announcedBytes || wasAbsent) loan.movedAtMs = nowMs;
    loan.announcedBytes = Math.max(loan.announcedBytes, endBytes);
    loan.announcedAtMs = nowMs;
    return nowMs - loan.movedAtMs <= PATIENCE_TIMEOUTS * electionTimeoutMs;
  }

  #avoid(to: NodeId, source: NodeId): void {
    this.#avoided.set(`${to} ${source}`, this.#inTimeouts(AVOIDED_TIMEOUTS));
  }

  #inTimeouts(timeouts: number): number {
    return this.#ports.monotonicMs() + timeouts * this.#ports.electionTimeoutMs;
  }

  #isAvoided(to: NodeId, source: NodeId, nowMs: number): boolean {
    return nowMs < (this.#avoided.get(`${to} ${source}`) ?? -Infinity);
  }

  #end(to: NodeId, lent: LentSnapshot | null): void {
    const question = this.#questions.get(to);
    this.#questions.delete(to);
    question?.done(lent);
  }
}

function isOf(loan: Loan, { meta, source }: LentChunk): boolean {
  return (
    loan.index === meta.index &&
    loan.source.node === source.node &&
    loan.source.incarnation === source.incarnation
  );
}
