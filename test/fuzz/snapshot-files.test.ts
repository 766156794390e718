/**
 * A real snapshot directory, damaged: opening it and reading what it offers either refuses with an error that names the
 * file and changes nothing, or gives a snapshot that was stored, byte for byte. Finished snapshots are never removed.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FileSnapshotStore, StorageError } from "@ferrite/storage";
import type { SnapshotStore } from "@ferrite/storage";
import { metaAt, store } from "../../packages/storage/test/disk/snapshot-store-suite.ts";
import { areSame, damageFiles, readFiles, writeFiles } from "./file-damage.ts";
import type { Damage, Files } from "./file-damage.ts";
import { announceSeed, roundName, roundRandom, rounds } from "./fuzz-seed.ts";
import { randomBytes } from "./mutate.ts";

const ROUNDS = rounds(1000);
const BLOCK_BYTES = 256 * 1024;
const TRAILER_BYTES = 32;
/** The last one has two blocks. */
const BODY_BYTES = [0, 700, BLOCK_BYTES + 9000];

const home = mkdtempSync(join(tmpdir(), "ferrite-fuzz-snapshots-"));
afterAll(() => rmSync(home, { recursive: true, force: true }));

interface Known {
  readonly files: Files;
  /** By index. */
  readonly bodies: ReadonlyMap<number, Buffer>;
}

type Open = (directory: string) => Promise<SnapshotStore>;

const openReally: Open = (directory) =>
  FileSnapshotStore.open({ directory, clusterId: "fuzz", groupId: 0 });

async function makeSnapshots(): Promise<Known> {
  const directory = join(home, "original");
  const opened = await openReally(directory);
  const bodies = new Map<number, Buffer>();
  for (const [at, length] of BODY_BYTES.entries()) {
    const index = 10 * (at + 1);
    const body = randomBytes(length, roundRandom(-at - 1));
    await store(opened, metaAt(index), body);
    bodies.set(index, body);
  }
  return { files: readFiles(directory), bodies };
}

async function readBody(opened: SnapshotStore): Promise<Buffer> {
  const meta = opened.latest()!;
  return await new Promise((resolve, reject) => {
    opened.read(meta, { offsetBytes: 0, lengthBytes: meta.sizeBytes }, (error, bytes) => {
      if (error === null) resolve(Buffer.from(bytes));
      else reject(error);
    });
  });
}

/** What is wrong with how damaged snapshots were opened, or null. */
async function judge(known: Known, damage: Damage, open: Open): Promise<string | null> {
  const directory = join(home, "damaged");
  writeFiles(directory, damage.files);
  try {
    const opened = await open(directory);
    const newest = newestIndex(damage.files);
    const meta = opened.latest();
    if (meta === null) return newest === null ? null : "no snapshot, but one is there";
    if (meta.index !== newest) return `snapshot ${meta.index} in place of ${newest}`;
    const body = known.bodies.get(meta.index);
    if (body === undefined) return `a snapshot that never was: ${meta.index}`;
    if (!(await readBody(opened)).equals(body)) return "another body";
  } catch (error) {
    if (!(error instanceof StorageError)) return `not a StorageError: ${String(error)}`;
    const isNamed = error.file?.startsWith(directory) === true;
    if (!isNamed) return `the refusal names no file: ${error.message}`;
  }
  return areSame(readFiles(directory), damage.files) ? null : "files were changed";
}

function newestIndex(files: Files): number | null {
  const indexes = [...files.keys()].flatMap((name) => {
    const match = /^snapshot-(\d{20})-\d{20}$/.exec(name);
    return match === null ? [] : [Number(match[1])];
  });
  return indexes.length === 0 ? null : Math.max(...indexes);
}

describe("Damaged snapshots", () => {
  let known: Known;
  beforeAll(async () => {
    announceSeed("snapshot files");
    known = await makeSnapshots();
  });

  test("are known: undamaged, the newest is there and whole", async () => {
    expect(known.files.size).toBe(BODY_BYTES.length);
    expect(await judge(known, { what: "nothing", files: known.files }, openReally)).toBeNull();
  });

  test("are refused, with the file's name, or are what was stored", async () => {
    let refused = 0;
    for (let round = 1; round <= ROUNDS; round++) {
      const damage = damageFiles(known.files, roundRandom(round));
      const problem = await judge(known, damage, async (directory) => {
        try {
          return await openReally(directory);
        } catch (error) {
          refused++;
          throw error;
        }
      });
      expect(problem, `${roundName(round)}: ${damage.what}`).toBeNull();
    }
    expect(refused).toBeGreaterThan(ROUNDS / 4);
  });

  test("canary: a body that was changed under right checksums is found", async () => {
    const [name, original] = [...known.files].at(-1)!;
    const bytes = Buffer.from(original);
    const bodyBytes = BODY_BYTES.at(-1)!;
    const trailerAt = bytes.length - TRAILER_BYTES;
    const checksumsAt = trailerAt - 2 * 4;
    const bodyAt = checksumsAt - bodyBytes;
    bytes[bodyAt + 5] ^= 0x40;
    bytes.writeUInt32LE(crc32(bytes.subarray(bodyAt, bodyAt + BLOCK_BYTES)), checksumsAt);
    bytes.writeUInt32LE(crc32(bytes.subarray(checksumsAt, trailerAt)), trailerAt + 16);
    bytes.writeUInt32LE(crc32(bytes.subarray(trailerAt, trailerAt + 24)), trailerAt + 24);
    const files = new Map([...known.files, [name, bytes]]);
    expect(await judge(known, { what: "forged", files }, openReally)).toBe("another body");
  });

  test("canary: a store that passes over a damaged snapshot is found", async () => {
    const [name, bytes] = [...known.files].at(-1)!;
    const files = new Map([...known.files, [name, bytes.subarray(0, 100)]]);
    const lenient: Open = async (directory) => {
      rmSync(join(directory, name));
      return await openReally(directory);
    };
    expect(await judge(known, { what: "cut", files }, lenient)).toMatch(/^snapshot 20 in place/);
  });
});
