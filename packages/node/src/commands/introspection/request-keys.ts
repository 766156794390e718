/** What COMMAND GETKEYS and COMMAND GETKEYSANDFLAGS do. */
import type { EdgeContext } from "../../server/edge-context.ts";
import { Argv } from "../../resp/argv.ts";
import { acceptsCount } from "../arity.ts";
import { extractKeys, hasKeys } from "../key-extraction.ts";
import { replyWords } from "./reply-info.ts";
import type { TableView } from "./table-view.ts";

/** The request to look into begins at this argument. */
const REQUEST_START = 2;

export function replyRequestKeys(
  { argv, reply }: EdgeContext,
  table: TableView,
  { withFlags }: { readonly withFlags: boolean },
): void {
  const request = new Argv();
  request.reset(argv.buffer);
  for (let index = REQUEST_START; index < argv.count; index++) {
    request.push(argv.starts[index], argv.ends[index]);
  }
  const command = table.resolve(request);
  if (command === null) {
    reply.error("ERR Invalid command specified");
    return;
  }
  if (!hasKeys(command)) {
    reply.error("ERR The command has no key arguments");
    return;
  }
  if (!acceptsCount(command.arity, request.count)) {
    reply.error("ERR Invalid number of arguments specified for command");
    return;
  }
  const keys = extractKeys(command, request);
  if (keys === null || (keys.length === 0 && !command.flags.includes("no_mandatory_keys"))) {
    reply.error("ERR Invalid arguments specified for command");
    return;
  }
  reply.array(keys.length);
  for (const key of keys) {
    if (withFlags) reply.array(2);
    reply.bulk(request.bytes(key.index));
    if (withFlags) replyWords(reply, key.flags);
  }
}
