/**
 * A real log directory with a known history, damaged in every way a disk or a person may: opening it either refuses with
 * an error that names the file and changes nothing, or gives a state that the log once had on disk. It never gives
 * anything else and never removes a file.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { crc32 } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { NodeFileSystem, SegmentedLog, StorageError } from "@ferrite/storage";
import type { RecoveredLog } from "@ferrite/storage";
import { entries, hardState, plain } from "../../packages/storage/test/disk/log-fixtures.ts";
import type { Prng } from "../compat/prng.ts";
import { areSame, damageFiles, hasLostBytes, readFiles, writeFiles } from "./file-damage.ts";
import type { Damage, Files } from "./file-damage.ts";
import { announceSeed, roundName, roundRandom, rounds } from "./fuzz-seed.ts";

const ROUNDS = rounds(1500);
const WRITES = 40;
const SEGMENT_BYTES = 4096;
const SECTOR_BYTES = 512;
const RECORD_HEADER_BYTES = 64;
const SALT_AT = 56;

/** What recovery gives, comparable. */
interface State {
  readonly entries: readonly unknown[];
  readonly hardState: unknown;
}

interface KnownLog {
  readonly files: Files;
  /** After each record that was made durable, oldest first. */
  readonly states: readonly State[];
}

type Open = (directory: string) => RecoveredLog;

const home = mkdtempSync(join(tmpdir(), "ferrite-fuzz-log-"));
afterAll(() => rmSync(home, { recursive: true, force: true }));

function optionsFor(directory: string) {
  return { directory, clusterId: "fuzz", groupId: 0, segmentBytes: SEGMENT_BYTES };
}

const openReally: Open = (directory) => {
  const { log, recovered } = SegmentedLog.open(new NodeFileSystem(), optionsFor(directory));
  log.close();
  return recovered;
};

/** Appends, sometimes over what is there, sometimes a vote; each write is synced, and the state after it noted. */
function makeLog(random: Prng): KnownLog {
  const directory = join(home, "original");
  rmSync(directory, { recursive: true, force: true });
  const { log } = SegmentedLog.open(new NodeFileSystem(), optionsFor(directory));
  let held: ReturnType<typeof entries> = [];
  let vote: ReturnType<typeof hardState> | null = null;
  const states: State[] = [{ entries: [], hardState: null }];
  for (let term = 1; term <= WRITES; term++) {
    const cut = random.oneIn(5) ? random.below(Math.min(held.length, 4) + 1) : 0;
    const first = held.length - cut + 1;
    const count = random.below(4);
    const more = entries(first, count, term, random.pick([20, 90, 700, 2500]));
    if (count > 0) held = [...held.slice(0, first - 1), ...more];
    const newVote = count === 0 || random.oneIn(3) ? hardState(term, held.length) : null;
    vote = newVote ?? vote;
    log.append({ hardState: newVote, entries: more });
    log.sync();
    states.push({ entries: plain(held), hardState: vote });
  }
  log.prepare();
  log.close();
  return { files: readFiles(directory), states };
}

/** What is wrong with how a damaged log was opened, or null. */
function judge(known: KnownLog, damage: Damage, open: Open): string | null {
  const directory = join(home, "damaged");
  writeFiles(directory, damage.files);
  let state: State;
  try {
    const recovered = open(directory);
    state = { entries: plain(recovered.entries), hardState: recovered.hardState };
  } catch (error) {
    return judgeRefusal(error, directory, damage.files);
  }
  const isLast = isDeepStrictEqual(state, known.states.at(-1));
  if (!isLast && !hasLostBytes(known.files, damage.files)) return "something was cut, nothing lost";
  if (!known.states.some((one) => isDeepStrictEqual(one, state))) {
    return `a state that never was: ${state.entries.length} entries`;
  }
  const after = readFiles(directory);
  const missing = [...damage.files.keys()].filter((name) => !after.has(name));
  if (missing.length > 0) return `removed ${missing.join(", ")}`;
  const again = openReally(directory);
  const repeated = { entries: plain(again.entries), hardState: again.hardState };
  return isDeepStrictEqual(repeated, state) ? null : "the second opening gives something else";
}

