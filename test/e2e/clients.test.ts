/** The clients people use, against every node. */
import { Redis as IoRedis } from "ioredis";
import { createClient } from "redis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TestCluster, report } from "./harness/cluster.ts";
import { findProgram, runProgram } from "./harness/program.ts";

const NODES = [0, 1, 2];
const SCANNED_KEYS = 300;

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await TestCluster.start();
});
afterAll(async () => {
  await cluster.close();
});

function port(node: number): number {
  return cluster.nodes[node].port;
}

describe.each(NODES)("ioredis on node %i", (node) => {
  let redis: IoRedis;
  beforeAll(() => {
    redis = new IoRedis({ port: port(node), maxRetriesPerRequest: 0, enableReadyCheck: true });
  });
  afterAll(() => {
    redis.disconnect();
  });
  const key = (name: string): string => `ioredis:${node}:${name}`;

  it("writes and reads strings, counters and several keys at once", async () => {
    expect(await redis.set(key("a"), "1")).toBe("OK");
    expect(await redis.get(key("a"))).toBe("1");
    expect(await redis.set(key("a"), "2", "EX", 100, "NX")).toBeNull();
    expect(await redis.incr(key("a"))).toBe(2);
    expect(await redis.incrby(key("a"), 40)).toBe(42);
    expect(await redis.mset(key("b"), "x", key("c"), "y")).toBe("OK");
    expect(await redis.mget(key("a"), key("b"), key("none"), key("c"))).toEqual([
      "42",
      "x",
      null,
      "y",
    ]);
    expect(await redis.getBuffer(key("b"))).toEqual(Buffer.from("x"));
    const bytes = Buffer.from([0, 13, 10, 255, 0]);
    await redis.set(key("bytes"), bytes);
    expect(await redis.getBuffer(key("bytes"))).toEqual(bytes);
    expect(await redis.del(key("b"), key("none"))).toBe(1);
  });

  it("lets keys expire", async () => {
    await redis.set(key("brief"), "1");
    expect(await redis.expire(key("brief"), 100)).toBe(1);
    expect(await redis.ttl(key("brief"))).toBeGreaterThan(98);
    expect(await redis.persist(key("brief"))).toBe(1);
    expect(await redis.ttl(key("brief"))).toBe(-1);
    await redis.pexpire(key("brief"), 1);
    await expect.poll(() => redis.exists(key("brief"))).toBe(0);
  });

  it("iterates over all keys of a pattern with its scan stream", async () => {
    const pipeline = redis.pipeline();
    for (let at = 0; at < SCANNED_KEYS; at++) pipeline.set(key(`scan:${at}`), String(at));
    const written = await pipeline.exec();
    expect(written?.every(([error, reply]) => error === null && reply === "OK")).toBe(true);
    const seen = new Set<string>();
    for await (const batch of redis.scanStream({ match: key("scan:*"), count: 50 })) {
      for (const found of batch as string[]) seen.add(found);
    }
    expect(seen.size).toBe(SCANNED_KEYS);
  });

  it("answers a pipeline in order, errors included", async () => {
    const replies = await redis
      .pipeline()
      .set(key("p"), "not a number")
      .incr(key("p"))
      .get(key("p"))
      .call("NOSUCHCOMMAND")
      .exec();
    expect(replies?.map(([error, reply]) => error?.message ?? reply)).toEqual([
      "OK",
      "ERR value is not an integer or out of range",
      "not a number",
      expect.stringMatching(/^ERR unknown command/),
    ]);
  });
});

