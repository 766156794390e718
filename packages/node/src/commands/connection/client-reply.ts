import type { EdgeCommand } from "../command.ts";
import type { EdgeContext } from "../../server/edge-context.ts";
import { SYNTAX_ERROR } from "../error-texts.ts";

/** CLIENT REPLY ON|OFF|SKIP */
export const clientReply: EdgeCommand = {
  kind: "edge",
  name: "client|reply",
  summary: "Instruct the server whether to reply to commands",
  complexity: "O(1)",
  since: "3.2.0",
  group: "connection",
  arity: 3,
  flags: ["noscript", "loading", "stale"],
  categories: ["slow", "connection"],
  keySpecs: [],
  arguments: [
    {
      name: "on_off_skip",
      type: "oneof",
      arguments: [
        { name: "on", type: "pure-token", token: "ON" },
        { name: "off", type: "pure-token", token: "OFF" },
        { name: "skip", type: "pure-token", token: "SKIP" },
      ],
    },
  ],
  run: runReply,
};

function runReply(context: EdgeContext): void {
  const { argv, client } = context;
  if (argv.isWord(2, "ON")) {
    client.replyMode = "on";
    // Read after the mode changed: ON is answered even when replies were off.
    context.reply.ok();
  } else if (argv.isWord(2, "OFF")) {
    client.replyMode = "off";
  } else if (argv.isWord(2, "SKIP")) {
    if (client.replyMode !== "off") client.replyMode = "skipNext";
  } else {
    context.reply.error(SYNTAX_ERROR);
  }
}
