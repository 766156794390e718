/**
 * Whether this node's users are new enough to honour credentials by them.
 *
 *   asked the leader      confirmed, and          asked again        the bound after
 *   for a read index      applied that far                           the first question
 *   ──────┼──────────────────────┼─────────────────────┼────────────────────┼──────▶
 *         └─ fresh as of here    └─ known              └─ ...               └─ refused from here, unless
 *                                                                              a later one was confirmed
 *
 * A read index is what a linearizable read waits for (reads.ts): once it is applied here, everything that was committed
 * before the question is. So a change that this node has not applied was committed after the moment up to which the node is
 * fresh, and no credential is honoured here later than the bound after that commit. The leader's own questions go to a
 * majority: one that was deposed, or that hears nobody, gets no answer. Heartbeats would not do: they name a commit index that is
 * cut to what the receiver is known to have, so that a node whose answers are lost would take itself for fresh for ever.
 */

export interface FreshnessPorts {
  monotonicMs(): number;
  /** Calls done(null) when a read that began now is linearizable here. */
  confirm(done: (errorText: string | null) => void): void;
  /** This node is the only member: nobody else can change the users. */
  isAlone(): boolean;
  /** Runs soon, after the I/O that is ready now. */
  defer(run: () => void): void;
}

/** Of the bound, how often is asked: a lost answer or an election must not use it up. */
const QUESTIONS_PER_BOUND = 8;
/** With long bounds: how long it may take to be fresh again, and at most this many questions go to the leader. */
const QUESTION_INTERVAL_MS_MAX = 1000;
/** Reading the clock costs as much as a small command: within one turn of the event loop it is done once in so many asks. */
export const ASKS_PER_CLOCK_READ = 64;

export class Freshness {
  readonly #ports: FreshnessPorts;
  #maxStalenessMs: number;
  /** Monotonic ms; what was committed by then is applied here. */
  #freshAsOfMs = -Infinity;
  #isAlone = false;
  /** So many times more the clock need not be read in this turn. */
  #asksLeft = 0;
  #turnEndPlanned = false;
  /** Of the open question; null when there is none. */
  #question: { readonly askedAtMs: number } | null = null;

  constructor(ports: FreshnessPorts, maxStalenessMs: number) {
    this.#ports = ports;
    this.#maxStalenessMs = maxStalenessMs;
  }

  get maxStalenessMs(): number {
    return this.#maxStalenessMs;
  }

  /** Counts at once. All nodes should have the same bound, or the longest is the cluster's. */
  set maxStalenessMs(value: number) {
    this.#maxStalenessMs = value;
    this.#asksLeft = 0;
  }

  /**
   * Null while credentials may be honoured, else the error. Reads the clock anew in every turn of the event loop: a process
   * that stood still must not honour anything before its timers have run.
   */
  refusal(): string | null {
    if (this.#isAlone) return null;
    if (this.#asksLeft > 0) {
      this.#asksLeft--;
      return null;
    }
    const ageMs = this.#ports.monotonicMs() - this.#freshAsOfMs;
    if (ageMs >= this.#maxStalenessMs) return refusalText(ageMs);
    this.#asksLeft = ASKS_PER_CLOCK_READ - 1;
    if (!this.#turnEndPlanned) {
      this.#turnEndPlanned = true;
      this.#ports.defer(this.#endTurn);
    }
    return null;
  }

  readonly #endTurn = (): void => {
    this.#turnEndPlanned = false;
    this.#asksLeft = 0;
  };

  /** Nothing is honoured from now on until a question that is yet to be asked has been answered. */
  forget(): void {
    this.#freshAsOfMs = -Infinity;
    this.#asksLeft = 0;
    this.#question = null;
  }

  /** Asks again when it is time. */
  tick(): void {
    this.#isAlone = this.#ports.isAlone();
    this.#asksLeft = 0;
    const nowMs = this.#ports.monotonicMs();
    const intervalMs = Math.min(
      this.#maxStalenessMs / QUESTIONS_PER_BOUND,
      QUESTION_INTERVAL_MS_MAX,
    );
    if (this.#question !== null || nowMs - this.#freshAsOfMs < intervalMs) return;
    const question = { askedAtMs: nowMs };
    this.#question = question;
    this.#ports.confirm((errorText) => {
      if (this.#question !== question) return;
      this.#question = null;
      if (errorText === null) this.#freshAsOfMs = question.askedAtMs;
    });
  }
}

function refusalText(ageMs: number): string {
  const since = Number.isFinite(ageMs) ? `for ${Math.floor(ageMs)} ms` : "since it was started";
  return `CLUSTERDOWN this node has had no contact with a majority of the cluster ${since}, so that it can not know who may do what (acl-max-staleness-ms)`;
}