describe.each(NODES)("node-redis on node %i", (node) => {
  const key = (name: string): string => `node-redis:${node}:${name}`;

  describe.each([2, 3] as const)("over RESP%i", (RESP) => {
    it("writes, reads, expires, scans and pipelines", async () => {
      const client = createClient({ RESP, socket: { port: port(node), reconnectStrategy: false } });
      const errors: unknown[] = [];
      client.on("error", (error) => errors.push(error));
      await client.connect();
      try {
        await client.del(key("n"));
        expect(await client.set(key("a"), "1")).toBe("OK");
        expect(await client.get(key("a"))).toBe("1");
        expect(await client.get(key("none"))).toBeNull();
        expect(await client.mGet([key("a"), key("none")])).toEqual(["1", null]);
        expect(await client.incr(key("n"))).toBe(1);
        expect(await client.incrByFloat(key("n"), 0.5)).toBe("1.5");
        expect(await client.expire(key("n"), 50)).toBe(1);
        expect(await client.ttl(key("n"))).toBeGreaterThan(48);
        const replies = await Promise.all(
          Array.from({ length: SCANNED_KEYS }, (_, at) =>
            client.set(key(`scan:${at}`), String(at)),
          ),
        );
        expect(new Set(replies)).toEqual(new Set(["OK"]));
        const seen = new Set<string>();
        for await (const found of client.scanIterator({ MATCH: key("scan:*"), COUNT: 70 })) {
          for (const name of found) seen.add(name);
        }
        expect(seen.size).toBe(SCANNED_KEYS);
        await expect(client.sendCommand(["SET", key("a")])).rejects.toThrow(
          /wrong number of arguments/,
        );
        expect(await client.ping()).toBe("PONG");
        const hello: unknown = await client.sendCommand(["HELLO"]);
        expect(JSON.stringify(hello)).toContain('"proto"');
      } finally {
        client.destroy();
      }
      expect(errors).toEqual([]);
    });
  });
});

/** Debian's redis-tools. In CI they must be there: a test that is always skipped proves nothing. */
const REDIS_CLI = findProgram("redis-cli");
const REDIS_BENCHMARK = findProgram("redis-benchmark");
const skipTools = (REDIS_CLI === null || REDIS_BENCHMARK === null) && process.env["CI"] !== "true";
if (skipTools)
  report("redis-cli and redis-benchmark are not installed (redis-tools): their tests are skipped");

describe.skipIf(skipTools)("redis-tools", () => {
  async function cli(node: number, ...words: string[]): Promise<string> {
    const { exitCode, output, errorOutput } = await runProgram(REDIS_CLI!, [
      "-p",
      String(port(node)),
      ...words,
    ]);
    expect(exitCode, errorOutput).toBe(0);
    return output.trimEnd();
  }

  it("redis-cli reads on any node what it wrote on another", async () => {
    for (const node of NODES) {
      expect(await cli(node, "set", `cli:${node}`, `from ${node}`)).toBe("OK");
      for (const other of NODES) {
        // Session consistency is per connection: a fresh one on another node asks for the newest.
        const input = `ferrite.consistency linearizable\nget cli:${node}\n`;
        const { output } = await runProgram(REDIS_CLI!, ["-p", String(port(other))], { input });
        expect(output.trim().split("\n")).toEqual(["OK", `from ${node}`]);
      }
    }
  });

  it("redis-cli shows INFO, scans with --scan and speaks RESP3", async () => {
    expect(await cli(1, "info", "server")).toMatch(/redis_version:7\.0/);
    await cli(1, "set", "cli:scan", "1");
    const scanned = await cli(1, "--scan", "--pattern", "cli:*");
    expect(scanned.split("\n")).toContain("cli:scan");
    expect(await cli(2, "-3", "ping")).toBe("PONG");
  });

  it.each(NODES)("redis-benchmark runs SET and GET on node %i", async (node) => {
    const words = ["-p", String(port(node)), "-t", "set,get", "-n", "20000", "-q"];
    const { exitCode, output, errorOutput } = await runProgram(REDIS_BENCHMARK!, words);
    expect(exitCode, errorOutput).toBe(0);
    const lines = output.replaceAll("\r", "\n").split("\n");
    const rates = lines
      .filter((line) => line.includes("requests per second"))
      .map((line) => line.trim());
    report(
      `redis-benchmark on node ${node}: ${rates.map((rate) => rate.split(",")[0]).join("; ")}`,
    );
    expect(rates.map((rate) => rate.slice(0, 3))).toEqual(["SET", "GET"]);
    expect(errorOutput + output).not.toMatch(/error|warning/i);
    expect(await cli(node, "get", "key:__rand_int__")).toBe("VXK");
  });
});
