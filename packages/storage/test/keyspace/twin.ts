/**
 * A keyspace made of a Map: slow, simple, and right by looking at it. Property tests do the same to it and to the real
 * one, and compare.
 */
import type { Keyspace } from "../../src/keyspace/keyspace.ts";

export interface TwinEntry {
  value: Buffer;
  /** 0 = none. */
  expireAtMs: number;
}

export class Twin {
  /** Keys as latin1, those that have expired included, as long as nothing removed them. */
  entries: Map<string, TwinEntry> = new Map();

  living(key: string, nowMs: number): TwinEntry | undefined {
    const entry = this.entries.get(key);
    return entry === undefined || isExpired(entry, nowMs) ? undefined : entry;
  }

  set(key: string, value: Buffer, expireAtMs: number, nowMs: number): void {
    const kept = this.living(key, nowMs)?.expireAtMs ?? 0;
    this.entries.set(key, { value, expireAtMs: expireAtMs === -1 ? kept : expireAtMs });
  }

  remove(key: string, nowMs: number): boolean {
    const lived = this.living(key, nowMs) !== undefined;
    this.entries.delete(key);
    return lived;
  }

  /** A copy that later changes do not reach. */
  clone(): Twin {
    const twin = new Twin();
    for (const [key, entry] of this.entries) {
      twin.entries.set(key, { value: Buffer.from(entry.value), expireAtMs: entry.expireAtMs });
    }
    return twin;
  }

  get volatileSize(): number {
    return [...this.entries.values()].filter((entry) => entry.expireAtMs !== 0).length;
  }
}

export function isExpired(entry: TwinEntry, nowMs: number): boolean {
  return entry.expireAtMs !== 0 && nowMs > entry.expireAtMs;
}

/** What `keyspace` holds, those that have expired included. */
export function contentsOf(keyspace: Keyspace): Map<string, TwinEntry> {
  const contents = new Map<string, TwinEntry>();
  keyspace.forEach(0, (ref) => {
    const key = keyOf(keyspace, ref);
    if (contents.has(key)) {
      throw new Error("a key was visited twice");
    }
    contents.set(key, { value: valueOf(keyspace, ref), expireAtMs: keyspace.expireAtMs(ref) });
  });
  return contents;
}

export function keyOf(keyspace: Keyspace, ref: number): string {
  const start = keyspace.keyStart(ref);
  return keyspace.keyBuffer(ref).toString("latin1", start, start + keyspace.keyLength(ref));
}

export function valueOf(keyspace: Keyspace, ref: number): Buffer {
  const start = keyspace.valueStart(ref);
  return Buffer.from(keyspace.valueBuffer(ref).subarray(start, start + keyspace.valueLength(ref)));
}

/** Throws when the two differ in anything. */
export function expectSame(keyspace: Keyspace, twin: Twin): void {
  const contents = contentsOf(keyspace);
  const problems: string[] = [];
  if (contents.size !== twin.entries.size || keyspace.size !== twin.entries.size) {
    problems.push(`sizes ${contents.size}, ${keyspace.size} and ${twin.entries.size}`);
  }
  if (keyspace.volatileSize !== twin.volatileSize) {
    problems.push(`volatile sizes ${keyspace.volatileSize} and ${twin.volatileSize}`);
  }
  for (const [key, entry] of twin.entries) {
    const there = contents.get(key);
    if (there === undefined) {
      problems.push(`a key of ${key.length} bytes is missing`);
    } else if (!there.value.equals(entry.value)) {
      problems.push(`values of ${there.value.length} and ${entry.value.length} bytes differ`);
    } else if (there.expireAtMs !== entry.expireAtMs) {
      problems.push(`expiries ${there.expireAtMs} and ${entry.expireAtMs}`);
    }
  }
  if (problems.length > 0) {
    throw new Error(`keyspace and twin differ: ${problems.join("; ")}`);
  }
}

export function range(bytes: Buffer): { buffer: Buffer; start: number; end: number } {
  return { buffer: bytes, start: 0, end: bytes.length };
}

export function textRange(text: string): { buffer: Buffer; start: number; end: number } {
  return range(Buffer.from(text, "latin1"));
}

export function findText(keyspace: Keyspace, key: string, nowMs: number): number {
  const bytes = Buffer.from(key, "latin1");
  return keyspace.find(bytes, 0, bytes.length, nowMs);
}

export function setText(
  keyspace: Keyspace,
  key: string,
  value: string,
  times: { readonly expireAtMs?: number; readonly nowMs?: number } = {},
): number {
  const { expireAtMs = 0, nowMs = 0 } = times;
  return keyspace.setString(textRange(key), textRange(value), { expireAtMs, nowMs });
}

export function removeText(keyspace: Keyspace, key: string, nowMs = 0): boolean {
  const bytes = Buffer.from(key, "latin1");
  return keyspace.remove(bytes, 0, bytes.length, nowMs);
}
