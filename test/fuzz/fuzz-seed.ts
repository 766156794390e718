/** One seed for a whole run: printed, and given again by FUZZ_SEED to repeat what it found. */
import { Prng } from "../compat/prng.ts";

const SEED_MAX = 2 ** 32;

export const fuzzSeed: number = Number(
  process.env["FUZZ_SEED"] ?? Math.floor(Math.random() * SEED_MAX),
);
/** FUZZ_FACTOR=10 runs ten times as much. */
const factor = Number(process.env["FUZZ_FACTOR"] ?? 1);

export function rounds(count: number): number {
  return Math.ceil(count * factor);
}

/** Says the seed, so that a failure can be repeated. */
export function announceSeed(what: string): void {
  process.stdout.write(`    ${what}: FUZZ_SEED=${fuzzSeed}\n`);
}

/** A generator of its own for each round: any round can be repeated alone. */
export function roundRandom(round: number): Prng {
  return new Prng((fuzzSeed + Math.imul(round, 0x9e37_79b1)) >>> 0);
}

/** For messages: what repeats the round. */
export function roundName(round: number): string {
  return `round ${round} of FUZZ_SEED=${fuzzSeed}`;
}
