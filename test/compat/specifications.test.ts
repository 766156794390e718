/** COMMAND INFO and COMMAND DOCS of every command we have say what redis-server says of it, byte for byte. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createCommandTable } from "@ferrite/node/simulation";
import type { ReplyNode } from "../../packages/node/test/commands/reply-tree.ts";
import { printReply, readReply } from "../../packages/node/test/commands/reply-tree.ts";
import type { RedisServer } from "./redis-server.ts";
import { missingRedis, startRedis } from "./redis-server.ts";
import { encodeWords } from "./requests.ts";
import { TableTarget } from "./table-target.ts";
import type { Session } from "./target.ts";

const missing = missingRedis();

/** Commands Ferrite took from later versions of Redis. */
const LATER_THAN_REDIS_7_0 = new Set(["client|no-touch", "client|setinfo"]);

/** Full names, containers and their sub-commands. Ferrite's own commands are unknown to Redis. */
const names = createCommandTable()
  .commands.flatMap((command) =>
    command.kind === "container" ? [command, ...command.subcommands] : [command],
  )
  .filter(({ group }) => group !== "ferrite")
  .map(({ name }) => name)
  .filter((name) => !LATER_THAN_REDIS_7_0.has(name));

test("The table has the families that are compared", () => {
  expect(names).toEqual(expect.arrayContaining(["get", "del", "object|encoding", "command|docs"]));
  expect(names.length).toBeGreaterThan(50);
});

describe.skipIf(missing !== null).each([2, 3] as const)("In RESP%d", (protocol) => {
  let redis: RedisServer;
  let theirs: Session;
  let ours: Session;
  beforeAll(async () => {
    redis = await startRedis();
    theirs = await redis.target.open(protocol);
    ours = await new TableTarget().open(protocol);
  });
  afterAll(async () => {
    await theirs.close();
    await redis.stop();
  });

  test.each(names)("%s is described as by redis-server", async (name) => {
    for (const part of ["INFO", "DOCS"]) {
      const request = [encodeWords(["COMMAND", part, name])];
      const [expected] = await theirs.exchange(request);
      const [actual] = await ours.exchange(request);
      expect(withoutSubcommands(part, actual)).toEqual(withoutSubcommands(part, expected));
    }
  });
});

/**
 * Redis lists sub-commands in the order of a hash that differs from start to start, and Ferrite may have fewer of
 * them; each one it has is compared by its own name.
 */
function withoutSubcommands(part: string, raw: Buffer): string {
  const reply = readReply(raw)!.node;
  const [first, second] = itemsOf(reply);
  if (part === "INFO") return itemsOf(first).slice(0, -1).map(printReply).join("");
  const fields = itemsOf(second);
  const at = fields.findIndex((field) => field.kind === "bulk" && field.text === "subcommands");
  return (at < 0 ? fields : fields.slice(0, at)).map(printReply).join("");
}

function itemsOf(node: ReplyNode): readonly ReplyNode[] {
  if (node.kind !== "aggregate" || node.items === null) {
    throw new Error(`not an array or map: ${printReply(node)}`);
  }
  return node.items;
}