function judgeRefusal(error: unknown, directory: string, files: Files): string | null {
  if (!(error instanceof StorageError)) return `not a StorageError: ${String(error)}`;
  const isNamed = error.message.includes(directory) && error.message.includes(".log");
  if (!isNamed) return `the refusal names no file: ${error.message}`;
  return areSame(readFiles(directory), files)
    ? null
    : `refused, but changed files: ${error.message}`;
}

describe("A damaged log", () => {
  let known: KnownLog;
  beforeAll(() => {
    announceSeed("log recovery");
    known = makeLog(roundRandom(0));
  });

  test("is known: it has several segments, and undamaged gives its last state", () => {
    expect(known.files.size).toBeGreaterThan(4);
    expect(judge(known, { what: "nothing", files: known.files }, openReally)).toBeNull();
  });

  test("is refused, with the file's name, or gives a state it once had", () => {
    let refused = 0;
    for (let round = 1; round <= ROUNDS; round++) {
      const random = roundRandom(round);
      if (round % 100 === 0) known = makeLog(random);
      const damage = damageFiles(known.files, random);
      const open: Open = (directory) => {
        try {
          return openReally(directory);
        } catch (error) {
          refused++;
          throw error;
        }
      };
      const problem = judge(known, damage, open);
      expect(problem, `${roundName(round)}: ${damage.what}`).toBeNull();
    }
    // Else the damage would be harmless, and the test prove nothing.
    expect(refused).toBeGreaterThan(ROUNDS / 4);
  });

  test("canary: wrong data under a right checksum is told from data that was written", () => {
    const files = withForgedRecord(known.files);
    expect(judge(known, { what: "forged", files }, openReally)).toMatch(/cut|never was/);
  });

  test("canary: recovery that gives less, changes files when it refuses, or removes one is found", () => {
    const less: Open = (directory) => {
      const recovered = openReally(directory);
      return { ...recovered, entries: recovered.entries.slice(0, -1) };
    };
    const whole = { what: "nothing", files: known.files };
    expect(judge(known, whole, less)).toBe("something was cut, nothing lost");
    const removing: Open = (directory) => {
      const recovered = openReally(directory);
      rmSync(join(directory, [...known.files.keys()][0]));
      return recovered;
    };
    expect(judge(known, whole, removing)).toMatch(/^removed 0+1\.log/);
    const silent: Open = (directory) => {
      rmSync(join(directory, [...known.files.keys()][0]));
      throw new StorageError("damaged", "refused", {
        place: { file: join(directory, "1.log"), offsetBytes: 0 },
      });
    };
    expect(judge(known, whole, silent)).toMatch(/changed files/);
  });
});

/** Changes the body of the last record and makes its checksums right again, as if they were never checked. */
function withForgedRecord(files: Files): Files {
  const name = [...files].findLast(([, bytes]) => lastRecordAt(bytes) !== null)![0];
  const bytes = Buffer.from(files.get(name)!);
  const at = lastRecordAt(bytes)!;
  const bodyEnd = at + RECORD_HEADER_BYTES + bytes.readUInt32LE(at + 28);
  bytes[bodyEnd - 1] ^= 0x01;
  bytes.writeUInt32LE(crc32(bytes.subarray(at + RECORD_HEADER_BYTES, bodyEnd)), at + 40);
  const salt = bytes.readUInt32LE(SALT_AT);
  bytes.writeUInt32LE(crc32(bytes.subarray(at, at + SALT_AT), salt), at + SALT_AT);
  return new Map([...files, [name, bytes]]);
}

/** Where the last record with a body begins; null in a segment without one. */
function lastRecordAt(bytes: Buffer): number | null {
  let last: number | null = null;
  for (let at = SECTOR_BYTES; at + RECORD_HEADER_BYTES <= bytes.length;) {
    const bodyBytes = bytes.readUInt32LE(at + 28);
    if (bytes.readUInt32LE(at) === 0 || bodyBytes === 0) break;
    last = at;
    at += Math.ceil((RECORD_HEADER_BYTES + bodyBytes + 4) / 64) * 64;
  }
  return last;
}
