/** What tools that people have send to a server, in the ways they send it, to a running cluster. */
import { Redis as IoRedis } from "ioredis";
import { createClient } from "redis";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TestCluster } from "../e2e/harness/cluster.ts";
import { findProgram, runProgram } from "../e2e/harness/program.ts";
import { runForAWhile } from "./cluster-tool-runs.ts";

const REDIS_CLI = findProgram("redis-cli");
const REDIS_BENCHMARK = findProgram("redis-benchmark");
const skipTools = (REDIS_CLI === null || REDIS_BENCHMARK === null) && process.env["CI"] !== "true";
if (skipTools) process.stderr.write("skipped: redis-tools are not installed\n");

const KEYS = 50;
const BENCHMARKS = ["PING_INLINE", "PING_MBULK", "SET", "GET", "INCR", "MSET (10 keys)"];

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await TestCluster.start();
  const client = await cluster.client(0);
  const sets = Array.from({ length: KEYS }, (_, at) => ["SET", `tool:${at}`, "v".repeat(at + 1)]);
  await Promise.all(client.pipeline(sets));
  client.close();
});
afterAll(async () => {
  await cluster.close();
});

function port(node: number): string {
  return String(cluster.nodes[node].port);
}

describe.skipIf(skipTools)("redis-cli", () => {
  async function cli(words: readonly string[], input = ""): Promise<string> {
    const result = await runProgram(REDIS_CLI!, ["-p", port(1), ...words], { input });
    expect(result.exitCode, result.errorOutput).toBe(0);
    return result.output;
  }

  test("starts, knows the commands, and helps with one and with a group", async () => {
    const output = await cli(
      ["--no-raw"],
      "help get\nhelp @string\nhello 3\nget nosuch\nselect 0\nquit\n",
    );
    expect(output).toContain("Get the value of a key");
    expect(output).toContain("Append a value to a key");
    expect(output).toContain("proto");
    expect(output).toContain("(nil)");
  });

  test("shows every reply with its type, in RESP2 and RESP3", async () => {
    for (const protocol of ["-2", "-3"]) {
      const input = "set shown 1\nincr shown\nget shown\nget nosuch\nnosuch\nmget shown nosuch\n";
      const output = await cli([protocol, "--no-raw"], input);
      expect(output.split("\n").map((line) => line.trimEnd())).toEqual([
        "OK",
        "(integer) 2",
        '"2"',
        "(nil)",
        "(error) ERR unknown command 'nosuch', with args beginning with:",
        '1) "2"',
        "2) (nil)",
        "",
      ]);
    }
  });

  test("--scan finds every key", async () => {
    const found = await cli(["--scan", "--pattern", "tool:*"]);
    expect(new Set(found.trim().split("\n")).size).toBe(KEYS);
  });

  test("--bigkeys finds the longest value", async () => {
    const output = await cli(["--bigkeys"]);
    expect(output).toContain(`Biggest string found '"tool:${KEYS - 1}"' has ${KEYS} bytes`);
    expect(output).not.toMatch(/error|warning/i);
  });

  test("--memkeys measures every key", async () => {
    const output = await cli(["--memkeys", "--memkeys-samples", "0"]);
    expect(output).toMatch(/Biggest string found '"tool:\d+"' has \d+ bytes/);
    expect(output).not.toMatch(/failed|error/i);
  });

  test("--pipe inserts a mass of requests and is told of every error", async () => {
    const lines = Array.from({ length: 2000 }, (_, at) => `SET pipe:${at} ${at}\r\n`).join("");
    expect(await cli(["--pipe"], lines)).toContain("errors: 0, replies: 2000");
    const broken = "SET pipe:a 1\r\nINCR pipe:a x\r\nSET pipe:b 2\r\n";
    const result = await runProgram(REDIS_CLI!, ["-p", port(2), "--pipe"], { input: broken });
    expect(result.output).toContain("errors: 1, replies: 3");
  });

  test("--latency and --stat go on until they are ended", async () => {
    const latency = await runForAWhile(REDIS_CLI!, {
      words: ["-p", port(0), "--raw", "--latency-history", "-i", "1"],
      until: /^\d+ \d+ \d+\.\d+ \d+/m,
    });
    expect(latency).toMatch(/^\d+ \d+ \d+\.\d+ \d+/m);
    const lines = await runForAWhile(REDIS_CLI!, {
      words: ["-p", port(0), "--stat", "-i", "0.02"],
      // It writes to a pipe in blocks of 4 KiB.
      until: /(\n\d+ .*){3}/,
    });
    const [, keys, memory, clients, blocked] = /\n(\d+) +([\d.]+[BKMG]) +(\d+) +(\d+)/.exec(lines)!;
    expect(Number(keys)).toBeGreaterThanOrEqual(KEYS);
    expect(memory).not.toBe("0B");
    expect(Number(clients)).toBeGreaterThanOrEqual(1);
    expect(blocked).toBe("0");
  });
});

