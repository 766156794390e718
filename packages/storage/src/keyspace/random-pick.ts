import type { HashIndex } from "./hash-index.ts";
import { HASH_BITS, HASH_END } from "./hash.ts";

/** A range of hashes is taken to hold at most this many entries; more are as rare as one in a million. */
const RANGE_ENTRIES_MAX = 16;
const TRIES_MAX = 64;
const FALLBACK_ENTRIES_MAX = 4096;

/**
 * Picks an entry that `accepts`, or 0 when none was found.
 *
 * It draws a range of hashes that holds about three entries and a number below 16; the entry of that number is the
 * pick, and when there is none it draws again. So each entry has the same chance, and the pick depends on keys and
 * random numbers only, not on how this node's index is laid out: a script that picks does the same on every node.
 *
 * When 64 draws met nothing (nearly all entries have expired) the first accepted entry behind a random hash is taken,
 * looking at 4,096 entries at most: bounded work is worth more here than finding the one key left among millions.
 */
export function pickRandom(
  index: HashIndex,
  random: () => number,
  accepts: (reference: number) => boolean,
): number {
  if (index.size === 0) {
    return 0;
  }
  const rangeBits = Math.min(HASH_BITS, Math.max(0, Math.floor(Math.log2(index.size)) - 1));
  const rangeHashes = 2 ** (HASH_BITS - rangeBits);
  for (let tries = 0; tries < TRIES_MAX; tries += 1) {
    const from = Math.floor(random() * 2 ** rangeBits) * rangeHashes;
    const number = Math.floor(random() * RANGE_ENTRIES_MAX);
    const reference = entryInRange(index, { from, end: from + rangeHashes, number });
    if (reference !== 0 && accepts(reference)) {
      return reference;
    }
  }
  return firstBehind(index, Math.floor(random() * HASH_END), accepts);
}

/** The entry with `number` others of the range before it, or 0. */
function entryInRange(
  index: HashIndex,
  range: { readonly from: number; readonly end: number; readonly number: number },
): number {
  let before = 0;
  let found = 0;
  index.walk(range.from, Infinity, (reference, hash) => {
    if (hash >= range.end) {
      return false;
    }
    if (before === range.number) {
      found = reference;
    }
    before += 1;
    return found === 0;
  });
  return found;
}

function firstBehind(
  index: HashIndex,
  fromHash: number,
  accepts: (reference: number) => boolean,
): number {
  let left = FALLBACK_ENTRIES_MAX;
  let found = 0;
  const look = (reference: number): boolean => {
    left -= 1;
    if (found === 0 && accepts(reference)) {
      found = reference;
    }
    return found === 0 && left > 0;
  };
  index.walk(fromHash, Infinity, look);
  if (found === 0 && left > 0) {
    index.walk(0, Infinity, look);
  }
  return found;
}
