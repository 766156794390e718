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
function beginOf(spec: KeySpec, argv: Argv): number {
  const search = spec.beginSearch;
  switch (search.kind) {
    case "index":
      return search.index;
    case "keyword":
      return keywordAt(argv, search.keyword.toUpperCase(), search.startFrom);
    case "unknown":
      return 0;
  }
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

function rangeOf(spec: KeySpec, begin: number, argv: Argv): KeyRange | null {
  const find = spec.findKeys;
  switch (find.kind) {
    case "range":
      return { first: begin, last: lastOf(find, begin, argv.count), step: find.keyStep };
    case "keynum": {
      const at = begin + find.keyNumberIndex;
      if (at >= argv.count) return null;
      const count = parseSmallInteger(argv.buffer, argv.starts[at]!, argv.ends[at]!);
      if (!(count >= 0)) return null;
      const first = begin + find.firstKey;
      const last = Math.min(first + (count - 1) * find.keyStep, argv.count - 1);
      return { first, last, step: find.keyStep };
    }
    case "unknown":
      return { first: 0, last: -1, step: 1 };
  }
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
