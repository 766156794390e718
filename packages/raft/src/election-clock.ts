/**
 * A follower's sense of time: when to campaign, and whether a leader is alive. Randomised per election, so that
 * split votes are rare and end quickly (paper, section 5.2).
 */
import type { Prng } from "./prng.ts";

/** Ticks within which a node campaigns after the link to its leader broke, or its promise ended; from [1, this]. */
export const hurriedDelayTicksMax: number = 4;
/** A hurried node that lost an election tries again after [T / this, 2 T / this) ticks instead of [T, 2 T). */
const HURRIED_DIVISOR = 8;
/** After saying yes to another's pre-vote a node gives it this many ticks before it competes. */
const COURTESY_TICKS = 3;

export class ElectionClock {
  readonly #electionTimeoutTicks: number;
  readonly #prng: Prng;
  #elapsedTicks = 0;
  #timeoutTicks = 0;
  #leaderSilenceTicks = Infinity;
  /** While positive the leader is believed dead, and waiting a whole timeout would only lengthen the gap. */
  #hurryTicks = 0;
  /** For so long this node elects nobody, itself included. */
  #promisedTicks: number;

  /** `promisedTicks`: what this node may have promised before it was started. */
  constructor(electionTimeoutTicks: number, prng: Prng, promisedTicks: number) {
    this.#electionTimeoutTicks = electionTimeoutTicks;
    this.#prng = prng;
    this.#promisedTicks = promisedTicks;
    this.restart();
  }

  tick(): void {
    this.#elapsedTicks += 1;
    this.#leaderSilenceTicks += 1;
    this.#hurryTicks = Math.max(0, this.#hurryTicks - 1);
    this.#promisedTicks = Math.max(0, this.#promisedTicks - 1);
  }

  /** A leader counts on this node to elect nobody for now (lease.ts). */
  get hasPromised(): boolean {
    return this.#promisedTicks > 0;
  }

  /** Promises to elect nobody for so many ticks from now. */
  promise(ticks: number): void {
    this.#promisedTicks = Math.max(this.#promisedTicks, ticks);
  }

  /** `patienceTicks`: for how long others go first. */
  isDue(patienceTicks: number): boolean {
    return this.#elapsedTicks >= this.#timeoutTicks + patienceTicks;
  }

  /** The leader is known to be gone: retries are fast. */
  get isHurried(): boolean {
    return this.#hurryTicks > 0;
  }

  /** A leader was heard within the election timeout: another election would only do harm (thesis, section 4.2.3). */
  leaderIsLive(): boolean {
    return this.#leaderSilenceTicks < this.#electionTimeoutTicks;
  }

  /** Begins a new, newly drawn timeout. */
  restart(): void {
    const base =
      this.#hurryTicks > 0
        ? Math.max(hurriedDelayTicksMax, Math.floor(this.#electionTimeoutTicks / HURRIED_DIVISOR))
        : this.#electionTimeoutTicks;
    this.#elapsedTicks = 0;
    this.#timeoutTicks = base + this.#prng.below(base);
  }

  /** There is a leader to follow now: no reason to hurry is left. */
  followLeader(): void {
    this.#hurryTicks = 0;
    this.restart();
  }

  /** The leader of this term spoke. */
  heardLeader(): void {
    this.#leaderSilenceTicks = 0;
    this.#elapsedTicks = 0;
  }

  /** There is no leader to be loyal to any more. */
  forgetLeader(): void {
    this.#leaderSilenceTicks = Infinity;
  }

  /** The leader's process seems to be gone: campaign within a few ticks, and keep retrying fast for one timeout. */
  hurry(): void {
    this.forgetLeader();
    this.#hurryTicks = this.#electionTimeoutTicks;
    this.#elapsedTicks = 0;
    this.#timeoutTicks = this.#promisedTicks + 1 + this.#prng.below(hurriedDelayTicksMax);
  }

  /** Another node is campaigning with this one's blessing: two at the same moment would split the votes. */
  yieldBriefly(): void {
    const earliest = this.#elapsedTicks + COURTESY_TICKS;
    this.#timeoutTicks = Math.max(this.#timeoutTicks, earliest);
  }
}
