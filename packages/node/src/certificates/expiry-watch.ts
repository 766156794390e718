/** Says once per threshold that something will end, and once that it has. */
import type { CredentialEvent, Ending } from "./credential-events.ts";
import type { CredentialUse } from "./live-credentials.ts";

export const DAY_MS: number = 24 * 3600 * 1000;

/** Whole days that are left, rounded down; negative after the end. */
export function daysLeft(untilMs: number, nowMs: number): number {
  return Math.floor((untilMs - nowMs) / DAY_MS);
}

export class ExpiryWatch {
  readonly #use: CredentialUse;
  readonly #onEvent: (event: CredentialEvent) => void;
  /** Smallest threshold told of each; 0 after its end. */
  #told = new Map<string, number>();

  constructor(use: CredentialUse, onEvent: (event: CredentialEvent) => void) {
    this.#use = use;
    this.#onEvent = onEvent;
  }

  /** `thresholdDays` in any order. What is not among the endings any more is forgotten. */
  check(endings: readonly Ending[], thresholdDays: readonly number[], nowMs: number): void {
    const told = new Map<string, number>();
    for (const ending of endings) {
      const before = this.#told.get(ending.id) ?? Infinity;
      const reached = smallestReached(ending.untilMs - nowMs, thresholdsOf(ending, thresholdDays));
      told.set(ending.id, Math.min(before, reached));
      if (reached < before) this.#tell(ending, nowMs);
    }
    this.#told = told;
  }

  #tell(ending: Ending, nowMs: number): void {
    const left = daysLeft(ending.untilMs, nowMs);
    const use = this.#use;
    if (ending.untilMs <= nowMs) this.#onEvent({ use, kind: "expired", ending });
    else this.#onEvent({ use, kind: "expiring", ending, daysLeft: left });
  }
}

/**
 * Revocation lists are made anew every few days: that one of a week ends within a month is no news. They are due in the
 * last third of their life.
 */
function thresholdsOf({ lifeMs }: Ending, thresholdDays: readonly number[]): readonly number[] {
  if (lifeMs === null) return thresholdDays;
  return thresholdDays.filter((days) => days * DAY_MS <= lifeMs / 3);
}

/** 0: it has ended. Infinity: nothing to be told yet. */
function smallestReached(leftMs: number, thresholdDays: readonly number[]): number {
  if (leftMs <= 0) return 0;
  return Math.min(Infinity, ...thresholdDays.filter((days) => leftMs <= days * DAY_MS));
}
