/** One command as COMMAND DOCS describes it: its name, then a map. */
import type { Reply } from "../../resp/reply.ts";
import type { CommandArgument, CommandSpec } from "../command.ts";
import { replyWords } from "./reply-info.ts";

/** A name and what writes the value after it. */
type Field = readonly [string, () => void];

export function replyDocs(reply: Reply, command: CommandSpec): void {
  reply.bulkText(command.name);
  const fields: Field[] = [
    text(reply, "summary", command.summary),
    text(reply, "since", command.since),
    text(reply, "group", command.group),
  ];
  if (command.complexity !== "") fields.push(text(reply, "complexity", command.complexity));
  const { history, docFlags, deprecatedSince, replacedBy } = command;
  if (docFlags !== undefined) fields.push(["doc_flags", () => replyWords(reply, docFlags)]);
  if (deprecatedSince !== undefined) fields.push(text(reply, "deprecated_since", deprecatedSince));
  if (replacedBy !== undefined) fields.push(text(reply, "replaced_by", replacedBy));
  if (history !== undefined) fields.push(["history", () => replyHistory(reply, history)]);
  if (command.arguments.length > 0) {
    fields.push(["arguments", () => replyArguments(reply, command.arguments)]);
  }
  if (command.kind === "container") {
    fields.push(["subcommands", () => replySubcommands(reply, command.subcommands)]);
  }
  replyFields(reply, fields);
}

function replyFields(reply: Reply, fields: readonly Field[]): void {
  reply.map(fields.length);
  for (const [name, write] of fields) {
    reply.bulkText(name);
    write();
  }
}

function text(reply: Reply, name: string, value: string): Field {
  return [name, () => reply.bulkText(value)];
}

function replyHistory(reply: Reply, history: readonly (readonly [string, string])[]): void {
  reply.set(history.length);
  for (const [version, change] of history) {
    reply.array(2);
    reply.bulkText(version);
    reply.bulkText(change);
  }
}

function replySubcommands(reply: Reply, subcommands: readonly CommandSpec[]): void {
  reply.map(subcommands.length);
  for (const subcommand of subcommands) replyDocs(reply, subcommand);
}

function replyArguments(reply: Reply, list: readonly CommandArgument[]): void {
  reply.array(list.length);
  for (const argument of list) replyArgument(reply, argument);
}

function replyArgument(reply: Reply, argument: CommandArgument): void {
  const fields: Field[] = [text(reply, "name", argument.name), text(reply, "type", argument.type)];
  const { keySpecIndex, token, summary, since, deprecatedSince, flags, value } = argument;
  if (keySpecIndex !== undefined) {
    fields.push(["key_spec_index", () => reply.integer(keySpecIndex)]);
  }
  if (token !== undefined) fields.push(text(reply, "token", token));
  if (summary !== undefined) fields.push(text(reply, "summary", summary));
  if (since !== undefined) fields.push(text(reply, "since", since));
  if (deprecatedSince !== undefined) fields.push(text(reply, "deprecated_since", deprecatedSince));
  if (flags !== undefined) fields.push(["flags", () => replyWords(reply, flags)]);
  if (value !== undefined) fields.push(text(reply, "value", value));
  const inner = argument.arguments;
  if (inner !== undefined) fields.push(["arguments", () => replyArguments(reply, inner)]);
  replyFields(reply, fields);
}
