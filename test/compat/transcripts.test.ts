/** Are the recorded transcripts true? `REWRITE=1` records them anew from redis-server. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sortReply } from "../../packages/node/test/commands/reply-tree.ts";
import type { Exchange } from "../../packages/node/test/commands/transcript.ts";
import {
  escapeBytes,
  parseTranscript,
  printTranscript,
} from "../../packages/node/test/commands/transcript.ts";
import type { RedisServer } from "./redis-server.ts";
import { missingRedis, startRedis } from "./redis-server.ts";

const missing = missingRedis();
const mayRewrite = process.env["REWRITE"] === "1";
const folder = fileURLToPath(
  new URL("../../packages/node/test/commands/transcripts/", import.meta.url),
);
const files = readdirSync(folder).filter((name) => name.endsWith(".txt"));

test("redis-server is there, as CI requires", () => {
  if (missing !== null) process.stderr.write(`${missing}\n`);
  expect(process.env["CI"] === "true" ? missing : null).toBeNull();
});

describe.skipIf(missing !== null)("redis-server answers as recorded", () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(async () => {
    await redis.stop();
  });

  test.each(files)("in %s", async (file) => {
    const recorded = readFileSync(`${folder}${file}`, "latin1");
    const transcript = parseTranscript(recorded);
    for (const protocol of [2, 3] as const) {
      const session = await redis.target.open(protocol);
      for (const { exchanges } of transcript.cases) {
        await session.clear();
        const replies = await session.exchange(exchanges.map(({ request }) => request));
        replies.forEach((reply, index) => record(exchanges[index], protocol, reply));
      }
      await session.close();
    }
    const printed = printTranscript(transcript);
    if (mayRewrite) writeFileSync(`${folder}${file}`, printed, "latin1");
    expect(printed).toBe(mayRewrite ? printed : recorded);
  });
});

function record(exchange: Exchange, protocol: 2 | 3, reply: Buffer): void {
  const isError = escapeBytes(reply.subarray(0, 1)) === "-";
  const comparable = exchange.isSorted && !isError ? sortReply(reply) : reply;
  if (protocol === 2) exchange.resp2 = comparable;
  else exchange.resp3 = comparable;
}
