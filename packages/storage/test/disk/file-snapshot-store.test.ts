import { mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { describe, expect, it } from "vitest";
import type { AtRestKeys } from "../../src/disk/at-rest-keys.ts";
import { StorageError } from "../../src/disk/errors.ts";
import { keySlotAt } from "../../src/disk/file-envelope.ts";
import { FileSnapshotStore, FileSystemSnapshotStore } from "../../src/disk/file-snapshot-store.ts";
import { encodeSnapshotMeta, snapshotMetaBytesMax } from "../../src/disk/snapshot-meta.ts";
import { FaultFileSystem } from "./fault-file-system.ts";
import { modes, storageErrorOf } from "./log-fixtures.ts";
import { SeededRandom } from "./seeded-random.ts";
import { bodyOf, commit, metaAt, read, snapshotStoreSuite, store } from "./snapshot-store-suite.ts";

const directory = "/data/snapshots";
const owner = { directory, clusterId: "cluster", groupId: 0 };

/** The second key slot in the first sector of a file. */
const freeKeySlot = { start: keySlotAt(1), end: keySlotAt(2) };

type StoreOptions = typeof owner & { readonly encryption?: AtRestKeys | null };

function openOn(disk: FaultFileSystem, options: StoreOptions = owner): FileSystemSnapshotStore {
  return FileSystemSnapshotStore.open(disk, { ...options, schedule: (run) => setImmediate(run) });
}

for (const { mode, encryption } of modes) {
  snapshotStoreSuite(`the snapshot store on the machine's disk, ${mode}`, () => {
    const home = mkdtempSync(`${tmpdir()}/ferrite-snapshots-`);
    return {
      open: () => FileSnapshotStore.open({ ...owner, encryption, directory: home }),
      files: () => readdirSync(home).toSorted(),
      remove: () => rmSync(home, { recursive: true }),
    };
  });

  snapshotStoreSuite(`the snapshot store on a file system with scheduled steps, ${mode}`, () => {
    const disk = new FaultFileSystem();
    return {
      open: async () => openOn(disk, { ...owner, encryption }),
      files: () => disk.list(directory),
      remove: () => undefined,
    };
  });
}

describe.each(modes)("on a $mode disk", ({ encryption }) => {
  const openOn = openerIn(encryption);

  /** A disk with two snapshots, the newer one of more than one block. */
  async function twoSnapshots(): Promise<{ disk: FaultFileSystem; newest: string }> {
    const disk = new FaultFileSystem();
    const opened = openOn(disk);
    await store(opened, metaAt(10), bodyOf(1, 500));
    await store(opened, metaAt(20), bodyOf(2, 300_000));
    return { disk, newest: `${directory}/${disk.list(directory).at(-1)!}` };
  }

  describe("a damaged snapshot", () => {
    it("R16: is never passed over, at whatever byte it was changed", async () => {
      const { disk, newest } = await twoSnapshots();
      const length = disk.contents(newest).length;
      for (let at = 0; at < length; at += at < 800 || at > length - 100 ? 1 : 9_973) {
        if (encryption !== null && at >= freeKeySlot.start && at < freeKeySlot.end) {
          // As a crash leaves it when it interrupts `rewrapFile`: the other slot is in force.
          continue;
        }
        const copy = disk.copy();
        const bytes = copy.contents(newest);
        bytes[at] = bytes[at] ^ 0x10;
        const error = storageErrorOf(() => openOn(copy));
        expect(["damaged", "unknownVersion", "foreignCluster"], `byte ${at}`).toContain(error.code);
        expect(error.file).toBe(newest);
        expect(copy.exists(newest)).toBe(true);
      }
    });

    it("R16: is never passed over, at whatever byte it ends", async () => {
      const { disk, newest } = await twoSnapshots();
      const whole = disk.contents(newest);
      for (
        let end = 0;
        end < whole.length;
        end += end < 400 || end > whole.length - 100 ? 1 : 4_999
      ) {
        const copy = disk.copy();
        copy.put(newest, whole.slice(0, end));
        const error = storageErrorOf(() => openOn(copy));
        expect(error.code, `cut at ${end}`).toBe("damaged");
        expect(error.file).toBe(newest);
      }
    });

    it("is noticed when it is read, too, before its bytes go anywhere", async () => {
      const { disk, newest } = await twoSnapshots();
      const opened = openOn(disk);
      const bytes = disk.contents(newest);
      bytes[270_000] = bytes[270_000] ^ 1;
      const latest = opened.latest()!;
      const start = await read(opened, latest, { offsetBytes: 0, lengthBytes: 200_000 });
      expect(start.equals(Buffer.from(bodyOf(2, 300_000).subarray(0, 200_000)))).toBe(true);
      await expect(
        read(opened, latest, { offsetBytes: 299_000, lengthBytes: 1000 }),
      ).rejects.toMatchObject({ code: "damaged", file: newest });
    });

    it("is refused when it belongs to another cluster, another group or another name", async () => {
      const { disk, newest } = await twoSnapshots();
      const code = (action: () => unknown): string => storageErrorOf(action).code;
      expect(code(() => openOn(disk, { ...owner, clusterId: "other" }))).toBe("foreignCluster");
      expect(code(() => openOn(disk, { ...owner, groupId: 9 }))).toBe("foreignGroup");
      disk.put(newest.replace("00020-", "00021-"), disk.contents(newest));
      expect(code(() => openOn(disk))).toBe("damaged");
    });
  });

  describe("a crash while a snapshot is taken", () => {
    it("R16: leaves the old snapshot or the whole new one, at every step", async () => {
      const outcomes: Set<number> = new Set();
      for (let seed = 0; seed < 20; seed += 1) {
        for (let steps = 0; steps < 14; steps += 1) {
          const disk = new FaultFileSystem();
          const opened = openOn(disk);
          await store(opened, metaAt(10), bodyOf(1, 500));
          disk.stepsLeft = steps;
          const sink = opened.create(metaAt(20));
          sink.write(bodyOf(2, 3000), () => undefined);
          sink.write(bodyOf(3, 3000), () => undefined);
          const failed = (await commit(sink)) !== null;
          disk.crash(new SeededRandom(seed));
          const again = openOn(disk);
          const latest = again.latest()!;
          outcomes.add(latest.index);
          expect(failed || latest.index === 20).toBe(true);
          const whole = await read(again, latest, { offsetBytes: 0, lengthBytes: 10_000 });
          const expected =
            latest.index === 10 ? [bodyOf(1, 500)] : [bodyOf(2, 3000), bodyOf(3, 3000)];
          expect(whole.equals(Buffer.concat(expected))).toBe(true);
          expect(disk.list(directory).filter((file) => file.endsWith(".tmp"))).toEqual([]);
        }
      }
      expect([...outcomes].toSorted((a, b) => a - b)).toEqual([10, 20]);
    });

    it("R16: keeps what a restart has found, when only the process had crashed and power is lost later", async () => {
      for (let seed = 0; seed < 20; seed += 1) {
        for (let steps = 0; steps < 14; steps += 1) {
          const disk = new FaultFileSystem();
          const opened = openOn(disk);
          await store(opened, metaAt(10), bodyOf(1, 500));
          disk.stepsLeft = steps;
          const sink = opened.create(metaAt(20));
          sink.write(bodyOf(2, 3000), () => undefined);
          await commit(sink);
          disk.stepsLeft = null;
          const found = openOn(disk).latest();
          disk.crash(new SeededRandom(seed));
          expect(openOn(disk).latest(), `seed ${seed}, ${steps} steps`).toEqual(found);
        }
      }
    });

    it("reports a full disk to the writer and keeps the old snapshot", async () => {
      const disk = new FaultFileSystem();
      const opened = openOn(disk);
      await store(opened, metaAt(10), bodyOf(1, 500));
      disk.capacityBytes = disk.usedBytes() + 2000;
      const sink = opened.create(metaAt(20));
      const errors: (Error | null)[] = [];
      sink.write(bodyOf(2, 1000), (error) => errors.push(error));
      sink.write(bodyOf(3, 9000), (error) => errors.push(error));
      expect(await commit(sink)).toMatchObject({ code: "ENOSPC" });
      expect(errors[0]).toBeNull();
      expect(errors[1]).toMatchObject({ code: "ENOSPC" });
      expect(opened.latest()?.index).toBe(10);
      expect(disk.list(directory)).toHaveLength(1);
    });

    it("reports a failed sync and does not count the snapshot", async () => {
      const disk = new FaultFileSystem();
      const opened = openOn(disk);
      disk.failSyncs = true;
      expect(await commit(opened.create(metaAt(20)))).toMatchObject({ code: "EIO" });
      expect(opened.latest()).toBeNull();
    });
  });
});

function openerIn(encryption: AtRestKeys | null): typeof openOn {
  return (disk, options) => openOn(disk, { ...owner, encryption, ...options });
}

describe("the snapshot store's limits", () => {
  it("refuses a description that is too long", () => {
    const meta = metaAt(1);
    const configuration = {
      ...meta.configuration,
      voters: Array.from({ length: 2000 }, (_, i) => `node-${i}-`.padEnd(36, "x")),
    };
    const error = storageErrorOf(() => encodeSnapshotMeta({ ...meta, configuration }));
    expect(error.code).toBe("limitExceeded");
    expect(error.message).toContain(String(snapshotMetaBytesMax));
  });

  it("does not write through a symbolic link that waits under the temporary name", async () => {
    const home = mkdtempSync(`${tmpdir()}/ferrite-snapshots-`);
    try {
      const opened = await FileSnapshotStore.open({ ...owner, directory: `${home}/snapshots` });
      const victim = `${home}/victim`;
      writeFileSync(victim, "untouched");
      const name = "snapshot-00000000000000000007-00000000000000000003";
      symlinkSync(victim, `${home}/snapshots/${name}.1.tmp`);
      expect(await commit(opened.create(metaAt(7)))).toMatchObject({ code: "EEXIST" });
      expect(readFileSync(victim, "utf8")).toBe("untouched");
      await store(opened, metaAt(8), bodyOf(1, 10));
      const file = readdirSync(`${home}/snapshots`).find((each) => each.includes("00008-"))!;
      expect(statSync(`${home}/snapshots/${file}`).mode & 0o777).toBe(0o600);
    } finally {
      rmSync(home, { recursive: true });
    }
  });

  it("names a snapshot that can not be read at all", () => {
    const disk = new FaultFileSystem();
    const path = `${directory}/snapshot-00000000000000000007-00000000000000000003`;
    disk.put(path, new Uint8Array(0));
    expect(() => openOn(disk)).toThrow(StorageError);
    expect(storageErrorOf(() => openOn(disk)).message).toContain(path);
  });
});
