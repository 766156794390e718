/** What a random network does to its nodes, and how often. */
import type { TestPrng } from "../harness/prng.ts";

/** How bad it is in one run, drawn from its seed: what hides in a storm may show in a breeze, and the other way round. */
export interface Weather {
  readonly lossPercent: number;
  readonly repeatPercent: number;
  readonly reorderPercent: number;
  readonly crashPermille: number;
  readonly cutPermille: number;
  readonly mendPermille: number;
  readonly rarePermille: number;
  /** Chance that a crashed process is back at once. */
  readonly quickRestartPercent: number;
  /** Chance that a node dies right after its vote has left: where forgetting it would hurt. */
  readonly crashAfterVotePercent: number;
  /** Chance that a new leader is cut off before its first entry has reached anybody (as in figure 8). */
  readonly loseNewLeaderPercent: number;
}

export const CALM: Weather = {
  lossPercent: 0,
  repeatPercent: 0,
  reorderPercent: 0,
  crashPermille: 0,
  cutPermille: 0,
  mendPermille: 0,
  rarePermille: 0,
  quickRestartPercent: 0,
  crashAfterVotePercent: 0,
  loseNewLeaderPercent: 0,
};

export function drawWeather(prng: TestPrng, storm: boolean): Weather {
  if (storm || prng.chance(25)) {
    // A storm of elections: leaders are given up all the time, and voters come back in the middle of it.
    return {
      lossPercent: prng.below(5),
      repeatPercent: prng.below(50),
      reorderPercent: 40 + prng.below(60),
      crashPermille: prng.below(6),
      cutPermille: prng.below(8),
      mendPermille: prng.below(10),
      rarePermille: 20 + prng.below(60),
      quickRestartPercent: 95,
      crashAfterVotePercent: prng.chance(50) ? 80 : 0,
      loseNewLeaderPercent: prng.below(90),
    };
  }
  return {
    lossPercent: prng.below(15),
    repeatPercent: prng.below(12),
    reorderPercent: prng.below(60),
    crashPermille: prng.below(8),
    cutPermille: prng.below(8),
    mendPermille: 5,
    rarePermille: prng.below(20),
    quickRestartPercent: 50,
    crashAfterVotePercent: 0,
    loseNewLeaderPercent: 0,
  };
}
