import { crc32 } from "node:zlib";
import { describe, expect, it } from "vitest";
import type { AtRestKeys } from "../../src/disk/at-rest-keys.ts";
import type { StorageError } from "../../src/disk/errors.ts";
import { FileSystemSnapshotStore } from "../../src/disk/file-snapshot-store.ts";
import type { SnapshotStoreOptions } from "../../src/disk/snapshot-loading.ts";
import { snapshotBlockBytes } from "../../src/disk/snapshot-format.ts";
import { FaultFileSystem } from "./fault-file-system.ts";
import { viewOf } from "./forging.ts";
import { atRestKeys, keysOf, storageErrorOf } from "./log-fixtures.ts";
import { bodyOf, metaAt, read, store } from "./snapshot-store-suite.ts";

const directory = "/data/snapshots";
const bodyBytes = 2 * snapshotBlockBytes + 1000;
const body = bodyOf(2, bodyBytes);

function openOn(
  disk: FaultFileSystem,
  options: Partial<SnapshotStoreOptions> = {},
): FileSystemSnapshotStore {
  return FileSystemSnapshotStore.open(disk, {
    directory,
    clusterId: "cluster",
    groupId: 0,
    encryption: atRestKeys,
    ...options,
    schedule: (run) => setImmediate(run),
  });
}

async function stored(
  encryption: AtRestKeys | null = atRestKeys,
): Promise<{ disk: FaultFileSystem; path: string }> {
  const disk = new FaultFileSystem();
  await store(openOn(disk, { encryption }), metaAt(20), body);
  return { disk, path: `${directory}/${disk.list(directory)[0]}` };
}

function refusal(
  disk: FaultFileSystem,
  path: string,
  options: Partial<SnapshotStoreOptions> = {},
): StorageError {
  const before = disk.contents(path).slice();
  const error = storageErrorOf(() => openOn(disk, options));
  expect(Buffer.from(disk.contents(path)).equals(before)).toBe(true);
  expect(error.file).toBe(path);
  return error;
}

/** Where the parts of an encrypted snapshot are. */
function partsOf(bytes: Uint8Array) {
  const bodyAt = 512 + viewOf(bytes).getUint32(16, true);
  const checksumsAt = bodyAt + bodyBytes;
  const tagsAt = checksumsAt + 3 * 4;
  const endTagAt = tagsAt + 3 * 16;
  return { bodyAt, checksumsAt, tagsAt, endTagAt, trailerAt: endTagAt + 16 };
}

/** Makes the checksums of header, blocks and trailer right: what needs no key. */
function restamp(bytes: Uint8Array): void {
  const view = viewOf(bytes);
  const { bodyAt, checksumsAt, trailerAt } = partsOf(bytes);
  const ranges = [bytes.subarray(0, 124), bytes.subarray(128, 280), bytes.subarray(424, bodyAt)];
  const header = ranges.reduce((sum, range) => crc32(range, sum), 0);
  view.setUint32(124, header, true);
  for (let block = 0; block < 3; block += 1) {
    const start = bodyAt + block * snapshotBlockBytes;
    const end = Math.min(start + snapshotBlockBytes, checksumsAt);
    view.setUint32(checksumsAt + block * 4, crc32(bytes.subarray(start, end)), true);
  }
  view.setUint32(trailerAt + 16, crc32(bytes.subarray(checksumsAt, trailerAt)), true);
  view.setUint32(trailerAt + 20, header, true);
  view.setUint32(trailerAt + 24, crc32(bytes.subarray(trailerAt, trailerAt + 24)), true);
}

