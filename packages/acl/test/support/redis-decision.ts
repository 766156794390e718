/**
 * The decision as Redis 7.0 makes it, straight from the rules as they were written: no normal form, no bitmap, no
 * compiled pattern. What the engine is held against.
 */
import { Verdict } from "../../src/access-request.ts";
import type { CommandCatalogue, CommandEntry } from "../../src/catalogue.ts";
import { redisGlob } from "./redis-glob.ts";
import type { RequestWords } from "./requests.ts";

interface PlainSelector {
  readonly allowed: Set<string>;
  readonly firstArguments: Map<string, Set<string>>;
  readonly keys: Map<string, number>;
  allKeys: boolean;
  readonly channels: Set<string>;
  allChannels: boolean;
  /** Named in a rule with "-" behind which no rule grants it. */
  readonly deniedByName: Set<string>;
}

function newSelector(): PlainSelector {
  return {
    allowed: new Set(),
    firstArguments: new Map(),
    keys: new Map(),
    allKeys: false,
    channels: new Set(),
    allChannels: false,
    deniedByName: new Set(),
  };
}

/** Rules as they were accepted: words of the root, selectors as lists of words. */
export type AcceptedRule = string | readonly string[];

export function redisDecision(
  catalogue: CommandCatalogue,
  accepted: readonly AcceptedRule[],
  words: RequestWords,
): Verdict {
  let selectors = [newSelector()];
  for (const rule of accepted) {
    if (typeof rule !== "string") {
      const selector = newSelector();
      for (const word of rule) applyWord(catalogue, selector, word);
      selectors.push(selector);
    } else if (rule === "reset") selectors = [newSelector()];
    else if (rule === "clearselectors") selectors = [selectors[0]];
    else applyWord(catalogue, selectors[0], rule);
  }
  const verdicts = selectors.map((selector, index) => {
    const isOpen =
      index === 0 &&
      (catalogue.find(words.command)?.isNoAuth ?? false) &&
      !selector.deniedByName.has(words.command);
    return selectorVerdict(selector, words, isOpen);
  });
  if (verdicts.includes(Verdict.Allowed)) return Verdict.Allowed;
  return verdicts.reduce((highest, verdict) => (verdict > highest ? verdict : highest));
}

function selectorVerdict(selector: PlainSelector, words: RequestWords, isOpen: boolean): Verdict {
  const first = words.firstArgument?.toLowerCase();
  const isFirst = first !== undefined && selector.firstArguments.get(words.command)?.has(first);
  if (!isOpen && !selector.allowed.has(words.command) && isFirst !== true) return Verdict.Command;
  for (const [index, key] of (words.keys ?? []).entries()) {
    const access = words.access?.[index] ?? 0;
    const isAllowed = [...selector.keys].some(
      ([pattern, allowed]) => (allowed & access) === access && redisGlob(pattern, key),
    );
    if (!selector.allKeys && !isAllowed) return Verdict.Key;
  }
  for (const channel of words.channels ?? []) {
    const isAllowed = [...selector.channels].some((pattern) =>
      words.channelsArePatterns === true ? pattern === channel : redisGlob(pattern, channel),
    );
    if (!selector.allChannels && !isAllowed) return Verdict.Channel;
  }
  return Verdict.Allowed;
}

function applyWord(catalogue: CommandCatalogue, selector: PlainSelector, word: string): void {
  if (/^(allkeys|~\*|resetkeys)$/.test(word)) {
    selector.keys.clear();
    selector.allKeys = word !== "resetkeys";
  } else if (/^(allchannels|&\*|resetchannels)$/.test(word)) {
    selector.channels.clear();
    selector.allChannels = word !== "resetchannels";
  } else if (/^[~%]/.test(word)) {
    const [letters, pattern] = [
      word.slice(0, word.indexOf("~")),
      word.slice(word.indexOf("~") + 1),
    ];
    const access = letters === "%R" ? 1 : letters === "%W" ? 2 : 3;
    selector.keys.set(pattern, (selector.keys.get(pattern) ?? 0) | access);
  } else if (word.startsWith("&")) {
    selector.channels.add(word.slice(1));
  } else if (/^[+-]|^(all|no)commands$/.test(word)) {
    applyCommandWord(catalogue, selector, word);
  }
}

function applyCommandWord(
  catalogue: CommandCatalogue,
  selector: PlainSelector,
  word: string,
): void {
  const isAllowed = word.startsWith("+") || word === "allcommands";
  const all = catalogue.commands.flatMap((command) => [command, ...command.subcommands]);
  const name = word.slice(1);
  const entry = catalogue.find(name);
  if (/^[+-]@all$|commands$/.test(word)) {
    selector.firstArguments.clear();
    selector.deniedByName.clear();
    for (const each of all) grant(selector, each, isAllowed);
  } else if (name.startsWith("@")) {
    for (const each of all.filter(({ categories }) => categories.includes(name.slice(1)))) {
      change(selector, each, isAllowed);
    }
  } else if (entry === undefined) {
    const bar = name.lastIndexOf("|");
    const known = selector.firstArguments.get(name.slice(0, bar)) ?? new Set();
    selector.firstArguments.set(name.slice(0, bar), known.add(name.slice(bar + 1).toLowerCase()));
  } else {
    change(selector, entry, isAllowed);
    if (!isAllowed) selector.deniedByName.add(entry.name);
  }
}

/** A command with its sub-commands, whose first arguments are forgotten. */
function change(selector: PlainSelector, entry: CommandEntry, isAllowed: boolean): void {
  selector.firstArguments.delete(entry.name);
  for (const each of [entry, ...entry.subcommands]) grant(selector, each, isAllowed);
}

function grant(selector: PlainSelector, entry: CommandEntry, isAllowed: boolean): void {
  if (isAllowed) {
    selector.allowed.add(entry.name);
    selector.deniedByName.delete(entry.name);
  } else selector.allowed.delete(entry.name);
}