describe.skipIf(skipTools)("redis-benchmark", () => {
  test.each([
    ["one request at a time", []],
    ["pipelines", ["-P", "16"]],
    ["random keys", ["-r", "1000"]],
    ["RESP3", ["-3"]],
  ])("runs its tests with %s and meets no error", async (_name, more) => {
    const tests = "ping_inline,ping_mbulk,set,get,incr,mset";
    const words = ["-p", port(2), "-q", "-n", "2000", "-c", "10", "-t", tests, ...more];
    const result = await runProgram(REDIS_BENCHMARK!, words);
    expect(result.exitCode, result.errorOutput).toBe(0);
    expect(result.output + result.errorOutput).not.toMatch(/error|warning/i);
    const lines = result.output.replaceAll("\r", "\n").split("\n");
    const done = lines.filter((line) => line.includes("requests per second"));
    expect(done.map((line) => line.slice(0, line.indexOf(":")))).toEqual(BENCHMARKS);
  });
});

describe("Client libraries", () => {
  test("ioredis is ready by INFO, names itself and selects its database", async () => {
    const redis = new IoRedis({
      port: Number(port(1)),
      enableReadyCheck: true,
      connectionName: "reports",
      db: 0,
      maxRetriesPerRequest: 0,
      retryStrategy: () => null,
    });
    const errors: unknown[] = [];
    redis.on("error", (error) => errors.push(error));
    await new Promise((resolve) => redis.once("ready", resolve));
    expect(await redis.client("GETNAME")).toBe("reports");
    expect(await redis.client("INFO")).toMatch(/ name=reports .* lib-name=ioredis/);
    expect(await redis.get("tool:0")).toBe("v");
    redis.disconnect();
    expect(errors).toEqual([]);
  });

  test.each([2, 3] as const)("node-redis over RESP%i names itself and selects", async (RESP) => {
    const client = createClient({
      RESP,
      name: "orders",
      database: 0,
      clientInfoTag: "shop",
      socket: { port: Number(port(2)), reconnectStrategy: false },
    });
    const errors: unknown[] = [];
    client.on("error", (error) => errors.push(error));
    await client.connect();
    expect(await client.clientGetName()).toBe("orders");
    const info: unknown = await client.sendCommand(["CLIENT", "INFO"]);
    expect(String(info)).toMatch(/ lib-name=node-redis\(shop\) lib-ver=\d/);
    expect(await client.get("tool:0")).toBe("v");
    client.destroy();
    expect(errors).toEqual([]);
  });

  test("What a desktop browser of keys asks first is answered, or refused as unknown", async () => {
    const client = await cluster.client(0);
    const answered = [
      ["CLIENT", "SETNAME", "redisinsight-browser-1"],
      ["CLIENT", "SETINFO", "LIB-NAME", "insight"],
      ["INFO"],
      ["INFO", "server", "memory", "stats", "keyspace"],
      ["CONFIG", "GET", "databases"],
      ["CONFIG", "GET", "maxmemory*"],
      ["COMMAND"],
      ["COMMAND", "DOCS"],
      ["DBSIZE"],
      ["CLIENT", "LIST"],
      ["SCAN", "0", "MATCH", "*", "COUNT", "500", "TYPE", "string"],
      ["TYPE", "tool:1"],
      ["TTL", "tool:1"],
      ["MEMORY", "USAGE", "tool:1", "SAMPLES", "0"],
      ["STRLEN", "tool:1"],
      ["GETRANGE", "tool:1", "0", "4999"],
      ["OBJECT", "ENCODING", "tool:1"],
      ["ACL", "WHOAMI"],
    ];
    const replies = await Promise.all(client.pipeline(answered));
    for (const [at, reply] of replies.entries()) {
      expect(reply, answered[at].join(" ")).not.toHaveProperty("text");
    }
    // Browsers go on without these.
    const refused = [
      ["MODULE", "LIST"],
      ["SLOWLOG", "GET"],
    ];
    for (const reply of await Promise.all(client.pipeline(refused))) {
      expect(reply).toHaveProperty("text", expect.stringMatching(/^ERR unknown command/));
    }
    client.close();
  });
});