describe("an encrypted snapshot that somebody changed", () => {
  it("the checksums made right here are those of the format", async () => {
    const { disk, path } = await stored();
    const bytes = disk.contents(path);
    const before = bytes.slice();
    restamp(bytes);
    expect(Buffer.from(bytes).equals(before)).toBe(true);
  });

  it("S40: is refused when two blocks changed places, with or without their tags", async () => {
    const { disk, path } = await stored();
    for (const withTags of [false, true]) {
      const copy = disk.copy();
      const bytes = copy.contents(path);
      const { bodyAt, tagsAt } = partsOf(bytes);
      const swap = (at: number, length: number): void => {
        const held = bytes.slice(at, at + length);
        bytes.copyWithin(at, at + length, at + 2 * length);
        bytes.set(held, at + length);
      };
      swap(bodyAt, snapshotBlockBytes);
      if (withTags) {
        swap(tagsAt, 16);
      }
      restamp(bytes);
      const error = refusal(copy, path);
      expect(error.code).toBe("damaged");
      expect(error.message).toContain("does not open with the key of its file");
    }
  });

  it("S40: is refused when its last block is cut off and the end made to fit", async () => {
    const { disk, path } = await stored();
    const bytes = disk.contents(path);
    const { bodyAt, checksumsAt, tagsAt, endTagAt, trailerAt } = partsOf(bytes);
    const shorter = new Uint8Array(
      Buffer.concat([
        bytes.subarray(0, bodyAt + 2 * snapshotBlockBytes),
        bytes.subarray(checksumsAt, checksumsAt + 8),
        bytes.subarray(tagsAt, tagsAt + 32),
        bytes.subarray(endTagAt, trailerAt + 32),
      ]),
    );
    const end = shorter.length - 32;
    const view = viewOf(shorter);
    view.setUint32(end + 8, 2 * snapshotBlockBytes, true);
    const table = shorter.subarray(bodyAt + 2 * snapshotBlockBytes, end);
    view.setUint32(end + 16, crc32(table), true);
    view.setUint32(end + 24, crc32(shorter.subarray(end, end + 24)), true);
    disk.put(path, shorter);
    const error = refusal(disk, path);
    expect(error.code).toBe("damaged");
    expect(error.message).toContain("The end of this snapshot does not open");
  });

  it("S40: is refused with a changed bit in every byte of its header, meta and end, and in its blocks", async () => {
    const { disk, path } = await stored();
    const length = disk.contents(path).length;
    const { bodyAt, checksumsAt, trailerAt } = partsOf(disk.contents(path));
    const free = (at: number): boolean =>
      // The other key slot, unused parts of the sector, and what `restamp` makes right again.
      (at >= 128 && at < 280) || (at >= 348 && at < 512) || (at >= 124 && at < 128);
    for (let at = 0; at < length; at += at < bodyAt || at >= checksumsAt ? 1 : 9_973) {
      const isStamp =
        (at >= checksumsAt && at < checksumsAt + 12) ||
        (at >= trailerAt + 16 && at < trailerAt + 28);
      if (free(at) || isStamp) {
        continue;
      }
      const copy = disk.copy();
      const bytes = copy.contents(path);
      bytes[at] ^= 0x10;
      if (at < 16 || at >= 20) {
        restamp(bytes);
      }
      const error = refusal(copy, path);
      expect(
        ["damaged", "unknownVersion", "foreignCluster", "foreignGroup"],
        `byte ${at}`,
      ).toContain(error.code);
    }
  });

  it("S40: is refused under another name, for another node and with another snapshot's parts", async () => {
    const { disk, path } = await stored();
    const renamed = disk.copy();
    const newer = path.replace("00020-", "00021-");
    renamed.put(newer, disk.contents(path));
    expect(refusal(renamed, newer).message).toContain("made for another node or for another file");
    const encryption = { ...atRestKeys, nodeId: "another-node" };
    expect(refusal(disk, path, { encryption }).message).toContain("made for another node");
    const other = await stored();
    const bytes = disk.contents(path);
    const { bodyAt, trailerAt } = partsOf(bytes);
    bytes.set(other.disk.contents(path).subarray(bodyAt, trailerAt), bodyAt);
    restamp(bytes);
    expect(refusal(disk, path).message).toContain("does not open with the key of its file");
  });

  it("S40: gives no byte of a block that was changed after the start", async () => {
    const { disk, path } = await stored();
    const opened = openOn(disk);
    const bytes = disk.contents(path);
    bytes[partsOf(bytes).bodyAt + snapshotBlockBytes + 5] ^= 1;
    const latest = opened.latest()!;
    const first = await read(opened, latest, { offsetBytes: 100, lengthBytes: 50 });
    expect(first.equals(Buffer.from(body.subarray(100, 150)))).toBe(true);
    const range = { offsetBytes: snapshotBlockBytes, lengthBytes: 1 };
    await expect(read(opened, latest, range)).rejects.toMatchObject({
      code: "damaged",
      file: path,
    });
  });
});

