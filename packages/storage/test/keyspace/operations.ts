/** Random operations for property tests, and how they are done to a keyspace and to its twin. */
import * as fc from "fast-check";
import type { Keyspace } from "../../src/keyspace/keyspace.ts";
import { findText, range, setText, textRange, type Twin } from "./twin.ts";

export type Operation =
  | { kind: "set"; key: string; value: Buffer; expire: "none" | "keep" | "soon" | "later" }
  | { kind: "remove"; key: string }
  | { kind: "write"; key: string; at: number; value: Buffer }
  | { kind: "resize"; key: string; length: number }
  | { kind: "expire"; key: string; inMs: number }
  | { kind: "persist"; key: string }
  | { kind: "copy"; from: string; to: string }
  | { kind: "rename"; from: string; to: string }
  | { kind: "time"; ms: number }
  | { kind: "grow"; count: number; first: number }
  | { kind: "shrink"; count: number; first: number }
  | { kind: "clear" };

/** Lengths around every border: nothing, one unit, size classes, the largest block, own memory. */
const lengths = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 80 }) },
  { weight: 2, arbitrary: fc.integer({ min: 81, max: 3000 }) },
  { weight: 1, arbitrary: fc.integer({ min: 16_300, max: 16_400 }) },
  { weight: 1, arbitrary: fc.integer({ min: 16_400, max: 60_000 }) },
);

const values = fc.tuple(lengths, fc.integer({ min: 0, max: 255 })).map(([length, seed]) => {
  const value = Buffer.alloc(length);
  for (let at = 0; at < length; at += 1) {
    value[at] = (seed + at * 7 + (at >>> 8)) & 0xff;
  }
  return value;
});

const keys = fc.oneof(
  { weight: 12, arbitrary: fc.integer({ min: 0, max: 30 }).map((number) => `key:${number}`) },
  {
    weight: 1,
    arbitrary: fc.constantFrom("", "\0", "\xff\xfe", "k".repeat(255), "k".repeat(16_350)),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom("k".repeat(16_347), "k".repeat(16_348), "K".repeat(20_000)),
  },
);

const numbers = fc.integer({ min: 0, max: 3000 });

export const operations: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      kind: fc.constant("set" as const),
      key: keys,
      value: values,
      expire: fc.constantFrom("none", "keep", "soon", "later"),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("remove" as const), key: keys }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("write" as const),
      key: keys,
      at: lengths,
      value: values,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant("resize" as const), key: keys, length: lengths }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("expire" as const),
      key: keys,
      inMs: fc.integer({ min: 1, max: 5000 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("persist" as const), key: keys }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom("copy" as const, "rename" as const),
      from: keys,
      to: keys,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("time" as const),
      ms: fc.integer({ min: 1, max: 3000 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constantFrom("grow" as const, "shrink" as const),
      count: numbers,
      first: numbers,
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: "clear" as const }) },
) as fc.Arbitrary<Operation>;

export interface Pair {
  readonly keyspace: Keyspace;
  readonly twin: Twin;
  nowMs: number;
}

/** Does `operation` to both and throws when their answers differ. */
export function apply(pair: Pair, operation: Operation): void {
  const { keyspace, twin, nowMs } = pair;
  switch (operation.kind) {
    case "set":
      return set(pair, operation);
    case "remove":
      return remove(pair, operation.key);
    case "write":
      return write(pair, operation);
    case "resize":
      return resize(pair, operation);
    case "expire":
      return expire(pair, operation.key, nowMs + operation.inMs);
    case "persist":
      return expire(pair, operation.key, 0);
    case "copy":
    case "rename":
      return copy(pair, operation);
    case "time":
      pair.nowMs += operation.ms;
      return undefined;
    case "grow":
      for (let number = 0; number < operation.count; number += 1) {
        const key = `many:${operation.first + number}`;
        setText(keyspace, key, key, { nowMs });
        twin.set(key, Buffer.from(key), 0, nowMs);
      }
      return undefined;
    case "shrink":
      for (let number = 0; number < operation.count; number += 1) {
        remove(pair, `many:${operation.first + number}`);
      }
      return undefined;
    case "clear":
      keyspace.clear();
      twin.entries.clear();
      return undefined;
  }
}

