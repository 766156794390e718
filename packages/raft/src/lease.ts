/**
 * The leader's lease (thesis, section 6.4.1): for a while after a majority has promised to elect nobody else, the leader
 * may serve reads without asking it again.
 *
 *   leader    tick t: heartbeat ─────┬──────────── lease ────────────┤ margin  │
 *                                    │                                         │
 *   follower                     hears it ──────────── promise ────────────────┤ may vote and campaign again
 *
 * The promise is a follower's answer to a heartbeat that asked for one. For `promiseTicks` of its own clock from
 * when it heard that heartbeat it neither votes nor campaigns, whatever else it hears: not when its link to the leader
 * breaks, not in a later term, and not after a restart, as every start is quiet for as long. The one exception is an
 * election that the leader itself asks for (TimeoutNow); it has no lease from then on.
 *
 * Promises cost availability: a dead leader is replaced when they have run out, instead of when its links break. So they
 * are made only where the option says so, and asked for only while somebody reads by lease.
 */
import { isJoint } from "./configuration.ts";
import { quorumIndex } from "./quorum.ts";
import type { LeadershipTransfer } from "./leadership-transfer.ts";
import type { Replicator } from "./replicator.ts";
import type { RaftState } from "./state.ts";
import type { LeaseOffer } from "./types.ts";

/** The part of the promise by which the lease is shorter: so much may clocks differ in speed and in jumps together. */
const MARGIN_DIVISOR = 5;
/** The leader acts between two of its ticks, and so does the follower: each may be off by one. */
const PARTIAL_TICKS = 2;
/** After the last read that asked for a lease it is kept up for so many election timeouts. */
const WANTED_ELECTION_TIMEOUTS = 20;

/**
 * How long a lease lasts from the tick at which its heartbeat was sent, in ticks; 0: timeouts are too short for leases.
 * The promise behind it lasts `electionTimeoutTicks`. A fifth of that, at least one tick, is for clocks that do not
 * run equally fast (half of it) or jump (the other half), and two ticks are for what lies between ticks.
 */
export function leaseLengthTicks(electionTimeoutTicks: number): number {
  const marginTicks = Math.ceil(electionTimeoutTicks / MARGIN_DIVISOR);
  return Math.max(0, electionTimeoutTicks - marginTicks - PARTIAL_TICKS);
}

export class LeaderLease {
  readonly #state: RaftState;
  readonly #replicator: Replicator;
  readonly #transfer: LeadershipTransfer;
  readonly #lengthTicks: number;
  /** Counts this leader's ticks, from 1: 0 means "never" wherever a tick is named. */
  #now = 1;
  #wantedUntil = 0;

  constructor(state: RaftState, replicator: Replicator, transfer: LeadershipTransfer) {
    this.#state = state;
    this.#replicator = replicator;
    this.#transfer = transfer;
    const { leases, electionTimeoutTicks } = state.options;
    this.#lengthTicks = leases === true ? leaseLengthTicks(electionTimeoutTicks) : 0;
  }

  tick(): void {
    this.#now += 1;
  }

  /** Somebody would read by lease: ask for promises for a while. */
  want(): void {
    this.#wantedUntil =
      this.#now + WANTED_ELECTION_TIMEOUTS * this.#state.options.electionTimeoutTicks;
  }

  /** What a heartbeat that is sent now asks for. */
  offer(): LeaseOffer | undefined {
    if (this.#now >= this.#wantedUntil || this.#lengthTicks === 0 || this.#transfer.hasAsked) {
      return undefined;
    }
    return { tick: this.#now, promiseTicks: this.#state.options.electionTimeoutTicks };
  }

  /** A follower keeps the promise that the heartbeat of `tick` asked for. */
  promised(peer: string, tick: number): void {
    const progress = this.#replicator.get(peer);
    // A tick that is still to come can not have been named: believing it would make a lease of nothing.
    if (progress !== undefined && tick <= this.#now) {
      progress.promisedTick = Math.max(progress.promisedTick, tick);
    }
  }

  /** For how many ticks from now nobody else can lead; 0 without a lease. */
  ticksLeft(): number {
    const { configuration, configurations, commitIndex, id, log, term } = this.#state;
    if (
      // A vote that was asked for by this leader need not wait for promises, and TimeoutNow may arrive late.
      this.#transfer.target !== null ||
      this.#transfer.hasAsked ||
      // Earlier leaders may have acknowledged more than this one knows to be committed.
      !log.matches(commitIndex, term) ||
      // Who counts is in question.
      configurations.currentIndex() > commitIndex ||
      isJoint(configuration)
    ) {
      return 0;
    }
    const since = quorumIndex(configuration, (voter) =>
      voter === id ? this.#now : (this.#replicator.get(voter)?.promisedTick ?? 0),
    );
    return since === 0 ? 0 : Math.max(0, this.#lengthTicks - (this.#now - since));
  }
}
