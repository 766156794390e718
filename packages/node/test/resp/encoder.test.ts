import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CHUNK_BYTES_MIN, ChunkPool } from "../../src/resp/chunk-pool.ts";
import { RespReply, SilentReply } from "../../src/resp/encoder.ts";
import type { Reply } from "../../src/resp/reply.ts";

function written(protocol: 2 | 3, write: (reply: RespReply) => void): string {
  const reply = new RespReply();
  reply.protocol = protocol;
  write(reply);
  return reply.takePending().toString("latin1");
}

const cases: readonly [
  name: string,
  write: (reply: Reply) => void,
  resp2: string,
  resp3: string,
][] = [
  ["OK", (reply) => reply.ok(), "+OK\r\n", "+OK\r\n"],
  ["a simple string", (reply) => reply.simple("PONG"), "+PONG\r\n", "+PONG\r\n"],
  ["an error", (reply) => reply.error("ERR no"), "-ERR no\r\n", "-ERR no\r\n"],
  ["zero", (reply) => reply.integer(0), ":0\r\n", ":0\r\n"],
  ["a negative integer", (reply) => reply.integer(-42), ":-42\r\n", ":-42\r\n"],
  [
    "the largest 64-bit integer",
    (reply) => reply.integer(2n ** 63n - 1n),
    ":9223372036854775807\r\n",
    ":9223372036854775807\r\n",
  ],
  ["bytes", (reply) => reply.bulk(Buffer.from("a\r\nb")), "$4\r\na\r\nb\r\n", "$4\r\na\r\nb\r\n"],
  [
    "a range of bytes",
    (reply) => reply.bulkRange(Buffer.from("abcd"), 1, 3),
    "$2\r\nbc\r\n",
    "$2\r\nbc\r\n",
  ],
  ["no bytes", (reply) => reply.bulkText(""), "$0\r\n\r\n", "$0\r\n\r\n"],
  ["text in UTF-8", (reply) => reply.bulkText("é"), "$2\r\n\xc3\xa9\r\n", "$2\r\n\xc3\xa9\r\n"],
  ["no value", (reply) => reply.nullBulk(), "$-1\r\n", "_\r\n"],
  ["no array", (reply) => reply.nullArray(), "*-1\r\n", "_\r\n"],
  ["an array", (reply) => reply.array(12), "*12\r\n", "*12\r\n"],
  ["a map", (reply) => reply.map(3), "*6\r\n", "%3\r\n"],
  ["a set", (reply) => reply.set(3), "*3\r\n", "~3\r\n"],
  ["a push message", (reply) => reply.push(2), "*2\r\n", ">2\r\n"],
  [
    "a double",
    (reply) => reply.double(0.1),
    "$19\r\n0.10000000000000001\r\n",
    ",0.10000000000000001\r\n",
  ],
  ["infinity", (reply) => reply.double(-Infinity), "$4\r\n-inf\r\n", ",-inf\r\n"],
  ["true", (reply) => reply.boolean(true), ":1\r\n", "#t\r\n"],
  ["false", (reply) => reply.boolean(false), ":0\r\n", "#f\r\n"],
  [
    "verbatim text",
    (reply) => reply.verbatim("txt", "é1"),
    "$3\r\n\xc3\xa91\r\n",
    "=7\r\ntxt:\xc3\xa91\r\n",
  ],
];

describe.each(cases)("The encoder writes %s", (_name, write, resp2, resp3) => {
  test("in RESP2", () => expect(written(2, write)).toBe(resp2));
  test("in RESP3", () => expect(written(3, write)).toBe(resp3));
});

test("Every safe integer is written as its decimal digits", () => {
  fc.assert(
    fc.property(fc.maxSafeInteger(), (value) => {
      expect(written(2, (reply) => reply.integer(value))).toBe(`:${value}\r\n`);
    }),
  );
  for (let power = 0; power <= 53; power++) {
    for (const value of [2 ** power - 1, -(2 ** power) + 1, 10 ** Math.min(power, 15)]) {
      expect(written(2, (reply) => reply.integer(value))).toBe(`:${value}\r\n`);
    }
  }
});

test("S21: a line end in an error or a simple string can not forge another reply (CVE-2025-67733)", () => {
  expect(written(2, (reply) => reply.error("ERR a\r\n+OK\r\nb"))).toBe("-ERR a  +OK  b\r\n");
  expect(written(2, (reply) => reply.simple("a\nb"))).toBe("+a b\r\n");
});

