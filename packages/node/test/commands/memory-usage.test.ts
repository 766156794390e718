import { expect, test } from "vitest";
import { Evaluator } from "./evaluator.ts";

const NOW_MS = 1_800_000_000_000;

function request(...words: readonly string[]): Buffer {
  const parts = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
  return Buffer.from(`*${words.length}\r\n${parts.join("")}`);
}

/** The integer that MEMORY USAGE answers. */
function usage(evaluator: Evaluator, key: string): number {
  const reply = evaluator.run(request("MEMORY", "USAGE", key)).toString();
  expect(reply).toMatch(/^:\d+\r\n$/);
  return Number(reply.slice(1));
}

test("MEMORY USAGE grows with key, value and expiry and never falls below their bytes", () => {
  const evaluator = new Evaluator({ nowMs: () => NOW_MS });
  let before = 0;
  for (const length of [0, 1, 40, 1000, 16_000, 100_000, 2_000_000]) {
    evaluator.run(request("SET", "key", "v".repeat(length)));
    const bytes = usage(evaluator, "key");
    expect(bytes).toBeGreaterThan(length + "key".length);
    expect(bytes).toBeGreaterThanOrEqual(before);
    before = bytes;
  }
  evaluator.run(request("SET", "brief", "v", "PX", "1000"));
  evaluator.run(request("SET", "lasts", "v"));
  expect(usage(evaluator, "brief")).toBeGreaterThan(usage(evaluator, "lasts"));
});

test("MEMORY USAGE is no use of the key: its idle time and the counts of hits stay as they are", () => {
  let nowMs = NOW_MS;
  const evaluator = new Evaluator({ nowMs: () => nowMs });
  evaluator.run(request("SET", "key", "v"));
  nowMs += 60_000;
  usage(evaluator, "key");
  expect(evaluator.lookups).toEqual({ hits: 0, misses: 0 });
  expect(evaluator.run(request("OBJECT", "IDLETIME", "key")).toString()).toBe(":60\r\n");
});

test("MEMORY USAGE of a key that has expired is null", () => {
  let nowMs = NOW_MS;
  const evaluator = new Evaluator({ nowMs: () => nowMs });
  evaluator.run(request("SET", "key", "v", "PX", "1000"));
  usage(evaluator, "key");
  nowMs += 1001;
  expect(evaluator.run(request("MEMORY", "USAGE", "key")).toString()).toBe("$-1\r\n");
  expect(evaluator.run(request("MEMORY", "USAGE", "key"), 3).toString()).toBe("_\r\n");
});
