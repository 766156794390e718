/** A selector as the check uses it: a bit for each command, patterns ready to be matched. Nothing here allocates. */
import { Verdict } from "./access-request.ts";
import type { AccessRequest } from "./access-request.ts";
import type { CatalogueIndex, CommandMask } from "./catalogue-index.ts";
import { GlobPattern } from "./glob-pattern.ts";
import type { SelectorDefinition } from "./selector-definition.ts";

export class CompiledSelector {
  /** Bit `id & 31` of word `id >>> 5`: the command is allowed whatever its arguments are. */
  readonly #commands: CommandMask;
  /** By command id: first arguments, in lower case, with which the command is allowed; null when there are none. */
  readonly #firstArguments: readonly (readonly Uint8Array[] | undefined)[] | null;
  readonly #allowsAllKeys: boolean;
  readonly #keys: readonly GlobPattern[];
  readonly #keyAccess: Uint8Array;
  readonly #allowsAllChannels: boolean;
  readonly #channels: readonly GlobPattern[];
  readonly #channelTexts: readonly Uint8Array[];
  /** Every command, key and channel is allowed. */
  readonly isUnrestricted: boolean;
  /** Index of the key or channel that the last denial was about. */
  deniedIndex = 0;

  /** @param isRoot the user's own rules: AUTH, HELLO, QUIT and RESET are allowed there unless denied by name (S05) */
  constructor(definition: SelectorDefinition, index: CatalogueIndex, isRoot: boolean) {
    this.#commands = definition.commands.mask();
    if (isRoot) {
      for (const { id, isNoAuth } of index.entries) {
        if (!isNoAuth || definition.commands.deniesByName(id)) continue;
        this.#commands[id >>> 5] |= 1 << (id & 31);
      }
    }
    this.#firstArguments = firstArgumentsOf(definition);
    this.#allowsAllKeys = definition.allowsAllKeys;
    this.#keys = definition.keys.map(({ pattern }) => new GlobPattern(pattern));
    this.#keyAccess = Uint8Array.from(definition.keys, ({ access }) => access);
    this.#allowsAllChannels = definition.allowsAllChannels;
    this.#channels = definition.channels.map((pattern) => new GlobPattern(pattern));
    this.#channelTexts = definition.channels.map((pattern) => Buffer.from(pattern, "latin1"));
    this.isUnrestricted =
      this.#allowsAllKeys &&
      this.#allowsAllChannels &&
      index.entries.every(({ id }) => this.#hasBit(id));
  }

  check(request: AccessRequest): Verdict {
    this.deniedIndex = 0;
    if (!this.#allowsCommand(request)) return Verdict.Command;
    if (!this.#allowsAllKeys) {
      for (let index = 0; index < request.keyCount; index++) {
        if (this.keyRule(request, index) < 0) {
          this.deniedIndex = index;
          return Verdict.Key;
        }
      }
    }
    if (!this.#allowsAllChannels) {
      const isPattern = request.channelsArePatterns;
      for (let index = 0; index < request.channelCount; index++) {
        const start = request.channelStarts[index];
        const end = request.channelEnds[index];
        if (this.channelRule(request.buffer, start, end, isPattern) < 0) {
          this.deniedIndex = index;
          return Verdict.Channel;
        }
      }
    }
    return Verdict.Allowed;
  }

  /** Whether the command may be run with some arguments. */
  mayRun(commandId: number): boolean {
    return this.#hasBit(commandId) || this.#firstArguments?.[commandId] !== undefined;
  }

  maySubscribe(channel: Uint8Array, isPattern: boolean): boolean {
    return this.#allowsAllChannels || this.channelRule(channel, 0, channel.length, isPattern) >= 0;
  }

  /**
   * The first key pattern that allows what the request does to its key of this index; -1 when there is none. One
   * pattern has to allow all of it: `%R~a %W~a` do not add up unless they are one rule. A key of which neither content
   * is read nor written may match any pattern.
   */
  keyRule(request: AccessRequest, index: number): number {
    const access = request.keyAccess[index];
    for (let rule = 0; rule < this.#keys.length; rule++) {
      if ((this.#keyAccess[rule] & access) !== access) continue;
      if (
        this.#keys[rule].matches(request.buffer, request.keyStarts[index], request.keyEnds[index])
      ) {
        return rule;
      }
    }
    return -1;
  }

  /** The first channel pattern that allows this channel, or this very pattern; -1 when there is none. */
  channelRule(bytes: Uint8Array, start: number, end: number, isPattern: boolean): number {
    for (let rule = 0; rule < this.#channels.length; rule++) {
      const matches = isPattern
        ? equals(this.#channelTexts[rule], bytes, start, end)
        : this.#channels[rule].matches(bytes, start, end);
      if (matches) return rule;
    }
    return -1;
  }

  /** Index of the first-argument rule of this command that allows the request; -1 when there is none. */
  firstArgumentRule(request: AccessRequest): number {
    const allowed = this.#firstArguments?.[request.commandId];
    if (allowed === undefined || request.firstArgumentStart === 0) return -1;
    for (let rule = 0; rule < allowed.length; rule++) {
      const { buffer, firstArgumentStart, firstArgumentEnd } = request;
      if (equalsFolded(allowed[rule], buffer, firstArgumentStart, firstArgumentEnd)) return rule;
    }
    return -1;
  }

  #allowsCommand(request: AccessRequest): boolean {
    return this.#hasBit(request.commandId) || this.firstArgumentRule(request) >= 0;
  }

  #hasBit(id: number): boolean {
    return (this.#commands[id >>> 5] & (1 << (id & 31))) !== 0;
  }
}

function firstArgumentsOf(
  definition: SelectorDefinition,
): readonly (readonly Uint8Array[] | undefined)[] | null {
  const byId: Uint8Array[][] = [];
  for (const rule of definition.commands.rules) {
    if (rule.kind !== "firstArgument") continue;
    (byId[rule.entry.id] ??= []).push(Buffer.from(rule.argument.toLowerCase(), "latin1"));
  }
  return byId.length === 0 ? null : byId;
}

function equals(text: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (text.length !== end - start) return false;
  for (let index = 0; index < text.length; index++) {
    if (text[index] !== bytes[start + index]) return false;
  }
  return true;
}

/** `folded` has no capital letters of ASCII. */
function equalsFolded(folded: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (folded.length !== end - start) return false;
  for (let index = 0; index < folded.length; index++) {
    const byte = bytes[start + index];
    const lower = byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte;
    if (folded[index] !== lower) return false;
  }
  return true;
}