/** Finds a key in both and throws unless it lives in both or in neither. */
function find(pair: Pair, key: string): number {
  const ref = findText(pair.keyspace, key, pair.nowMs);
  same(ref !== 0, pair.twin.living(key, pair.nowMs) !== undefined, "find");
  return ref;
}

function set(pair: Pair, operation: Operation & { kind: "set" }): void {
  const { keyspace, twin, nowMs } = pair;
  const { key, value } = operation;
  const expiries = { none: 0, keep: -1, soon: nowMs + 500, later: nowMs + 100_000 };
  const expireAtMs = expiries[operation.expire];
  if (value.length % 2 === 0) {
    keyspace.setString(textRange(key), range(value), { expireAtMs, nowMs });
  } else {
    // As the decoder hands it over: key and value in one buffer, at odd places.
    const line = Buffer.concat([Buffer.from("*3"), Buffer.from(key, "latin1"), value]);
    keyspace.setStringFast(line, 2, 2 + key.length, 2 + key.length, line.length, expireAtMs, nowMs);
  }
  twin.set(key, Buffer.from(value), expireAtMs, nowMs);
}

function remove(pair: Pair, key: string): void {
  const bytes = Buffer.from(key, "latin1");
  const removed = pair.keyspace.remove(bytes, 0, bytes.length, pair.nowMs);
  same(removed, pair.twin.remove(key, pair.nowMs), "remove");
}

function write(pair: Pair, operation: Operation & { kind: "write" }): void {
  const { keyspace, twin, nowMs } = pair;
  const ref = find(pair, operation.key);
  if (ref === 0) {
    return;
  }
  const end = operation.at + operation.value.length;
  const length = Math.max(keyspace.valueLength(ref), end);
  const moved = keyspace.resizeString(ref, length);
  operation.value.copy(keyspace.valueBuffer(moved), keyspace.valueStart(moved) + operation.at);
  const entry = twin.living(operation.key, nowMs)!;
  const value = Buffer.alloc(length);
  entry.value.copy(value);
  operation.value.copy(value, operation.at);
  entry.value = value;
}

function resize(pair: Pair, operation: Operation & { kind: "resize" }): void {
  const ref = find(pair, operation.key);
  if (ref === 0) {
    return;
  }
  pair.keyspace.resizeString(ref, operation.length);
  const entry = pair.twin.living(operation.key, pair.nowMs)!;
  const value = Buffer.alloc(operation.length);
  entry.value.copy(value);
  entry.value = value;
}

function expire(pair: Pair, key: string, expireAtMs: number): void {
  const ref = find(pair, key);
  if (ref !== 0) {
    const moved = pair.keyspace.setExpireAt(ref, expireAtMs);
    same(pair.keyspace.expireAtMs(moved), expireAtMs, "expireAtMs");
    pair.twin.living(key, pair.nowMs)!.expireAtMs = expireAtMs;
  }
}

function copy(pair: Pair, operation: Operation & { kind: "copy" | "rename" }): void {
  const { keyspace, twin, nowMs } = pair;
  const ref = find(pair, operation.from);
  if (ref === 0) {
    return;
  }
  keyspace.copyTo(ref, textRange(operation.to), nowMs);
  const entry = twin.living(operation.from, nowMs)!;
  twin.entries.set(operation.to, { ...entry, value: Buffer.from(entry.value) });
  if (operation.kind === "rename" && operation.from !== operation.to) {
    remove(pair, operation.from);
  }
}

function same<T>(actual: T, expected: T, what: string): void {
  if (actual !== expected) {
    throw new Error(`${what}: the keyspace says ${String(actual)}, the twin ${String(expected)}`);
  }
}
