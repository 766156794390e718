/** The clocks of one machine: they go on when its node is restarted. */
import type { Scheduler } from "./scheduler.ts";

const EPOCH_MS = 1_700_000_000_000;

export class MachineClock {
  readonly #scheduler: Scheduler;
  /** How fast it goes: quartz differs. */
  rate = 1;
  #wallOffsetMs = 0;

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  /** Of the wall clock only. */
  jump(byMs: number): void {
    this.#wallOffsetMs += byMs;
  }

  readonly monotonicMs = (): number => this.#scheduler.nowMs * this.rate;

  readonly wallMs = (): number => EPOCH_MS + this.monotonicMs() + this.#wallOffsetMs;

  /** How much true time passes while this clock shows `ms`. */
  truly(ms: number): number {
    return ms / this.rate;
  }
}
