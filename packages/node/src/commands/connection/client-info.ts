import type { EdgeCommand } from "../command.ts";
import { clientLine } from "./client-line.ts";

/** CLIENT INFO */
export const clientInfo: EdgeCommand = {
  kind: "edge",
  name: "client|info",
  summary: "Returns information about the current client connection.",
  complexity: "O(1)",
  since: "6.2.0",
  group: "connection",
  arity: 2,
  flags: ["noscript", "loading", "stale"],
  categories: ["slow", "connection"],
  keySpecs: [],
  arguments: [],
  tips: ["nondeterministic_output"],
  run: ({ reply, client, server }) =>
    reply.verbatim("txt", Buffer.from(`${clientLine(client, server.nowMs())}\n`, "latin1")),
};