test("S21: no character there is makes a second line of an error or a simple string", () => {
  const all = Array.from({ length: 0x10000 }, (_, code) => String.fromCharCode(code)).join("");
  for (const line of [
    written(2, (reply) => reply.error(`ERR ${all}`)),
    written(3, (reply) => reply.error(`ERR ${all}`)),
    written(2, (reply) => reply.simple(all)),
    written(3, (reply) => reply.simple(all)),
  ]) {
    expect(line.slice(0, -2)).not.toMatch(/[\r\n]/);
    expect(line.endsWith("\r\n")).toBe(true);
  }
});

test("A client's own bytes come back as they were in an error", () => {
  expect(written(2, (reply) => reply.error("ERR unknown 'é\xff'"))).toBe(
    "-ERR unknown '\xe9\xff'\r\n",
  );
});

describe("The output buffer", () => {
  test("grows by doubling and keeps what was written", () => {
    const reply = new RespReply();
    const value = Buffer.alloc(1000, "v");
    for (let index = 0; index < 100; index++) reply.bulk(value);
    const expected = `$1000\r\n${"v".repeat(1000)}\r\n`.repeat(100);
    expect(reply.pendingBytes).toBe(expected.length);
    expect(reply.takePending().toString()).toBe(expected);
    expect(reply.pendingBytes).toBe(0);
  });

  test("holds one answer that is larger than any chunk", () => {
    const value = Buffer.alloc(3 * 1024 * 1024, "x");
    const reply = new RespReply();
    reply.integer(1);
    reply.bulk(value);
    expect(reply.takePending().length).toBe(4 + "$3145728\r\n".length + value.length + 2);
  });

  test("is taken whole, and what follows goes to another", () => {
    const reply = new RespReply();
    reply.ok();
    const first = reply.takePending();
    reply.integer(7);
    expect(first.toString()).toBe("+OK\r\n");
    expect(reply.takePending().toString()).toBe(":7\r\n");
  });

  test("is used again once it was given back", () => {
    const pool = new ChunkPool();
    const reply = new RespReply(pool);
    reply.ok();
    const first = reply.takePending();
    pool.release(first);
    expect(pool.freeBytes).toBe(CHUNK_BYTES_MIN);
    reply.ok();
    expect(reply.takePending().buffer).toBe(first.buffer);
  });

  test("drops what was answered since a mark", () => {
    const reply = new RespReply();
    reply.ok();
    const mark = reply.mark();
    reply.integer(5);
    reply.truncate(mark);
    expect(reply.takePending().toString()).toBe("+OK\r\n");
  });

  test("returns its chunk when everything is dropped", () => {
    const pool = new ChunkPool();
    const reply = new RespReply(pool);
    reply.bulk(Buffer.alloc(100_000));
    reply.discard();
    expect(reply.pendingBytes).toBe(0);
    expect(pool.freeBytes).toBe(128 * 1024);
  });
});

test("A reply over its limit is dropped and says so, and takes no memory for the rest", () => {
  const reply = new RespReply(new ChunkPool(), () => 100_000);
  const value = Buffer.alloc(40_000);
  reply.bulk(value);
  reply.bulk(value);
  expect([reply.pendingBytes > 80_000, reply.hasOverflowed]).toEqual([true, false]);
  // Looked at when the buffer grows, which it does by doubling.
  reply.bulk(value);
  reply.bulk(value);
  expect(reply.hasOverflowed).toBe(true);
  for (let piece = 0; piece < 10; piece++) {
    reply.bulk(value);
    reply.simple("x".repeat(60_000));
  }
  expect(reply.pendingBytes).toBeLessThanOrEqual(128 * 1024);
});

test("The pool keeps a bounded number of bytes per size", () => {
  const pool = new ChunkPool();
  const chunks = Array.from({ length: 5_000 }, () => pool.acquire(1));
  for (const chunk of chunks) pool.release(chunk);
  expect(pool.freeBytes).toBe(2 * 1024 * 1024);
  pool.release(pool.acquire(4 * 1024 * 1024));
  expect(pool.freeBytes).toBe(2 * 1024 * 1024);
});

test("A silent reply takes every answer and says RESP2", () => {
  const reply = new SilentReply();
  for (const [, write] of cases) write(reply);
  expect(reply.protocol).toBe(2);
});
