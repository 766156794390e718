/** ioredis, as its users use it, against the RESP server. */
import { Redis } from "ioredis";
import { afterEach, describe, expect, it } from "vitest";
import { startTestServer } from "../../../packages/node/test/server/support/test-server.ts";

const clients: Redis[] = [];
afterEach(() => {
  for (const client of clients.splice(0)) client.disconnect();
});

function connect(
  port: number,
  options: { password?: string; connectionName?: string } = {},
): Redis {
  const client = new Redis({ port, host: "127.0.0.1", ...options });
  clients.push(client);
  return client;
}

describe("ioredis", () => {
  it("passes its ready check, sets, gets and pipelines", async () => {
    const test = await startTestServer();
    const redis = connect(test.port, { connectionName: "app" });
    expect(await redis.set("a", "1")).toBe("OK");
    expect(await redis.get("a")).toBe("1");
    const pipeline = redis.pipeline();
    for (let number = 0; number < 1000; number++) pipeline.set("n", String(number)).get("n");
    const results = (await pipeline.exec())!;
    results.forEach(([error, value], index) => {
      expect(error).toBe(null);
      expect(value).toBe(index % 2 === 0 ? "OK" : String((index - 1) / 2));
    });
    expect(await redis.client("GETNAME")).toBe("app");
    expect(redis.status).toBe("ready");
  });

  it("runs many commands at once and gets each its own answer", async () => {
    const test = await startTestServer();
    const redis = connect(test.port);
    const answers = await Promise.all(
      Array.from({ length: 2000 }, async (_, number) => {
        await redis.set(`k${number}`, `v${number}`);
        return redis.get(`k${number}`);
      }),
    );
    expect(answers).toEqual(Array.from({ length: 2000 }, (_, number) => `v${number}`));
    expect(await redis.dbsize()).toBe(2000);
  });

  it("logs in, and passes errors on", async () => {
    const test = await startTestServer({ config: { requirepass: "secret" } });
    const redis = connect(test.port, { password: "secret" });
    await redis.set("a", "text");
    await expect(redis.incr("a")).rejects.toThrow("ERR value is not an integer or out of range");
    test.replica.refusal = "CLUSTERDOWN no leader";
    await expect(redis.set("a", "1")).rejects.toThrow("CLUSTERDOWN no leader");
  });

  it("reconnects after it was killed", async () => {
    const test = await startTestServer();
    const redis = connect(test.port);
    const id = await redis.client("ID");
    const other = connect(test.port);
    expect(await other.client("KILL", "ID", id)).toBe(1);
    expect(await redis.set("a", "1")).toBe("OK");
    expect(await redis.client("ID")).not.toBe(id);
  });
});
