/**
 * Made-up requests to redis-server and to our command table: not one reply may differ without an explanation.
 * COMPAT_SEEDS=n runs more, COMPAT_FIRST_SEED=n starts elsewhere.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compareSessions } from "./differential.ts";
import type { RedisServer } from "./redis-server.ts";
import { missingRedis, startRedis } from "./redis-server.ts";
import { encodeWords } from "./requests.ts";
import { TableTarget } from "./table-target.ts";

const missing = missingRedis();
const seeds = Number(process.env["COMPAT_SEEDS"] ?? 150);
const firstSeed = Number(process.env["COMPAT_FIRST_SEED"] ?? 1);
const REQUESTS_PER_SEED = 200;

describe.skipIf(missing !== null)("redis-server and Ferrite", () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(async () => {
    await redis.stop();
  });

  test.each([
    ["mixed", 2],
    ["mixed", 3],
    ["floats", 2],
    ["patterns", 2],
    ["subsequences", 3],
  ] as const)(
    "give the same replies to made-up requests (%s, RESP%d)",
    async (profile, protocol) => {
      const theirs = await redis.target.open(protocol);
      const ours = await new TableTarget().open(protocol);
      // The other protocol gets other requests.
      const from = firstSeed + (protocol - 2) * 1_000_000;
      const result = await compareSessions(theirs, ours, {
        profile,
        firstSeed: from,
        seeds,
        requestsPerSeed: REQUESTS_PER_SEED,
      });
      await theirs.close();
      expect(result.differences).toEqual([]);
      expect(result.compared).toBe(seeds * REQUESTS_PER_SEED);
    },
  );

  test("are told apart when they differ: the comparison can fail", async () => {
    const theirs = await redis.target.open(2);
    const ours = await new TableTarget().open(2);
    const broken = {
      ...ours,
      exchange: async (requests: readonly Buffer[]) => {
        const replies = await ours.exchange(requests);
        return replies.map((reply, index) => (index === 20 ? Buffer.from("+made up\r\n") : reply));
      },
    };
    const result = await compareSessions(theirs, broken, {
      profile: "mixed",
      firstSeed: 1,
      seeds: 1,
      requestsPerSeed: 40,
    });
    await theirs.close();
    expect(result.differences).toHaveLength(1);
    expect(result.differences[0]).toContain("request 20:");
  });

  test.each([1, 2, 3, 5, 10, 1000])("find all keys by SCAN with COUNT %d", async (count) => {
    const sessions = [await redis.target.open(2), await new TableTarget().open(2)];
    const names = Array.from({ length: 500 }, (_, index) => `key:${index}`);
    for (const session of sessions) {
      await session.clear();
      await session.exchange(names.map((name) => encodeWords(["SET", name, "v"])));
      const found = new Set<string>();
      let cursor = "0";
      do {
        const [reply] = await session.exchange([
          encodeWords(["SCAN", cursor, "COUNT", String(count), "MATCH", "key:*"]),
        ]);
        const bulks = reply.toString("latin1").match(/(?<=\r\n)[^$*\r\n][^\r\n]*(?=\r\n)/g) ?? [];
        cursor = bulks[0]!;
        for (const name of bulks.slice(1)) found.add(name);
      } while (cursor !== "0");
      expect([...found].toSorted()).toEqual(names.toSorted());
      await session.close();
    }
  });
});
