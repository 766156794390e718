import { createServer, type AddressInfo } from "node:net";
import { describe, expect, test } from "vitest";

import type { LoadJob } from "../bench/load/job.ts";
import { keysDrawn, keysInOrder } from "../bench/load/key-sequence.ts";
import { LatencyHistogram } from "../bench/load/latency-histogram.ts";
import { decodeFields, encodeByteFields } from "../bench/load/protobuf.ts";
import { ReplyCounter } from "../bench/load/reply-counter.ts";
import { RequestUnit } from "../bench/load/request.ts";
import { SteadyGenerator } from "../bench/load/steady-generator.ts";
import { median } from "../bench/statistics.ts";

const job: LoadJob = {
  kind: "set",
  ports: [1],
  connections: 1,
  pipeline: 1,
  keyCount: 10,
  valueBytes: 3,
  warmupMs: 0,
  durationMs: 1,
  seed: 1,
};

describe("Replies are counted", () => {
  const stream = Buffer.from("+OK\r\n$3\r\n\r\nx\r\n$-1\r\n:1\r\n:0\r\n-ERR no\r\n$0\r\n\r\n_\r\n");

  test.each([stream.length, 7, 2, 1])("in chunks of %i bytes", (chunkBytes) => {
    const counter = new ReplyCounter();
    let replies = 0;
    for (let at = 0; at < stream.length; at += chunkBytes) {
      const chunk = stream.subarray(at, at + chunkBytes);
      replies += counter.push(chunk, chunk.length);
    }
    expect(replies).toBe(8);
    expect(counter.errorReplies).toBe(1);
    expect(counter.zeroReplies).toBe(1);
    expect(counter.firstError).toBe("ERR no");
  });

  test("and half a reply is none", () => {
    const half = Buffer.from("$3\r\nab");
    expect(new ReplyCounter().push(half, half.length)).toBe(0);
  });
});

describe("A unit of requests", () => {
  test("is a SET whose key changes in place", () => {
    const unit = new RequestUnit(job);
    unit.setKey(0, 4711);
    expect(unit.bytes.toString()).toBe(
      "*3\r\n$3\r\nSET\r\n$16\r\nkey:000000004711\r\n$3\r\nxxx\r\n",
    );
    expect(unit.replyCount).toBe(1);
  });

  test("waits for a replica once behind all its SETs", () => {
    const unit = new RequestUnit({ ...job, kind: "setWait", pipeline: 2 });
    unit.setKey(1, 7);
    const text = unit.bytes.toString();
    expect(text.match(/SET/g)).toHaveLength(2);
    expect(text).toContain("key:000000000007");
    expect(text).toMatch(/\*3\r\n\$4\r\nWAIT\r\n\$1\r\n1\r\n\$5\r\n10000\r\n$/);
    expect([unit.replyCount, unit.operations]).toEqual([3, 2]);
  });

  test("is a GET without a value", () => {
    const unit = new RequestUnit({ ...job, kind: "get" });
    expect(unit.bytes.toString()).toBe("*2\r\n$3\r\nGET\r\n$16\r\nkey:000000000000\r\n");
  });
});

test("Keys in order come once each; keys drawn come again by the same seed and cover the range", () => {
  const order = keysInOrder(2);
  expect([order.next(), order.next(), order.next()]).toEqual([0, 1, -1]);
  const first = keysDrawn(10, 5);
  const second = keysDrawn(10, 5);
  const drawn = Array.from({ length: 1000 }, () => first.next());
  expect(drawn).toEqual(Array.from({ length: 1000 }, () => second.next()));
  expect(new Set(drawn).size).toBe(10);
  expect(Math.min(...drawn)).toBe(0);
  expect(Math.max(...drawn)).toBe(9);
});

test("A percentile is off by at most two percent", () => {
  const histogram = new LatencyHistogram();
  for (let at = 1; at <= 1000; at++) {
    histogram.record(at / 100);
  }
  expect(Math.abs(histogram.percentileMs(0.5) - 5)).toBeLessThan(0.1);
  expect(Math.abs(histogram.percentileMs(0.99) - 9.9)).toBeLessThan(0.2);
  expect(histogram.maxMs).toBe(10);
});

test("The median of an even count lies between the two in the middle", () => {
  expect(median([9, 1, 5])).toBe(5);
  expect(median([4, 1, 3, 2])).toBe(2.5);
  expect(median([])).toBeNaN();
});

test("Byte fields of Protocol Buffers are read as they were written", () => {
  const long = Buffer.alloc(300, 7);
  const fields = decodeFields(encodeByteFields([Buffer.from("key"), long]));
  expect(fields).toEqual(
    new Map([
      [1, Buffer.from("key")],
      [2, long],
    ]),
  );
  expect(decodeFields(Buffer.from([8, 0x96, 0x01]))).toEqual(new Map([[1, 150n]]));
  expect(() => decodeFields(Buffer.from([8, 0x96]))).toThrow("cut off");
});

test("A flood logs in, keeps its rate whatever the server does, and counts refusals", async () => {
  const heard: string[] = [];
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.on("data", (bytes: Buffer) => {
      const requests = bytes.toString().split("*").slice(1);
      heard.push(...requests);
      const replies = requests.map((text) => (text.includes("flooder") ? "+OK" : "-NOPERM no"));
      socket.write(replies.map((reply) => `${reply}\r\n`).join(""));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const result = await new SteadyGenerator({
    kind: "denied",
    port,
    connections: 2,
    perSecond: 1000,
    durationMs: 300,
    login: { user: "flooder", password: "x" },
  }).run();
  server.close();
  const keys = heard.filter((text) => text.includes("GET"));
  expect(heard.length - keys.length).toBe(2);
  expect(new Set(keys).size).toBe(keys.length);
  expect(result.errorReplies).toBeGreaterThan(keys.length / 2);
  expect(result.sentPerSecond).toBeGreaterThan(300);
  expect(result.sentPerSecond).toBeLessThan(1100);
  expect(result.firstError).toBe("NOPERM no");
});
