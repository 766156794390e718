/** Makes a failing run smaller: fewer faults, and less time, as long as it still fails. */
import { simulate, type SimulationOptions, type SimulationResult } from "./world/world.ts";

export interface ShrunkRun {
  readonly options: SimulationOptions;
  readonly result: SimulationResult;
  /** Runs that it took. */
  readonly runs: number;
}

/** Null when the seed does not fail. */
export function shrink(seed: number): ShrunkRun | null {
  const whole = simulate({ seed });
  if (whole.problems.length === 0) return null;
  let best: ShrunkRun = { options: { seed }, result: whole, runs: 1 };
  const tries = (options: SimulationOptions): boolean => {
    const result = simulate(options);
    const runs = best.runs + 1;
    const fails = result.problems.length > 0;
    best = fails ? { options, result, runs } : { ...best, runs };
    return fails;
  };
  // The draws up to a fault do not depend on those behind it: what is left is the beginning of the same run.
  const strikesMax = smallest(whole.strikes, (count) =>
    tries({ ...best.options, strikesMax: count }),
  );
  const options = { seed, strikesMax };
  smallest(Math.ceil(whole.safetyMs), (safetyMs) => tries({ ...options, safetyMs }));
  return best;
}

/** By halves; `most` is known to fail. A smaller one that passes may lie between: then it is not the smallest of all. */
function smallest(most: number, fails: (value: number) => boolean): number {
  let low = 0;
  let high = most;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (fails(middle)) high = middle;
    else low = middle + 1;
  }
  return high;
}
