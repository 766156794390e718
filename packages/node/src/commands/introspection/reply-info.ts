/** One command as COMMAND and COMMAND INFO describe it. */
import type { Reply } from "../../resp/reply.ts";
import type { CommandSpec, KeySpec } from "../command.ts";
import { legacyKeys } from "./legacy-keys.ts";

const FIELDS = 10;

/** All of them, as COMMAND answers. */
export function replyAllInfo(reply: Reply, commands: readonly CommandSpec[]): void {
  reply.array(commands.length);
  for (const command of commands) replyInfo(reply, command);
}

export function replyInfo(reply: Reply, command: CommandSpec): void {
  reply.array(FIELDS);
  reply.bulkText(command.name);
  reply.integer(command.arity);
  replyWords(reply, command.flags);
  const keys = legacyKeys(command);
  reply.integer(keys.first);
  reply.integer(keys.last);
  reply.integer(keys.step);
  replyWords(
    reply,
    command.categories.map((category) => `@${category}`),
  );
  const tips = command.tips ?? [];
  reply.set(tips.length);
  for (const tip of tips) reply.bulkText(tip);
  reply.set(command.keySpecs.length);
  for (const spec of command.keySpecs) replyKeySpec(reply, spec);
  replySubcommands(reply, command);
}

/** A set of simple strings: flags and categories. */
export function replyWords(reply: Reply, words: readonly string[]): void {
  reply.set(words.length);
  for (const word of words) reply.simple(word);
}

/** Redis says "no sub-commands" with an empty set and lists those there are in an array. */
function replySubcommands(reply: Reply, command: CommandSpec): void {
  if (command.kind !== "container") {
    reply.set(0);
    return;
  }
  reply.array(command.subcommands.length);
  for (const subcommand of command.subcommands) replyInfo(reply, subcommand);
}

function replyKeySpec(reply: Reply, spec: KeySpec): void {
  reply.map(spec.notes === undefined ? 3 : 4);
  if (spec.notes !== undefined) {
    reply.bulkText("notes");
    reply.bulkText(spec.notes);
  }
  reply.bulkText("flags");
  replyWords(reply, spec.flags);
  reply.bulkText("begin_search");
  replyStep(reply, spec.beginSearch.kind, beginSearchFields(spec));
  reply.bulkText("find_keys");
  replyStep(reply, spec.findKeys.kind, findKeysFields(spec));
}

type Fields = readonly (readonly [string, string | number])[];

function replyStep(reply: Reply, kind: string, fields: Fields): void {
  reply.map(2);
  reply.bulkText("type");
  reply.bulkText(kind);
  reply.bulkText("spec");
  reply.map(fields.length);
  for (const [name, value] of fields) {
    reply.bulkText(name);
    if (typeof value === "number") reply.integer(value);
    else reply.bulkText(value);
  }
}

function beginSearchFields({ beginSearch }: KeySpec): Fields {
  if (beginSearch.kind === "index") return [["index", beginSearch.index]];
  if (beginSearch.kind === "unknown") return [];
  return [
    ["keyword", beginSearch.keyword],
    ["startfrom", beginSearch.startFrom],
  ];
}

function findKeysFields({ findKeys }: KeySpec): Fields {
  if (findKeys.kind === "unknown") return [];
  if (findKeys.kind === "range") {
    return [
      ["lastkey", findKeys.lastKey],
      ["keystep", findKeys.keyStep],
      ["limit", findKeys.limit],
    ];
  }
  return [
    ["keynumidx", findKeys.keyNumberIndex],
    ["firstkey", findKeys.firstKey],
    ["keystep", findKeys.keyStep],
  ];
}
