/** First key, last key and step: how COMMAND described keys before there were key specifications. */
import type { CommandSpec, KeySpec } from "../command.ts";

export interface LegacyKeys {
  /** 0 when the keys can not be told this way. */
  readonly first: number;
  /** Negative counts from the end. */
  readonly last: number;
  readonly step: number;
}

const NONE: LegacyKeys = { first: 0, last: 0, step: 0 };

/** One range that covers the specifications that are ranges at a fixed place, as far as they join up. */
export function legacyKeys(command: CommandSpec): LegacyKeys {
  const ranges = command.keySpecs.map(toRange).filter((range) => range !== null);
  if (command.keySpecs.length === 1) return ranges[0] ?? NONE;
  let first = 0;
  let last = 0;
  for (const range of ranges) {
    if (range.step !== 1 || (first !== 0 && last !== range.first - 1)) continue;
    if (first === 0) first = range.first;
    last = last === 0 ? range.last : laterOf(last, range.last);
  }
  return first === 0 ? NONE : { first, last, step: 1 };
}

function toRange({ beginSearch, findKeys }: KeySpec): LegacyKeys | null {
  if (beginSearch.kind !== "index" || findKeys.kind !== "range") return null;
  const first = beginSearch.index;
  const last = findKeys.lastKey >= 0 ? first + findKeys.lastKey : findKeys.lastKey;
  return { first, last, step: findKeys.keyStep };
}

/** Counted from the end is later than any fixed place. */
function laterOf(a: number, b: number): number {
  if (a < 0 || b < 0) return Math.min(a, b);
  return Math.max(a, b);
}
