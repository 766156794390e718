/** The conversations of acl-conversations.ts, had with redis-server and with a running node: every reply is compared. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { escapeBytes } from "../../packages/node/test/commands/transcript.ts";
import { TestCluster } from "../e2e/harness/cluster.ts";
import { freePorts } from "../e2e/harness/free-ports.ts";
import { CONVERSATIONS } from "./acl-conversations.ts";
import { explainAclDifference } from "./acl-explained.ts";
import { textsOf } from "./acl-vocabulary.ts";
import type { RedisServer } from "./redis-server.ts";
import { missingRedis, startRedis } from "./redis-server.ts";
import { encodeWords } from "./requests.ts";
import { SocketTarget } from "./socket-target.ts";
import type { Session, Target } from "./target.ts";
import { readReply } from "../../packages/node/test/commands/reply-tree.ts";

const missing = missingRedis();
/** Said of a connection that was closed instead of an answer. */
const CLOSED = Buffer.from("<closed>");

interface Said {
  readonly line: string;
  readonly reply: Buffer;
}

/** Has the conversation, one line after the other. */
async function converse(target: Target, text: string): Promise<Said[]> {
  const sessions = new Map<string, Session>();
  const said: Said[] = [];
  try {
    for (const line of text.trim().split("\n")) {
      const [, who = "", request = ""] = /^\s*(\w+)> (.*)$/.exec(line) ?? [];
      expect(request, `a line without a request: ${line}`).not.toBe("");
      const session = sessions.get(who) ?? (await target.open(2));
      sessions.set(who, session);
      const replies = await session.exchange([Buffer.from(`${request}\r\n`)]).catch(() => [CLOSED]);
      said.push({ line: request, reply: replies[0] });
    }
    return said;
  } finally {
    for (const session of sessions.values()) await session.close();
  }
}

describe.skipIf(missing !== null)("As with redis-server:", () => {
  let redis: RedisServer;
  let cluster: TestCluster | undefined;
  let node: Target;

  beforeAll(async () => {
    const [port] = await freePorts(1);
    redis = await startRedis(port);
    cluster = await TestCluster.start({ nodes: 1 });
    node = new SocketTarget("ferrite", { host: "127.0.0.1", port: cluster.nodes[0].port });
  });
  afterAll(async () => {
    await cluster?.close();
    await redis.stop();
  });

  /** One request on a connection of its own to each. */
  async function ask(...words: readonly string[]): Promise<[theirs: Buffer, ours: Buffer]> {
    const replies = await Promise.all(
      [redis.target, node].map(async (target) => {
        const session = await target.open(2);
        const [reply] = await session.exchange([encodeWords(words)]);
        await session.close();
        return reply;
      }),
    );
    return [replies[0], replies[1]];
  }

  test.each(CONVERSATIONS)("$name", async ({ text }) => {
    const [theirs, ours] = [await converse(redis.target, text), await converse(node, text)];
    const differences = theirs.flatMap(({ line, reply }, at) => {
      const own = ours[at].reply;
      if (reply.equals(own)) return [];
      const isEnd = reply.equals(CLOSED) || own.equals(CLOSED);
      if (!isEnd && explainAclDifference(line.split(" "), reply, own) !== null) return [];
      return [`${line}\n  redis:   ${escapeBytes(reply)}\n  ferrite: ${escapeBytes(own)}`];
    });
    expect(differences.join("\n")).toBe("");
  });

  test("the commands of each category, as far as both have them", async () => {
    const [theirList, ourList] = (await ask("COMMAND", "LIST")).map((reply) => texts(reply));
    const common = new Set(theirList.filter((name) => ourList.includes(name)));
    const categories = texts((await ask("ACL", "CAT"))[0]);
    expect(categories.length).toBeGreaterThan(20);
    for (const category of categories) {
      const [theirs, ours] = (await ask("ACL", "CAT", category)).map((reply) =>
        texts(reply)
          .filter((name) => common.has(name))
          .toSorted(),
      );
      expect(ours, category).toEqual(theirs);
    }
  });

  test("the length of passwords that are made, and none is made twice", async () => {
    const made = new Set<string>();
    for (const bits of ["1", "4", "5", "8", "9", "128", "256", "1000", "4096"]) {
      const [theirs, ours] = await ask("ACL", "GENPASS", bits);
      expect(ours.length, bits).toBe(theirs.length);
      expect(ours.toString()).toMatch(/^\$\d+\r\n[0-9a-f]+\r\n$/);
    }
    for (let count = 0; count < 50; count++) made.add((await ask("ACL", "GENPASS"))[1].toString());
    expect(made.size).toBe(50);
    expect([...made][0]).toHaveLength("$64\r\n".length + 64 + 2);
  });

  test("the help, which says more of what there is more of", async () => {
    const [theirs, ours] = (await ask("ACL", "HELP")).map((reply) => texts(reply));
    expect(theirs.filter((line) => !ours.includes(line))).toEqual([]);
  });
});

function texts(reply: Buffer): string[] {
  return textsOf(readReply(reply)!.node);
}
