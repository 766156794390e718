/** Clients that send what they should not, against a real node: each ends as Redis ends it, and the node serves on. */
import { readFileSync } from "node:fs";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { TestCluster, report, until } from "./harness/cluster.ts";
import { RawClient } from "./harness/raw-client.ts";
import { RespError, encodeCommand } from "./harness/resp-client.ts";

const MEBIBYTE = 1024 ** 2;
/** Above what the node uses after its start: no client here may cost more. */
const RSS_GROWTH_BYTES_MAX = 200 * MEBIBYTE;
const OUTPUT_LIMIT_BYTES = 4 * MEBIBYTE;

let cluster: TestCluster;
let startRssBytes: number;
const clients: RawClient[] = [];

beforeAll(async () => {
  cluster = await TestCluster.start({
    nodes: 1,
    settings: {
      "proto-max-bulk-len": "1mb",
      "client-query-buffer-limit": "2mb",
      "client-output-buffer-limit": `normal ${OUTPUT_LIMIT_BYTES} 0 0`,
    },
  });
  startRssBytes = rssBytes();
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  // Whatever happened: the node answers, and has not grown beyond bounds.
  expect(await cluster.call(0, "PING")).toBe("PONG");
  expect(rssBytes() - startRssBytes).toBeLessThan(RSS_GROWTH_BYTES_MAX);
});
afterAll(async () => {
  report(
    `memory of the node: ${toMebibytes(startRssBytes)} MiB at its start, at most ${toMebibytes(peakRssBytes())} MiB`,
  );
  await cluster.close();
});

function memoryBytes(field: string): number {
  const status = readFileSync(`/proc/${cluster.pid(0)}/status`, "utf8");
  return Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(status)![1]) * 1024;
}

function rssBytes(): number {
  return memoryBytes("VmRSS");
}

function peakRssBytes(): number {
  return memoryBytes("VmHWM");
}

function toMebibytes(sizeBytes: number): number {
  return Math.round(sizeBytes / MEBIBYTE);
}

async function raw(): Promise<RawClient> {
  const client = await RawClient.connect(cluster.nodes[0].port);
  clients.push(client);
  return client;
}

describe("malformed requests", () => {
  it.each([
    [
      "a multibulk length that is no number",
      "*x\r\n",
      "-ERR Protocol error: invalid multibulk length",
    ],
    [
      "a multibulk length above the limit",
      "*1048577\r\n",
      "-ERR Protocol error: invalid multibulk length",
    ],
    ["a bulk without its $", "*1\r\n:5\r\n", "-ERR Protocol error: expected '$', got ':'"],
    [
      "a bulk length that is no number",
      "*1\r\n$abc\r\n",
      "-ERR Protocol error: invalid bulk length",
    ],
    ["a negative bulk length", "*1\r\n$-1\r\n", "-ERR Protocol error: invalid bulk length"],
    [
      "a bulk longer than proto-max-bulk-len",
      "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1048577\r\n",
      "-ERR Protocol error: invalid bulk length",
    ],
    [
      "an inline request with unbalanced quotes",
      'SET k "v\r\n',
      "-ERR Protocol error: unbalanced quotes in request",
    ],
    ["a line that never ends", "x".repeat(70_000), "-ERR Protocol error: too big inline request"],
    [
      "a count line that never ends",
      `*${"1".repeat(70_000)}`,
      "-ERR Protocol error: too big mbulk count string",
    ],
  ])("%s gets its error and is closed", async (_name, bytes, error) => {
    const client = await raw();
    await client.send("PING\r\n");
    await client.receives("+PONG\r\n");
    await client.send(bytes);
    await client.isClosedByServer();
    expect(client.received).toBe(`+PONG\r\n${error}\r\n`);
  });

  it("what came before the malformed part is answered, what came behind it is not run", async () => {
    const client = await raw();
    const before = encodeCommand(["SET", "before", "1"]);
    const behind = encodeCommand(["SET", "behind", "1"]);
    await client.send(Buffer.concat([before, Buffer.from("*1\r\n!\r\n"), behind]));
    await client.isClosedByServer();
    expect(client.received).toBe("+OK\r\n-ERR Protocol error: expected '$', got '!'\r\n");
    expect(await cluster.call(0, "EXISTS", "before", "behind")).toBe(1);
  });

  it("random bytes never end the node", async () => {
    let state = 42;
    for (let round = 0; round < 50; round++) {
      const bytes = Buffer.alloc(2000);
      for (let at = 0; at < bytes.length; at++) {
        state = (Math.imul(state, 1103515245) + 12345) >>> 0;
        bytes[at] = state >>> 16;
      }
      const client = await raw();
      await client.send(
        Buffer.concat([Buffer.from("*3\r\n$3\r\nSET\r\n"), bytes, Buffer.from("\r\n")]),
      );
      await client.isClosedByServer();
      expect(client.received).toMatch(/^-ERR /);
    }
  });
});

