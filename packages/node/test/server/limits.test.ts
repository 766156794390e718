import { describe, expect, it } from "vitest";
import { request } from "./support/raw-client.ts";
import { startTestServer } from "./support/test-server.ts";
import { until } from "./support/until.ts";

const MEBIBYTE = 1024 * 1024;

describe("malformed RESP", () => {
  it.each([
    [
      "a bulk header that is none",
      "*1\r\n:4\r\n",
      "-ERR Protocol error: expected '$', got ':'\r\n",
    ],
    [
      "a bulk length that is no number",
      "*1\r\n$x\r\n",
      "-ERR Protocol error: invalid bulk length\r\n",
    ],
    ["a negative bulk length", "*1\r\n$-1\r\n", "-ERR Protocol error: invalid bulk length\r\n"],
    [
      "a bulk over proto-max-bulk-len",
      "*1\r\n$67108865\r\n",
      "-ERR Protocol error: invalid bulk length\r\n",
    ],
    ["too many arguments", "*1048577\r\n", "-ERR Protocol error: invalid multibulk length\r\n"],
    ["a count that is no number", "*x\r\n", "-ERR Protocol error: invalid multibulk length\r\n"],
    [
      "quotes that do not close",
      'GET "a\r\n',
      "-ERR Protocol error: unbalanced quotes in request\r\n",
    ],
    [
      "an endless inline request",
      "x".repeat(70_000),
      "-ERR Protocol error: too big inline request\r\n",
    ],
  ])("S21 with %s is answered and ends the connection", async (_what, bytes, answer) => {
    const test = await startTestServer();
    const client = await test.connect();
    client.write(`PING\r\n${bytes}`);
    expect(await client.rest()).toBe(`+PONG\r\n${answer}`);
    expect(test.server.counters.protocolErrors).toBe(1);
  });

  it("is answered behind the replies of writes that came before it", async () => {
    const test = await startTestServer();
    test.replica.autoCommit = false;
    const client = await test.connect();
    client.write(`${request("SET", "a", "1")}${request("GET", "a")}*1\r\n:4\r\n${request("PING")}`);
    await until(() => test.server.counters.protocolErrors === 1);
    test.replica.commit();
    expect(await client.rest()).toBe(
      "+OK\r\n$1\r\n1\r\n-ERR Protocol error: expected '$', got ':'\r\n",
    );
  });

  it("follows proto-max-bulk-len when it is changed", async () => {
    const test = await startTestServer();
    const client = await test.connect();
    expect(await client.ask("PING")).toBe("+PONG\r\n");
    const config = { ...test.server.config(), protoMaxBulkBytes: 100 };
    test.server.applyConfig(config, new Set(["protoMaxBulkBytes"]));
    client.write("*2\r\n$4\r\nECHO\r\n$101\r\n");
    expect(await client.rest()).toBe("-ERR Protocol error: invalid bulk length\r\n");
  });
});

