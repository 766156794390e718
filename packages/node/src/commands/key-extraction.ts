/**
 * Where the keys of a request are, by the key specifications of its command. COMMAND GETKEYS and the access rules read
 * the same specifications, so that what is checked is what is touched.
 */
import type { Argv } from "../resp/argv.ts";
import type { CommandSpec, KeyFlag, KeySpec } from "./command.ts";
import { parseSmallInteger } from "./integer.ts";

export interface KeyReference {
  /** The argument that is the key. */
  readonly index: number;
  readonly flags: readonly KeyFlag[];
}

/**
 * The keys of the request, in the order of the specifications; null when its arguments contradict them (a number of
 * keys that is none). The number of arguments has been checked.
 */
export function extractKeys(command: CommandSpec, argv: Argv): readonly KeyReference[] | null {
  const found: KeyReference[] = [];
  for (const spec of command.keySpecs) {
    if (spec.flags.includes("not_key")) continue;
    if (!collectKeys(command, spec, argv, found)) return null;
  }
  return found;
}

/** Has the command any key arguments at all? */
export function hasKeys(command: CommandSpec): boolean {
  return command.keySpecs.some((spec) => !spec.flags.includes("not_key"));
}

function collectKeys(
  command: CommandSpec,
  spec: KeySpec,
  argv: Argv,
  found: KeyReference[],
): boolean {
  const begin = beginOf(spec, argv);
  if (begin === 0) return true;
  const range = rangeOf(spec, begin, argv);
  if (range === null) return false;
  const isVariable = spec.flags.includes("variable_flags");
  const flags = isVariable ? (command.keyFlagsOf?.(argv) ?? spec.flags) : spec.flags;
  for (let index = range.first; index <= range.last; index += range.step) {
    if (index < argv.count) found.push({ index, flags });
  }
  return true;
}

/** The argument from which the keys are counted; 0 when a keyword is not there. */
function beginOf({ beginSearch }: KeySpec, argv: Argv): number {
  if (beginSearch.kind === "index") return beginSearch.index;
  if (beginSearch.kind === "unknown") return 0;
  return keywordAt(argv, beginSearch.keyword.toUpperCase(), beginSearch.startFrom);
}

/** The argument after the keyword; searched backwards when `startFrom` counts from the end. */
function keywordAt(argv: Argv, keyword: string, startFrom: number): number {
  if (startFrom > 0) {
    for (let index = startFrom; index < argv.count - 1; index++) {
      if (argv.isWord(index, keyword)) return index + 1;
    }
    return 0;
  }
  for (let index = argv.count + startFrom; index > 1; index--) {
    if (index < argv.count && argv.isWord(index, keyword)) return index + 1;
  }
  return 0;
}

interface KeyRange {
  readonly first: number;
  readonly last: number;
  readonly step: number;
}

/** Null when the number of keys is not one. */
function rangeOf({ findKeys }: KeySpec, begin: number, argv: Argv): KeyRange | null {
  if (findKeys.kind === "unknown") return { first: 0, last: -1, step: 1 };
  const step = findKeys.keyStep;
  if (findKeys.kind === "range") {
    return { first: begin, last: lastOf(findKeys, begin, argv.count), step };
  }
  const at = begin + findKeys.keyNumberIndex;
  if (at >= argv.count) return null;
  const count = parseSmallInteger(argv.buffer, argv.starts[at], argv.ends[at]);
  if (!(count >= 0)) return null;
  const first = begin + findKeys.firstKey;
  return { first, last: Math.min(first + (count - 1) * step, argv.count - 1), step };
}

/** A negative last key counts from the end; a limit of n then takes one n-th of what is left. */
function lastOf(
  find: { readonly lastKey: number; readonly limit: number },
  begin: number,
  count: number,
): number {
  if (find.lastKey >= 0) return begin + find.lastKey;
  if (find.limit <= 1) return count + find.lastKey;
  return begin + Math.floor((count - begin) / find.limit) + find.lastKey;
}
