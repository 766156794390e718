/** node-redis, in both protocol versions, against the RESP server. */
import { createClient } from "redis";
import { afterEach, describe, expect, it } from "vitest";
import { startTestServer } from "../../../packages/node/test/server/support/test-server.ts";

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

describe.each([2, 3] as const)("node-redis with RESP%d", (RESP) => {
  const open = async (port: number, password?: string) => {
    const client = createClient({
      RESP,
      socket: { port, host: "127.0.0.1", reconnectStrategy: false },
      ...(password === undefined ? {} : { password }),
    });
    client.on("error", () => undefined);
    await client.connect();
    closers.push(() => client.destroy());
    return client;
  };

  it("connects, announces itself, sets and gets", async () => {
    const test = await startTestServer();
    const client = await open(test.port);
    expect(await client.set("a", "1")).toBe("OK");
    expect(await client.get("a")).toBe("1");
    expect(await client.get("none")).toBe(null);
    expect(await client.mGet(["a", "none"])).toEqual(["1", null]);
    expect(await client.expire("a", 100)).toBe(1);
    const [view] = [...test.server.clients()];
    expect(view.protocol).toBe(RESP);
    expect(view.libraryName).toMatch(/^node-redis/);
  });

  it("pipelines by itself and keeps order", async () => {
    const test = await startTestServer();
    const client = await open(test.port);
    const answers: Promise<unknown>[] = [];
    for (let number = 0; number < 1000; number++) {
      answers.push(client.set("n", String(number)), client.get("n"));
    }
    const values = await Promise.all(answers);
    values.forEach((value, index) => {
      expect(value).toBe(index % 2 === 0 ? "OK" : String((index - 1) / 2));
    });
  });

  it("logs in with a password, and is told when it is wrong", async () => {
    const test = await startTestServer({ config: { requirepass: "secret" } });
    const client = await open(test.port, "secret");
    expect(await client.ping()).toBe("PONG");
    await expect(open(test.port, "wrong")).rejects.toThrow("WRONGPASS");
  });

  it("reads INFO and CONFIG", async () => {
    const test = await startTestServer();
    const client = await open(test.port);
    expect(await client.info("server")).toContain(`tcp_port:${test.port}\r\n`);
    expect(await client.configGet("maxmemory")).toEqual({});
    expect(await client.clientId()).toBe([...test.server.clients()][0].id);
  });
});