describe("a client that has not authenticated", () => {
  const config = { requirepass: "secret" };

  it.each([
    [
      "more than 10 arguments",
      "*11\r\n",
      "-ERR Protocol error: unauthenticated multibulk length\r\n",
    ],
    [
      "an argument over 16 KiB",
      "*2\r\n$4\r\nAUTH\r\n$16385\r\n",
      "-ERR Protocol error: unauthenticated bulk length\r\n",
    ],
  ])("S20 is held to small requests: %s", async (_what, bytes, answer) => {
    const test = await startTestServer({ config });
    const client = await test.connect();
    client.write(bytes);
    expect(await client.rest()).toBe(answer);
  });

  it("S20 may send large requests once it has authenticated", async () => {
    const test = await startTestServer({ config });
    const client = await test.connect();
    expect(await client.ask("AUTH", "secret")).toBe("+OK\r\n");
    const value = "v".repeat(20_000);
    expect(await client.ask("SET", "k", value)).toBe("+OK\r\n");
    expect(await client.ask("GET", "k")).toBe(`$20000\r\n${value}\r\n`);
  });

  it("S20 is closed when it does not read its refusals", async () => {
    const test = await startTestServer({
      config,
      limits: { unauthenticatedOutputBytesMax: 10_000 },
    });
    const client = await test.connect();
    client.socket.pause();
    const flood = "GET k\r\n".repeat(20_000);
    while (test.server.clientCount > 0) {
      client.write(flood);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(test.warnings).toContain("closing client that does not take its replies");
  });
});

describe("a client that has not authenticated, in one unfinished request", () => {
  it("S20 is closed when its bytes go over the limit for strangers", async () => {
    const config = { requirepass: "secret" };
    const test = await startTestServer({ config, limits: { unauthenticatedInputBytesMax: 1000 } });
    const client = await test.connect();
    client.write(`*2\r\n$4\r\nAUTH\r\n$16000\r\n${"x".repeat(1500)}`);
    expect(await client.rest()).toBe("");
    expect(test.warnings).toEqual(["closing client that reached the query buffer limit"]);
  });
});

describe("a client that never reads", () => {
  it("is closed when more replies wait for it than the output limit allows", async () => {
    const test = await startTestServer({ config: { clientOutputBufferBytesMax: MEBIBYTE } });
    const client = await test.connect();
    expect(await client.ask("SET", "k", "v".repeat(100_000))).toBe("+OK\r\n");
    client.socket.pause();
    client.write(request("GET", "k").repeat(1000));
    await until(() => test.server.clientCount === 0);
    expect(test.warnings).toEqual(["closing client that does not take its replies"]);
  });

  it("is closed in the middle of a read event, before one event can fill memory", async () => {
    const test = await startTestServer({ config: { clientOutputBufferBytesMax: 4 * MEBIBYTE } });
    const setter = await test.connect();
    await setter.ask("SET", "k", "v".repeat(MEBIBYTE));
    const client = await test.connect();
    client.socket.pause();
    let waitingBytesMax = 0;
    const read = test.replica.runRead.bind(test.replica);
    test.replica.runRead = (command, argv, reply) => {
      read(command, argv, reply);
      for (const one of test.server.clients()) {
        waitingBytesMax = Math.max(waitingBytesMax, one.outputBufferBytes());
      }
    };
    client.write(request("GET", "k").repeat(2000));
    await until(() => test.server.clientCount === 1);
    expect(waitingBytesMax).toBeGreaterThan(4 * MEBIBYTE);
    expect(waitingBytesMax).toBeLessThan(16 * MEBIBYTE);
  });

  it("is closed by a single command whose answer is over the limit, before that fills memory", async () => {
    const test = await startTestServer({ config: { clientOutputBufferBytesMax: 4 * MEBIBYTE } });
    const client = await test.connect();
    expect(await client.ask("SET", "k", "v".repeat(MEBIBYTE))).toBe("+OK\r\n");
    let waitingBytesMax = 0;
    const read = test.replica.runRead.bind(test.replica);
    test.replica.runRead = (command, argv, reply) => {
      const bulkRange = reply.bulkRange.bind(reply);
      reply.bulkRange = (buffer, start, end) => {
        bulkRange(buffer, start, end);
        for (const one of test.server.clients()) {
          waitingBytesMax = Math.max(waitingBytesMax, one.outputBufferBytes());
        }
      };
      read(command, argv, reply);
    };
    client.write(request("MGET", ...Array.from({ length: 1000 }, () => "k")));
    expect(await client.rest()).toBe("");
    expect(waitingBytesMax).toBeGreaterThan(3 * MEBIBYTE);
    expect(waitingBytesMax).toBeLessThanOrEqual(4 * MEBIBYTE);
    expect(test.warnings).toEqual(["closing client that does not take its replies"]);
  });

  it("but comes back in time gets everything in order", async () => {
    const test = await startTestServer();
    const client = await test.connect();
    const value = "v".repeat(100_000);
    await client.ask("SET", "k", value);
    client.socket.pause();
    client.write(request("GET", "k").repeat(200) + request("PING"));
    await until(() => test.server.counters.commandsProcessed === 202);
    client.socket.resume();
    const expected = `$100000\r\n${value}\r\n`.repeat(200) + "+PONG\r\n";
    expect((await client.expectBytes(expected)) === expected).toBe(true);
  });
});

describe("a client that sends too much", () => {
  it("in one unfinished request is closed at client-query-buffer-limit", async () => {
    const test = await startTestServer({ config: { clientQueryBufferBytesMax: MEBIBYTE } });
    const client = await test.connect();
    client.write(`*2\r\n$4\r\nECHO\r\n$10000000\r\n${"x".repeat(2 * MEBIBYTE)}`);
    expect(await client.rest()).toBe("");
    expect(test.warnings).toEqual(["closing client that reached the query buffer limit"]);
  });

  it("while its commands have to wait is not read any further, and is served later", async () => {
    const test = await startTestServer({ limits: { pausedInputBytesMax: 100_000 } });
    const client = await test.connect();
    const waiting = client.ask("WAIT", "1", "0");
    await until(() => test.replica.waits.length === 1);
    const commands = 200_000;
    client.write("PING\r\n".repeat(commands));
    const [view] = [...test.server.clients()];
    await until(() => view.queryBufferBytes() > 100_000);
    for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
    // One read may go over the limit, no more.
    expect(view.queryBufferBytes()).toBeLessThanOrEqual(100_000 + 65_536);
    test.replica.waits[0].done(1);
    expect(await waiting).toBe(":1\r\n");
    const expected = "+PONG\r\n".repeat(commands);
    expect((await client.expectBytes(expected)) === expected).toBe(true);
  });

  it("of reads behind one write keeps the limit of bytes put aside, and gets every answer", async () => {
    const test = await startTestServer({ limits: { deferredBytesMax: 2_000 } });
    test.replica.autoCommit = false;
    const client = await test.connect();
    client.write(request("SET", "a", "1") + request("GET", "a").repeat(500));
    await until(() => test.replica.pending.length === 1);
    const other = await test.connect();
    await other.ask("PING");
    const [view] = [...test.server.clients()];
    // 500 requests of 20 bytes: 100 are put aside, the others stay undecoded.
    expect(view.queryBufferBytes()).toBe(10_000);
    expect(test.server.counters.commandsProcessed).toBe(2);
    test.replica.commit();
    const all = `+OK\r\n${"$1\r\n1\r\n".repeat(500)}`;
    expect(await client.expectBytes(all)).toBe(all);
  });

  it("in one large value is served", async () => {
    const test = await startTestServer();
    const client = await test.connect();
    const value = "0123456789abcdef".repeat(MEBIBYTE);
    expect(await client.ask("SET", "k", value)).toBe("+OK\r\n");
    expect(await client.ask("STRLEN", "k")).toBe(`:${16 * MEBIBYTE}\r\n`);
    expect((await client.ask("GET", "k")) === `$${16 * MEBIBYTE}\r\n${value}\r\n`).toBe(true);
  });
});

describe("the server", () => {
  it("refuses clients over maxclients and takes others when there is room again", async () => {
    const test = await startTestServer({ config: { maxClients: 2 } });
    const first = await test.connect();
    await first.ask("PING");
    const second = await test.connect();
    await second.ask("PING");
    const third = await test.connect();
    expect(await third.rest()).toBe("-ERR max number of clients reached\r\n");
    expect(test.server.counters.rejectedConnections).toBe(1);
    first.destroy();
    await until(() => test.server.clientCount === 1);
    const fourth = await test.connect();
    expect(await fourth.ask("PING")).toBe("+PONG\r\n");
  });

  it("closes a client that is idle for longer than timeout, but not one that waits", async () => {
    const test = await startTestServer({ config: { idleTimeoutSeconds: 10 } });
    const idle = await test.connect();
    await idle.ask("PING");
    const waiting = await test.connect();
    waiting.write(request("WAIT", "1", "0"));
    await until(() => test.replica.waits.length === 1);
    test.clock.time += 10_001;
    expect(await idle.rest()).toBe("");
    expect(test.server.clientCount).toBe(1);
    test.replica.waits[0].done(1);
    expect(await waiting.reply()).toBe(":1\r\n");
  });

  it.each(["POST / HTTP/1.1\r\n", "Host: example\r\n", "post x\r\n"])(
    "S22 cuts off what looks like a browser: %j",
    async (line) => {
      const test = await startTestServer();
      const client = await test.connect();
      client.write(`${line}SET a 1\r\n`);
      expect(await client.rest()).toBe("");
      expect(test.warnings.join()).toContain("HTTP request");
      expect(test.replica.pending.length).toBe(0);
      expect(test.replica.keyspace.size).toBe(0);
    },
  );

  it("answers what is on its way before it stops, within its time", async () => {
    const test = await startTestServer();
    test.replica.autoCommit = false;
    const client = await test.connect();
    client.send("SET a 1", "GET a");
    await until(() => test.replica.pending.length === 1);
    const stopped = test.server.stop(10_000);
    await new Promise((resolve) => setImmediate(resolve));
    test.replica.commit();
    expect(await client.rest()).toBe("+OK\r\n$1\r\n1\r\n");
    await stopped;
    expect(test.server.clientCount).toBe(0);
  });

  it("stops although a client takes no answers", async () => {
    const test = await startTestServer();
    test.replica.autoCommit = false;
    const client = await test.connect();
    client.send("SET a 1");
    await until(() => test.replica.pending.length === 1);
    await test.server.stop(50);
    expect(await client.rest()).toBe("");
  });
});

describe("a large request of a client that may not run it", () => {
  it("is refused by its name and read over without being kept (S20)", async () => {
    const test = await startTestServer();
    const admin = await test.connect();
    await admin.ask("ACL", "SETUSER", "reader", "on", "nopass", "+get", "~*");
    const reader = await test.connect();
    await reader.ask("AUTH", "reader", "x");
    const large = 8 * 1024 * 1024;
    reader.write(`*3\r\n$3\r\nSET\r\n$1\r\na\r\n$${large}\r\n`);
    const denied = "-NOPERM this user has no permissions to run the 'set' command\r\n";
    reader.write(Buffer.alloc(64 * 1024, 0x78));
    expect(await reader.expectBytes(denied)).toBe(denied);
    const [client] = [...test.server.clients()].filter((one) => one.user === "reader");
    reader.write(Buffer.alloc(large - 64 * 1024, 0x78));
    reader.write("\r\n*2\r\n$3\r\nGET\r\n$1\r\na\r\n");
    expect(await reader.expectBytes("$-1\r\n")).toBe("$-1\r\n");
    expect(client.queryBufferBytes()).toBe(0);
  });
});
