import type { EdgeCommand } from "../command.ts";
import type { EdgeContext } from "../../server/edge-context.ts";
import { quotedArgument } from "../refusal.ts";
import { isPrintable } from "./client-name.ts";

/** CLIENT SETINFO LIB-NAME libname | LIB-VER libver: from Redis 7.2, as current client libraries send it. */
export const clientSetinfo: EdgeCommand = {
  kind: "edge",
  name: "client|setinfo",
  summary: "Set client or connection specific info",
  complexity: "O(1)",
  since: "7.2.0",
  group: "connection",
  arity: 4,
  flags: ["noscript", "loading", "stale"],
  categories: ["slow", "connection"],
  keySpecs: [],
  arguments: [
    {
      name: "attr",
      type: "oneof",
      arguments: [
        { name: "libname", type: "string", token: "LIB-NAME" },
        { name: "libver", type: "string", token: "LIB-VER" },
      ],
    },
  ],
  tips: ["request_policy:all_nodes", "response_policy:all_succeeded"],
  run: runSetinfo,
};

function runSetinfo({ argv, reply, client }: EdgeContext): void {
  const isName = argv.isWord(2, "LIB-NAME");
  if (!isName && !argv.isWord(2, "LIB-VER")) {
    reply.error(`ERR Unrecognized option '${quotedArgument(argv, 2)}'`);
    return;
  }
  const value = argv.latin1(3);
  if (!isPrintable(value)) {
    const attribute = argv.latin1(2);
    reply.error(`ERR ${attribute} cannot contain spaces, newlines or special characters.`);
    return;
  }
  if (isName) client.libraryName = value;
  else client.libraryVersion = value;
  reply.ok();
}