describe("an encrypted snapshot and the keys it is opened with", () => {
  it("S40: says what to do when there are no keys, the key is missing, or it is another one", async () => {
    const { disk, path } = await stored();
    expect(refusal(disk, path, { encryption: null }).code).toBe("encrypted");
    const missing = { ...keysOf(2), older: [] };
    expect(refusal(disk, path, { encryption: missing }).code).toBe("missingKey");
    const wrong = keysOf(1, { current: { id: 1, bytes: new Uint8Array(32) } });
    expect(refusal(disk, path, { encryption: wrong }).code).toBe("wrongKey");
    expect(openOn(disk).latest()?.index).toBe(20);
  });

  it("S40: is taken plain only while plain files are accepted", async () => {
    const { disk, path } = await stored(null);
    expect(refusal(disk, path).code).toBe("notEncrypted");
    const encryption = keysOf(1, { acceptsPlainFiles: true });
    const opened = openOn(disk, { encryption });
    await store(opened, metaAt(30), body);
    expect(opened.latest()?.index).toBe(30);
    const whole = await read(opened, metaAt(20), { offsetBytes: 0, lengthBytes: bodyBytes });
    expect(whole.equals(Buffer.from(body))).toBe(true);
    disk.discard(path);
    const strict = openOn(disk);
    const again = await read(strict, metaAt(30), { offsetBytes: 0, lengthBytes: bodyBytes });
    expect(again.equals(Buffer.from(body))).toBe(true);
  });

  it("S40: is read without an error while it is written anew, with another key, under its name", async () => {
    const { disk } = await stored(null);
    const opened = openOn(disk, { encryption: keysOf(1, { acceptsPlainFiles: true }) });
    const range = { offsetBytes: 300_000, lengthBytes: 100 };
    let reads = 0;
    for (let round = 0; round < 8; round += 1) {
      const state = { isWritten: false };
      const copy = store(opened, metaAt(20), body).then(() => (state.isWritten = true));
      while (!state.isWritten) {
        const bytes = await read(opened, metaAt(20), range);
        expect(bytes.equals(Buffer.from(body.subarray(300_000, 300_100)))).toBe(true);
        reads += 1;
        // Another step of the copy than the time before falls between the steps of the next read.
        for (let steps = 0; steps < reads % 3; steps += 1) {
          await new Promise((resolve) => setImmediate(resolve));
        }
      }
      await copy;
    }
    expect(reads).toBeGreaterThan(20);
    const again = openOn(disk);
    const whole = await read(again, metaAt(20), { offsetBytes: 0, lengthBytes: bodyBytes });
    expect(whole.equals(Buffer.from(body))).toBe(true);
  });

  it("S40: is made with the newest key after a rotation, and both are read", async () => {
    const { disk, path } = await stored();
    const opened = openOn(disk);
    opened.useKeys(keysOf(2));
    await store(opened, metaAt(30), body);
    for (const index of [20, 30]) {
      const bytes = await read(opened, metaAt(index), { offsetBytes: 7, lengthBytes: 9 });
      expect(bytes.equals(Buffer.from(body.subarray(7, 16)))).toBe(true);
    }
    expect(refusal(disk, path.replace("00020-", "00030-")).code).toBe("missingKey");
    expect(openOn(disk, { encryption: keysOf(2) }).latest()?.index).toBe(30);
    expect(() => opened.useKeys({ ...keysOf(2), older: [{ id: 1, bytes: body }] })).toThrow(
      "a node key has 32",
    );
  });
});
