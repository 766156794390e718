import { describe, expect, it } from "vitest";
import { atRestInventory } from "../../src/disk/at-rest-inventory.ts";
import type { AtRestKeys } from "../../src/disk/at-rest-keys.ts";
import { FileSystemSnapshotStore } from "../../src/disk/file-snapshot-store.ts";
import { rewrapFile } from "../../src/disk/rewrap-file.ts";
import { openSealedBytes, sealBytes } from "../../src/disk/sealed-bytes.ts";
import { FaultFileSystem } from "./fault-file-system.ts";
import {
  atRestKeys,
  directory,
  entries,
  keysOf,
  open,
  segmentPath,
  storageErrorOf,
} from "./log-fixtures.ts";
import { SeededRandom } from "./seeded-random.ts";
import { bodyOf, metaAt, read, store } from "./snapshot-store-suite.ts";

const snapshotDirectory = "/data/snapshots";
const sealedPath = "/data/users.acl";
const sealedFile = { kind: "acl", name: "users.acl", clusterId: null };
const places = {
  logDirectory: directory,
  snapshotDirectory,
  sealedFiles: [sealedPath, "/data/none"],
};

function openStore(disk: FaultFileSystem, encryption: AtRestKeys | null): FileSystemSnapshotStore {
  return FileSystemSnapshotStore.open(disk, {
    directory: snapshotDirectory,
    clusterId: "cluster",
    groupId: 0,
    encryption,
    schedule: (run) => setImmediate(run),
  });
}

/** A log of three segments, a snapshot and a sealed file; and a reserved segment that holds nothing. */
async function everything(encryption: AtRestKeys | null): Promise<FaultFileSystem> {
  const disk = new FaultFileSystem();
  const { log } = open(disk, { encryption });
  for (let index = 1; index <= 9; index += 1) {
    log.append({ hardState: null, entries: entries(index, 1, 1, 900) });
    log.sync();
    log.prepare();
  }
  log.close();
  await store(openStore(disk, encryption), metaAt(3), bodyOf(1, 5000));
  const contents = new TextEncoder().encode("user ann");
  disk.put(
    sealedPath,
    encryption === null ? contents : sealBytes(encryption, sealedFile, contents),
  );
  return disk;
}

async function checkReadable(disk: FaultFileSystem, keys: AtRestKeys): Promise<void> {
  const copy = disk.copy();
  expect(open(copy, { encryption: keys }).recovered.entries).toHaveLength(9);
  const range = { offsetBytes: 0, lengthBytes: 5000 };
  const body = await read(openStore(copy, keys), metaAt(3), range);
  expect(body.equals(Buffer.from(bodyOf(1, 5000)))).toBe(true);
  const sealed = copy.contents(sealedPath);
  const opened = openSealedBytes(keys, { ...sealedFile, path: sealedPath }, sealed);
  expect(new TextDecoder().decode(opened)).toBe("user ann");
}

