/**
 * Tells the check what a request wants: its command's number, its keys with what is done to them. It reads the same key
 * specifications that COMMAND GETKEYS does, so that what is checked is what is touched (S01). Nothing is allocated for
 * commands whose keys stand at fixed places, which are nearly all.
 */
import { KeyAccess } from "@ferrite/acl";
import type { AccessRequest } from "@ferrite/acl";
import type { NumberedCatalogue } from "../commands/catalogue.ts";
import type { CommandSpec, KeyFlag, KeySpec } from "../commands/command.ts";
import { extractKeys } from "../commands/key-extraction.ts";
import type { Argv } from "../resp/argv.ts";

/** Keys at fixed places: from `first` to `last` (negative: from the end), every `step`-th. */
interface FixedKeys {
  readonly first: number;
  readonly last: number;
  readonly step: number;
  readonly access: KeyAccess;
}

interface Plan {
  readonly commandId: number;
  /** Null when some keys have to be searched for. */
  readonly fixed: readonly FixedKeys[] | null;
}

/** An empty request, to be filled again and again. */
export function newAccessRequest(): AccessRequest {
  return {
    commandId: 0,
    buffer: Buffer.alloc(0),
    firstArgumentStart: 0,
    firstArgumentEnd: 0,
    keyCount: 0,
    keyStarts: new Int32Array(16),
    keyEnds: new Int32Array(16),
    keyAccess: new Uint8Array(16),
    channelCount: 0,
    channelStarts: new Int32Array(0),
    channelEnds: new Int32Array(0),
    channelsArePatterns: false,
  };
}

export class AccessRequestFiller {
  readonly #catalogue: NumberedCatalogue;
  readonly #plans = new Map<CommandSpec, Plan>();

  constructor(catalogue: NumberedCatalogue) {
    this.#catalogue = catalogue;
  }

  /** Describes the request in `argv`, which means `command`, to the check. */
  fill(command: CommandSpec, argv: Argv, request: AccessRequest): void {
    const plan = this.#planOf(command);
    request.commandId = plan.commandId;
    request.buffer = argv.buffer;
    const hasArgument = argv.count > 1;
    request.firstArgumentStart = hasArgument ? argv.starts[1] : 0;
    request.firstArgumentEnd = hasArgument ? argv.ends[1] : 0;
    request.keyCount = 0;
    request.channelCount = 0;
    if (plan.fixed === null) this.#search(command, argv, request);
    else for (const keys of plan.fixed) addFixed(keys, argv, request);
  }

  #planOf(command: CommandSpec): Plan {
    let plan = this.#plans.get(command);
    if (plan === undefined) {
      plan = { commandId: this.#catalogue.idOf(command), fixed: fixedKeys(command) };
      this.#plans.set(command, plan);
    }
    return plan;
  }

  /**
   * A request whose arguments contradict its key specifications (a number of keys that is none, S07) touches nobody
   * knows what: only a user of all keys may send it.
   */
  #search(command: CommandSpec, argv: Argv, request: AccessRequest): void {
    const keys = extractKeys(command, argv);
    if (keys === null) {
      addRange(request, 0, 0, KeyAccess.Unknown);
      return;
    }
    for (const { index, flags } of keys) addKey(request, argv, index, keyAccess(flags));
  }
}

/** What the flags of a key specification ask for, as in Redis: access reads; insert, update and delete write. */
export function keyAccess(flags: readonly KeyFlag[]): KeyAccess {
  const reads = flags.includes("access");
  const writes = flags.includes("insert") || flags.includes("update") || flags.includes("delete");
  if (reads) return writes ? KeyAccess.ReadWrite : KeyAccess.Read;
  return writes ? KeyAccess.Write : KeyAccess.None;
}

function fixedKeys(command: CommandSpec): FixedKeys[] | null {
  const fixed: FixedKeys[] = [];
  for (const spec of command.keySpecs) {
    if (spec.flags.includes("not_key")) continue;
    const keys = fixedKeysOf(spec);
    if (keys === null) return null;
    fixed.push(keys);
  }
  return fixed;
}

function fixedKeysOf({ beginSearch, findKeys, flags }: KeySpec): FixedKeys | null {
  if (beginSearch.kind !== "index" || findKeys.kind !== "range") return null;
  if (flags.includes("variable_flags") || flags.includes("incomplete") || findKeys.limit > 1)
    return null;
  const first = beginSearch.index;
  const last = findKeys.lastKey < 0 ? findKeys.lastKey : first + findKeys.lastKey;
  return { first, last, step: findKeys.keyStep, access: keyAccess(flags) };
}

function addFixed(keys: FixedKeys, argv: Argv, request: AccessRequest): void {
  const last = keys.last < 0 ? argv.count + keys.last : Math.min(keys.last, argv.count - 1);
  for (let index = keys.first; index <= last; index += keys.step) {
    addKey(request, argv, index, keys.access);
  }
}

function addKey(request: AccessRequest, argv: Argv, index: number, access: KeyAccess): void {
  addRange(request, argv.starts[index], argv.ends[index], access);
}

function addRange(request: AccessRequest, start: number, end: number, access: KeyAccess): void {
  const at = request.keyCount;
  if (at === request.keyStarts.length) grow(request);
  request.keyStarts[at] = start;
  request.keyEnds[at] = end;
  request.keyAccess[at] = access;
  request.keyCount = at + 1;
}

function grow(request: AccessRequest): void {
  const size = request.keyStarts.length * 2;
  const starts = new Int32Array(size);
  starts.set(request.keyStarts);
  const ends = new Int32Array(size);
  ends.set(request.keyEnds);
  const access = new Uint8Array(size);
  access.set(request.keyAccess);
  request.keyStarts = starts;
  request.keyEnds = ends;
  request.keyAccess = access;
}