describe("requests that are too large", () => {
  it("a value of exactly proto-max-bulk-len is taken, one byte more is not", async () => {
    const client = await cluster.client(0);
    expect(await client.call("SET", "large", "x".repeat(MEBIBYTE))).toBe("OK");
    expect(await client.call("STRLEN", "large")).toBe(MEBIBYTE);
    client.close();
    const other = await raw();
    await other.send(encodeCommand(["SET", "larger", "x".repeat(MEBIBYTE + 1)]));
    await other.isClosedByServer();
    expect(await cluster.call(0, "EXISTS", "larger")).toBe(0);
  });

  it("a request with more arguments than the query buffer holds is cut off before they are all there", async () => {
    const client = await raw();
    await client.send("*1000000\r\n$4\r\nMGET\r\n");
    const piece = Buffer.from("$1\r\nk\r\n".repeat(10_000));
    for (let sent = 0; sent < 100 && !client.isClosed; sent++) await client.send(piece);
    await client.isClosedByServer();
    expect(cluster.log(0)).toContain("closing client that reached the query buffer limit");
  });

  it("a command with too many or too few arguments gets an error and the connection lives", async () => {
    const client = await cluster.client(0);
    const wrong = await client.call("GET", "a", "b");
    expect(wrong).toEqual(new RespError("ERR wrong number of arguments for 'get' command"));
    const words = Array.from({ length: 50_000 }, (_, at) => `argument ${at}`);
    expect(await client.call("PING", ...words)).toBeInstanceOf(RespError);
    expect(await client.call("DEL", ...words)).toBe(0);
    expect(await client.call("PING")).toBe("PONG");
    client.close();
  });
});

describe("unusual clients", () => {
  it("one byte at a time is served like any other", async () => {
    const client = await raw();
    const bytes = Buffer.concat([
      encodeCommand(["SET", "slow", "value"]),
      encodeCommand(["GET", "slow"]),
      Buffer.from("PING\r\n"),
    ]);
    for (const byte of bytes) await client.send(Buffer.of(byte));
    await client.receives("+PONG\r\n");
    expect(client.received).toBe("+OK\r\n$5\r\nvalue\r\n+PONG\r\n");
  });

  it("100,000 pipelined commands are all answered, in order", async () => {
    const client = await cluster.client(0);
    const commands = Array.from({ length: 100_000 }, (_, at) =>
      at % 2 === 0 ? ["INCR", "pipelined"] : ["GET", "pipelined"],
    );
    const replies = await Promise.all(client.pipeline(commands));
    client.close();
    const wrong = replies.findIndex((reply, at) => {
      const count = Math.floor(at / 2) + 1;
      return reply !== (at % 2 === 0 ? count : String(count));
    });
    expect(wrong).toBe(-1);
    expect(replies).toHaveLength(100_000);
  });

  it("one that never reads its replies is closed at the output limit, and the node keeps its memory", async () => {
    await cluster.call(0, "SET", "reply", "x".repeat(100_000));
    const client = await raw();
    client.stopReading();
    const get = encodeCommand(["GET", "reply"]);
    const requests = Buffer.concat(Array.from({ length: 1000 }, () => get));
    const closed = until("the client is closed", () =>
      cluster.log(0).includes("closing client that does not take its replies"),
    );
    client.push(requests);
    await closed;
    expect(await cluster.call(0, "STRLEN", "reply")).toBe(100_000);
    const stats = await cluster.info(0, "clients");
    expect(stats.get("connected_clients")).toBe("1");
  });

  it("one that never reads the replies of its writes is closed as well, and its writes are whole", async () => {
    const before = cluster.log(0).split("closing client that does not take its replies").length;
    const client = await raw();
    client.stopReading();
    await cluster.call(0, "SET", "echoed", "x".repeat(100_000));
    // GETSET answers with the old value: a write with a large reply.
    const write = encodeCommand(["GETSET", "echoed", "y".repeat(100_000)]);
    for (let sent = 0; sent < 300; sent++) client.push(write);
    await until("the client is closed", () => {
      return cluster.log(0).split("closing client that does not take its replies").length > before;
    });
    expect(await cluster.call(0, "GET", "echoed")).toBe("y".repeat(100_000));
  });

  it("an HTTP request is closed without an answer and without running what follows it (S22)", async () => {
    const client = await raw();
    const body = "SET from-http 1\r\n";
    await client.send(
      `POST / HTTP/1.1\r\nHost: localhost:6379\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    await client.isClosedByServer();
    expect(client.received).toBe("");
    expect(await cluster.call(0, "EXISTS", "from-http")).toBe(0);
    expect(cluster.log(0)).toContain("an HTTP request was sent to the RESP port");
    const get = await raw();
    await get.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    await get.isClosedByServer();
    expect(get.received).not.toContain("HTTP");
  });

  it("1,000 connections that come, say half a request and go leave nothing behind", async () => {
    for (let round = 0; round < 10; round++) {
      const some = await Promise.all(Array.from({ length: 100 }, () => raw()));
      await Promise.all(some.map((client) => client.send("*2\r\n$3\r\nGET\r\n$5\r\nab")));
      for (const client of some) client.close();
    }
    clients.length = 0;
    await until("only the asking client is connected", async () => {
      return (await cluster.info(0, "clients")).get("connected_clients") === "1";
    });
  });
});