describe("wrapping data keys anew", () => {
  it("S40: makes an older node key unnecessary, and changes nothing but the key slots", async () => {
    const disk = await everything(atRestKeys);
    const { files } = atRestInventory(disk, places);
    expect(files.map((file) => file.kind)).toEqual(["log", "log", "log", "snapshot", "sealed"]);
    for (const file of files) {
      const before = disk.contents(file.path).slice();
      expect(rewrapFile(disk, file.path, keysOf(2))).toBe("rewrapped");
      expect(rewrapFile(disk, file.path, keysOf(2))).toBe("current");
      const now = disk.contents(file.path);
      const changed = [...now.keys()].filter((at) => now[at] !== before[at]);
      expect(Math.min(...changed)).toBeGreaterThanOrEqual(280);
      expect(Math.max(...changed)).toBeLessThan(424);
    }
    expect(atRestInventory(disk, places).nodeKeyIds).toEqual([2]);
    await checkReadable(disk, { ...keysOf(2), older: [] });
    expect(storageErrorOf(() => open(disk, { encryption: atRestKeys })).code).toBe("missingKey");
  });

  it("S40: a crash at any step leaves a file that opens, and the next call finishes", async () => {
    const whole = await everything(atRestKeys);
    const left: Set<string> = new Set();
    for (const path of [segmentPath(2), sealedPath]) {
      for (let seed = 0; seed < 30; seed += 1) {
        for (let steps = 0; steps < 4; steps += 1) {
          const disk = whole.copy();
          disk.stepsLeft = steps;
          expect(() => rewrapFile(disk, path, keysOf(2))).toThrow("STOPPED");
          disk.crash(new SeededRandom(seed));
          await checkReadable(disk, keysOf(2));
          left.add(rewrapFile(disk, path, keysOf(2)));
          await checkReadable(disk, keysOf(2));
          const file = atRestInventory(disk, places).files.find((each) => each.path === path);
          expect(file?.nodeKeyIds).toEqual([2]);
        }
      }
    }
    expect([...left].toSorted()).toEqual(["current", "rewrapped"]);
  });

  it("S40: may be done to the segment that is being written", async () => {
    const disk = new FaultFileSystem();
    const { log } = open(disk, { encryption: atRestKeys });
    const write = (index: number): void => {
      log.append({ hardState: null, entries: entries(index, 1, 1, 100) });
      log.sync();
    };
    write(1);
    expect(rewrapFile(disk, segmentPath(1), keysOf(2))).toBe("rewrapped");
    write(2);
    log.close();
    const only = { ...keysOf(2), older: [] };
    expect(open(disk, { encryption: only }).recovered.entries).toHaveLength(2);
  });

  it("S40: refuses what it has no key for, and says what is plain, unused or gone", async () => {
    const disk = await everything(atRestKeys);
    const before = disk.contents(segmentPath(1)).slice();
    const missing = { ...keysOf(2), older: [] };
    const error = storageErrorOf(() => rewrapFile(disk, segmentPath(1), missing));
    expect(error).toMatchObject({ code: "missingKey", file: segmentPath(1) });
    const other = keysOf(2, { nodeId: "another-node" });
    expect(storageErrorOf(() => rewrapFile(disk, segmentPath(1), other)).code).toBe("damaged");
    expect(Buffer.from(disk.contents(segmentPath(1))).equals(before)).toBe(true);
    expect(rewrapFile(disk, segmentPath(4), keysOf(2))).toBe("unused");
    expect(rewrapFile(disk, segmentPath(9), keysOf(2))).toBe("gone");
    const plain = await everything(null);
    expect(rewrapFile(plain, segmentPath(1), keysOf(2))).toBe("plain");
    expect(rewrapFile(plain, sealedPath, keysOf(2))).toBe("plain");
  });
});

describe("the inventory of what is encrypted", () => {
  it("S40: counts plain and encrypted files and names the node keys in use", async () => {
    const plain = atRestInventory(await everything(null), places);
    expect(plain.plain.files).toBe(5);
    expect(plain.encrypted).toEqual({ files: 0, bytes: 0 });
    expect(plain.nodeKeyIds).toEqual([]);
    const disk = await everything(atRestKeys);
    rewrapFile(disk, segmentPath(2), keysOf(2));
    const mixed = (await everything(null)).contents(segmentPath(1));
    disk.put(segmentPath(1), mixed);
    const { files, ...totals } = atRestInventory(disk, places);
    expect(totals.plain).toEqual({ files: 1, bytes: 4096 });
    expect(totals.encrypted.files).toBe(4);
    const sizes = files.slice(1).map((file) => disk.contents(file.path).length);
    expect(totals.encrypted.bytes).toBe(sizes.reduce((sum, each) => sum + each, 0));
    expect(totals.nodeKeyIds).toEqual([1, 2]);
    expect(files[1]).toEqual({
      path: segmentPath(2),
      kind: "log",
      sizeBytes: 4096,
      encrypted: true,
      nodeKeyIds: [2],
    });
  });

  it("S40: sees a snapshot that is being written, and finds nothing in an empty directory", async () => {
    const disk = new FaultFileSystem();
    const empty = atRestInventory(disk, places);
    expect(empty.files).toEqual([]);
    const opened = openStore(disk, atRestKeys);
    const sink = opened.create(metaAt(7));
    await new Promise<void>((resolve) => sink.write(bodyOf(1, 10), () => resolve()));
    const [file] = atRestInventory(disk, places).files;
    expect(file).toMatchObject({ kind: "snapshot", encrypted: true, nodeKeyIds: [1] });
    expect(rewrapFile(disk, file.path, keysOf(2))).toBe("rewrapped");
    await new Promise((resolve) => sink.commit(resolve));
    expect(openStore(disk, { ...keysOf(2), older: [] }).latest()?.index).toBe(7);
  });
});
