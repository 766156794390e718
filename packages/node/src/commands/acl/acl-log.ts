import type { AclLogEntry } from "../../access/access-view.ts";
import type { Reply } from "../../resp/reply.ts";
import type { EdgeContext } from "../../server/edge-context.ts";
import type { EdgeCommand } from "../command.ts";
import { NOT_AN_INTEGER } from "../error-texts.ts";
import { parseInteger } from "../integer.ts";
import { replyBytes } from "./byte-string.ts";
import { subcommandSyntaxText } from "./subcommand-syntax.ts";

const COUNT_DEFAULT = 10;

/** ACL LOG [count | RESET]: what was denied on this node, newest first. */
export const aclLog: EdgeCommand = {
  kind: "edge",
  name: "acl|log",
  summary: "List latest events denied because of ACLs in place",
  complexity: "O(N) with N being the number of entries shown.",
  since: "6.0.0",
  group: "server",
  arity: -2,
  flags: ["admin", "noscript", "loading", "stale"],
  categories: ["admin", "slow", "dangerous"],
  keySpecs: [],
  arguments: [
    {
      name: "operation",
      type: "oneof",
      flags: ["optional"],
      arguments: [
        { name: "count", type: "integer" },
        { name: "reset", type: "pure-token", token: "RESET" },
      ],
    },
  ],
  run: runLog,
};

function runLog({ argv, reply, server }: EdgeContext): void {
  const { log } = server.access;
  if (argv.count > 3) return reply.error(subcommandSyntaxText(argv));
  if (argv.count === 3 && argv.isWord(2, "RESET")) {
    log.reset();
    return reply.ok();
  }
  let count: number | bigint = COUNT_DEFAULT;
  if (argv.count === 3) {
    const given = parseInteger(argv.buffer, argv.starts[2], argv.ends[2]);
    if (given === null) return reply.error(NOT_AN_INTEGER);
    // As in Redis, a negative number is none.
    count = given < 0 ? 0 : given;
  }
  const entries = log.entries().slice(0, Number(count));
  const nowMs = server.nowMs();
  reply.array(entries.length);
  for (const entry of entries) replyEntry(reply, entry, nowMs);
}

/** The seven fields of Redis 7.0. */
function replyEntry(reply: Reply, entry: AclLogEntry, nowMs: number): void {
  reply.map(7);
  reply.bulkText("count");
  reply.integer(entry.count);
  reply.bulkText("reason");
  reply.bulkText(entry.reason);
  reply.bulkText("context");
  reply.bulkText(entry.context);
  reply.bulkText("object");
  replyBytes(reply, entry.object);
  reply.bulkText("username");
  replyBytes(reply, entry.username);
  reply.bulkText("age-seconds");
  reply.double(Math.max(0, nowMs - entry.updatedAtMs) / 1000);
  reply.bulkText("client-info");
  replyBytes(reply, entry.clientInfo);
}
