/**
 * A snapshot of the keyspace with changed bytes (it has no checksum of its own; the store that keeps it has): it is
 * refused and leaves nothing behind, or gives a keyspace whose parts agree with each other. Memory is taken for what
 * arrives, never for what is announced.
 */
import { beforeAll, describe, expect, test } from "vitest";
import { Keyspace, KeyspaceError } from "@ferrite/storage";
import { snapshotOf } from "../../packages/storage/test/keyspace/snapshot-taking.ts";
import type { Prng } from "../compat/prng.ts";
import { announceSeed, roundName, roundRandom, rounds } from "./fuzz-seed.ts";
import { mutateStream, piecesOf } from "./mutate.ts";

const ROUNDS = rounds(1500);
const MEBIBYTE = 1024 ** 2;
/** A keyspace prepares its index for what is announced, up to 9 MiB (EXPECTED_DEPTH_MAX). */
const USED_BYTES_MAX = 16 * MEBIBYTE;
const NOW_MS = 1_800_000_000_000;
const KEYS = ["", "a", "key:1", "key:2", "\xff\x00", "long".repeat(300), "K".repeat(17_000)];

/** What the fuzz needs of a keyspace; the canary gives a broken one. */
type Subject = Pick<Keyspace, "restore" | "size" | "usedBytes" | "checkInvariants" | "forEach">;

function exampleSnapshot(random: Prng): Buffer {
  const keyspace = new Keyspace({ hashSeed: 7 });
  for (const name of KEYS) {
    const value = Buffer.alloc(random.pick([0, 1, 20, 500, 17_000]), random.below(256));
    const key = Buffer.from(name, "latin1");
    keyspace.setString(
      { buffer: key, start: 0, end: key.length },
      { buffer: value, start: 0, end: value.length },
      { expireAtMs: random.oneIn(3) ? NOW_MS + random.below(1e9) : 0, nowMs: NOW_MS },
    );
  }
  for (let at = 0; at < 50; at++) {
    const key = Buffer.from(`n:${at}`);
    const range = { buffer: key, start: 0, end: key.length };
    keyspace.setString(range, range, { expireAtMs: 0, nowMs: NOW_MS });
  }
  return snapshotOf(keyspace);
}

interface Verdict {
  readonly problem: string | null;
  readonly refused: boolean;
}

function restoreInto(keyspace: Subject, pieces: readonly Buffer[]): Verdict {
  let refused = false;
  try {
    const session = keyspace.restore();
    for (const piece of pieces) session.write(piece);
    session.end();
  } catch (error) {
    if (!(error instanceof KeyspaceError) || error.code !== "RESTORE_MALFORMED") {
      return { problem: `not a refusal: ${String(error)}`, refused };
    }
    refused = true;
  }
  return { problem: contradictionIn(keyspace, refused), refused };
}

function contradictionIn(keyspace: Subject, refused: boolean): string | null {
  if (keyspace.usedBytes > USED_BYTES_MAX) return `${keyspace.usedBytes} bytes are held`;
  if (refused && keyspace.size > 0) return `${keyspace.size} keys are left of a refused snapshot`;
  try {
    keyspace.checkInvariants();
    let visited = 0;
    keyspace.forEach(0, () => visited++);
    return visited === keyspace.size ? null : `${visited} of ${keyspace.size} keys are found`;
  } catch (error) {
    return String(error);
  }
}

describe("A snapshot of the keyspace with changed bytes", () => {
  beforeAll(() => announceSeed("keyspace restore"));

  test("is refused and leaves nothing, or gives a keyspace that agrees with itself", () => {
    let refused = 0;
    let whole = exampleSnapshot(roundRandom(0));
    for (let round = 1; round <= ROUNDS; round++) {
      const random = roundRandom(round);
      if (round % 100 === 0) whole = exampleSnapshot(random);
      const pieces = piecesOf(mutateStream(whole, random), random);
      const verdict = restoreInto(new Keyspace({ hashSeed: 7 }), pieces);
      expect(verdict.problem, roundName(round)).toBeNull();
      if (verdict.refused) refused++;
    }
    expect(refused).toBeGreaterThan(ROUNDS / 4);
    expect(refused).toBeLessThan(ROUNDS);
  });

  test("takes no memory for what it only announces", () => {
    const before = process.memoryUsage().arrayBuffers;
    for (let round = 0; round < 20; round++) {
      const bytes = exampleSnapshot(roundRandom(round)).subarray(0, 40);
      bytes.writeUInt32LE(0xffff_ffff, 4);
      bytes.writeUInt32LE(0x1fff_ffff, 14);
      bytes.writeUInt32LE(0x1fff_ffff, 18);
      expect(restoreInto(new Keyspace({ hashSeed: 7 }), [bytes]).refused).toBe(true);
      expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(512 * MEBIBYTE);
    }
  });

  test("canary: a restore that keeps what it read of a refused snapshot is found", () => {
    const whole = exampleSnapshot(roundRandom(1));
    const forgetful = new Keyspace({ hashSeed: 7 });
    const subject: Subject = {
      restore: () => {
        const session = forgetful.restore();
        return { write: (bytes) => session.write(bytes), end: () => refuse() };
      },
      get size() {
        return forgetful.size;
      },
      get usedBytes() {
        return forgetful.usedBytes;
      },
      checkInvariants: () => forgetful.checkInvariants(),
      forEach: (nowMs, visit) => forgetful.forEach(nowMs, visit),
    };
    expect(restoreInto(subject, [whole]).problem).toMatch(/keys are left/);
  });

  test("canary: a keyspace whose index has lost a key, and another error than a refusal, are found", () => {
    const whole = exampleSnapshot(roundRandom(1));
    const lossy = new Keyspace({ hashSeed: 7 });
    let isFirst = true;
    lossy.forEach = (nowMs, visit) =>
      Keyspace.prototype.forEach.call(lossy, nowMs, (ref) => {
        if (!isFirst) visit(ref);
        isFirst = false;
      });
    expect(restoreInto(lossy, [whole]).problem).toMatch(/keys are found/);
    const crashing = new Keyspace({ hashSeed: 7 });
    crashing.restore = () => ({ write: () => JSON.parse("{"), end: () => undefined });
    expect(restoreInto(crashing, [whole]).problem).toMatch(/SyntaxError/);
  });
});

function refuse(): never {
  throw new KeyspaceError("RESTORE_MALFORMED", "refused");
}
