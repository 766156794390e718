import { isDeepStrictEqual } from "node:util";
import { describe, expect, it } from "vitest";
import type { AtRestKeys } from "../../src/disk/at-rest-keys.ts";
import type { StorageError } from "../../src/disk/errors.ts";
import { keySlotAt } from "../../src/disk/file-envelope.ts";
import { FaultFileSystem } from "./fault-file-system.ts";
import { recordsOf, restampRecord, restampSegment, restampSlot, viewOf } from "./forging.ts";
import {
  atRestKeys,
  directory,
  entries,
  hardState,
  keysOf,
  open,
  openerOf,
  plain,
  segmentPath,
  storageErrorOf,
} from "./log-fixtures.ts";

const openEncrypted = openerOf(atRestKeys);

/** Each record has a vote and one entry of the same size; four records fill a segment. */
function writtenLog(count = 10, encryption: AtRestKeys | null = atRestKeys): FaultFileSystem {
  const disk = new FaultFileSystem();
  const { log } = open(disk, { encryption });
  for (let index = 1; index <= count; index += 1) {
    log.append({ hardState: hardState(index), entries: entries(index, 1, index, 600) });
    log.sync();
  }
  log.close();
  return disk;
}

function contentsOf(disk: FaultFileSystem): Map<string, Buffer> {
  return new Map(
    disk.list(directory).map((name) => [name, Buffer.from(disk.contents(`${directory}/${name}`))]),
  );
}

/** The error of opening; fails when a byte of the disk was changed on the way. */
function refusal(disk: FaultFileSystem, encryption: AtRestKeys | null = atRestKeys): StorageError {
  const before = contentsOf(disk);
  const error = storageErrorOf(() => open(disk, { encryption }));
  expect(isDeepStrictEqual(contentsOf(disk), before)).toBe(true);
  return error;
}

/** What opening a log gives after `change`, which somebody made to segment 1. */
function afterChange(disk: FaultFileSystem, change: (segment: Uint8Array) => void): StorageError {
  const copy = disk.copy();
  change(copy.contents(segmentPath(1)));
  return refusal(copy);
}

describe("an encrypted log that somebody changed", () => {
  it("S40: names the first of two segments that changed places, also when names and numbers were made to fit", () => {
    const disk = writtenLog();
    const [one, two] = [1, 2].map((number) => disk.contents(segmentPath(number)).slice());
    const renamed = disk.copy();
    renamed.put(segmentPath(1), two);
    renamed.put(segmentPath(2), one);
    expect(refusal(renamed)).toMatchObject({ code: "damaged", file: segmentPath(1) });
    const forged = disk.copy();
    forged.put(segmentPath(1), two);
    const bytes = forged.contents(segmentPath(1));
    viewOf(bytes).setUint32(16, 1, true);
    restampSegment(bytes);
    const error = refusal(forged);
    expect(error).toMatchObject({ code: "damaged", file: segmentPath(1) });
    expect(error.message).toContain("made for another node or for another file");
  });

  it("S40: names the first of two records that changed places, also when headers and checksums were made to fit", () => {
    const disk = writtenLog();
    const [first, second, third] = recordsOf(disk.contents(segmentPath(1)));
    const extent = second - first;
    expect(third - second).toBe(extent);
    const swap = (segment: Uint8Array, from: number, length: number): void => {
      const held = segment.slice(first + from, first + from + length);
      segment.copyWithin(first + from, second + from, second + from + length);
      segment.set(held, second + from);
    };
    const whole = afterChange(disk, (segment) => swap(segment, 0, extent));
    expect(whole).toMatchObject({ code: "damaged", offsetBytes: first });
    // The bodies alone, and with them what the nonce is made of, under headers that fit their places.
    for (const from of [64, 48]) {
      const error = afterChange(disk, (segment) => {
        swap(segment, from, 56 - from);
        swap(segment, 64, extent - 64);
        restampRecord(segment, first);
      });
      expect(error).toMatchObject({ code: "damaged", offsetBytes: first });
      expect(error.message).toContain("somebody changed it or put it there");
    }
  });

  it("S40: takes no older vote in the place of a newer one", () => {
    const disk = writtenLog();
    const [first, , third] = recordsOf(disk.contents(segmentPath(1)));
    const error = afterChange(disk, (segment) => {
      const bodyBytes = viewOf(segment).getUint32(first + 28, true);
      segment.copyWithin(third + 64, first + 64, first + 64 + bodyBytes);
      segment.copyWithin(third + 48, first + 48, first + 56);
      restampRecord(segment, third);
    });
    expect(error).toMatchObject({ code: "damaged", offsetBytes: third });
    expect(error.message).toContain("Log record 3 does not open");
  });

  it("S40: refuses a changed bit in every byte of a record, with right checksums", () => {
    const disk = writtenLog(2);
    const [first, second] = recordsOf(disk.contents(segmentPath(1)));
    const bodyEnd = first + 64 + viewOf(disk.contents(segmentPath(1))).getUint32(first + 28, true);
    for (let at = first; at < bodyEnd; at += 1) {
      // Magic, checksums and end mark say nothing; a wrong one is a broken record, not a forged one.
      const offset = at - first;
      const isFrame = offset < 4 || (offset >= 40 && offset < 44) || (offset >= 56 && offset < 64);
      if (!isFrame) {
        const error = afterChange(disk, (segment) => {
          segment[at] ^= 0x04;
          if (offset < 28 || offset >= 32) {
            restampRecord(segment, first);
          }
        });
        expect(["damaged", "unknownVersion"], `byte ${offset}`).toContain(error.code);
        expect(error.file).toBe(segmentPath(1));
      }
    }
    expect(second).toBeGreaterThan(bodyEnd);
  });

  it("S40: refuses a changed bit in every byte of a segment's header, with a right checksum", () => {
    const disk = writtenLog(2);
    for (let at = 0; at < 504; at += 1) {
      if (at >= 440 || (at >= 274 && at < 280)) {
        // Nothing is read from there.
        continue;
      }
      const isFreeSlot = at >= keySlotAt(1) && at < keySlotAt(2);
      const copy = disk.copy();
      const segment = copy.contents(segmentPath(1));
      segment[at] ^= 0x01;
      restampSegment(segment);
      if (at >= keySlotAt(0) && at < keySlotAt(1)) {
        restampSlot(segment, keySlotAt(0));
      }
      if (isFreeSlot || (at >= keySlotAt(0) + 68 && at < keySlotAt(1))) {
        // A checksum of a slot that is right again; a free slot that a crash left half written.
        expect(openEncrypted(copy).recovered.entries).toHaveLength(2);
        continue;
      }
      const hardStateEnd = 128 + viewOf(segment).getUint16(62, true);
      if (at >= hardStateEnd && at < 274) {
        expect(openEncrypted(copy).recovered.entries).toHaveLength(2);
        continue;
      }
      const error = refusal(copy);
      expect(error.file, `byte ${at}: ${error.message}`).toBe(segmentPath(1));
    }
  });

  it("S40: reports a flipped bit in every byte of a small segment, or it harms nothing", () => {
    const disk = new FaultFileSystem();
    const { log } = openEncrypted(disk);
    log.append({ hardState: hardState(3), entries: entries(1, 2, 3, 100) });
    log.sync();
    log.append({ hardState: null, entries: entries(3, 1, 3, 700) });
    log.sync();
    log.close();
    const whole = plain(openEncrypted(disk.copy()).recovered.entries);
    let reported = 0;
    for (let at = 0; at < disk.contents(segmentPath(1)).length; at += 1) {
      const copy = disk.copy();
      const bytes = copy.contents(segmentPath(1));
      bytes[at] ^= 1 << (at % 8);
      const before = contentsOf(copy);
      let found: unknown = null;
      try {
        found = plain(openEncrypted(copy).recovered.entries);
      } catch (error) {
        expect(error).toMatchObject({ name: "StorageError", file: segmentPath(1) });
        expect(isDeepStrictEqual(contentsOf(copy), before)).toBe(true);
        reported += 1;
      }
      expect(found === null || isDeepStrictEqual(found, whole), `byte ${at}`).toBe(true);
    }
    expect(reported).toBeGreaterThan(1300);
  });

  it("S40: refuses an old copy of a segment that was put back over the newer one", () => {
    const disk = new FaultFileSystem();
    const { log } = openEncrypted(disk);
    const copies: { number: number; bytes: Uint8Array }[] = [];
    for (let index = 1; index <= 12; index += 1) {
      log.append({ hardState: hardState(index), entries: entries(index, 1, 1, 600) });
      log.sync();
      const number = log.segmentCount;
      copies.push({ number, bytes: disk.contents(segmentPath(number)).slice() });
    }
    log.close();
    const last = copies.at(-1)!.number;
    let refused = 0;
    for (const { number, bytes } of copies) {
      const sealed = disk.contents(segmentPath(number));
      if (number < last && recordsOf(bytes).length < recordsOf(sealed).length - 1) {
        const copy = disk.copy();
        copy.put(segmentPath(number), bytes);
        expect(refusal(copy)).toMatchObject({ code: "damaged", file: segmentPath(number) });
        refused += 1;
      }
    }
    expect(refused).toBeGreaterThan(2);
  });

  it("S40: refuses a segment of another history of the same node under the same number", () => {
    const disk = writtenLog();
    const other = writtenLog();
    disk.put(segmentPath(2), other.contents(segmentPath(2)));
    const error = refusal(disk);
    expect(error).toMatchObject({ code: "damaged", file: segmentPath(2) });
  });

  it("S40: refuses an encrypted record in a plain segment and a plain record in an encrypted one", () => {
    const both = keysOf(1, { acceptsPlainFiles: true });
    for (const encryption of [null, both]) {
      const disk = writtenLog(2, encryption);
      const [first] = recordsOf(disk.contents(segmentPath(1)));
      const segment = disk.contents(segmentPath(1));
      segment[first + 5] ^= 2;
      restampRecord(segment, first);
      const error = refusal(disk, both);
      expect(error).toMatchObject({ code: "damaged", offsetBytes: first });
      expect(error.message).toContain("stands in");
    }
  });
});

describe("an encrypted log and the keys it is opened with", () => {
  it("S40: does not open for another node or another cluster with the same keys", () => {
    const disk = writtenLog();
    const foreign = refusal(disk, { ...atRestKeys, nodeId: "another-node" });
    expect(foreign).toMatchObject({ code: "damaged", file: segmentPath(1) });
    expect(foreign.message).toContain("made for another node");
    const options = { encryption: atRestKeys, clusterId: "another-cluster" };
    expect(storageErrorOf(() => open(disk, options)).code).toBe("foreignCluster");
    const segment = disk.contents(segmentPath(1));
    const clusterId = new TextEncoder().encode("another-cluster");
    segment.fill(0, 64, 128);
    segment.set(clusterId, 64);
    viewOf(segment).setUint16(60, clusterId.length, true);
    restampSegment(segment);
    expect(storageErrorOf(() => open(disk, options)).message).toContain("made for another node");
  });

  it("S40: says what to do when there are no keys, the key is missing, or it is another one", () => {
    const disk = writtenLog();
    const cases = [
      { keys: null, code: "encrypted", text: "started without encryption at rest" },
      { keys: { ...keysOf(2), older: [] }, code: "missingKey", text: "it has 2" },
      {
        keys: keysOf(1, { current: { id: 1, bytes: new Uint8Array(32).fill(99) } }),
        code: "wrongKey",
        text: "is another one",
      },
    ];
    for (const { keys, code, text } of cases) {
      const error = refusal(disk, keys);
      expect(error).toMatchObject({ code, file: segmentPath(1) });
      expect(error.message).toContain(text);
      expect(error.message).toContain("nothing was changed");
      expect(error.message).toContain("node key 1");
    }
    expect(openEncrypted(disk).recovered.entries).toHaveLength(10);
  });

  it("S40: refuses a key of another length and an id that can not be stored", () => {
    const code = (keys: AtRestKeys): string =>
      storageErrorOf(() => open(new FaultFileSystem(), { encryption: keys })).code;
    const bytes = new Uint8Array(32);
    expect(code({ ...atRestKeys, current: { id: 1, bytes: new Uint8Array(31) } })).toBe(
      "limitExceeded",
    );
    expect(code({ ...atRestKeys, current: { id: 2 ** 32, bytes } })).toBe("limitExceeded");
    expect(code({ ...atRestKeys, older: [{ id: 0, bytes }] })).toBe("limitExceeded");
    const longest = { ...atRestKeys, current: { id: 2 ** 32 - 1, bytes } };
    expect(open(new FaultFileSystem(), { encryption: longest }).recovered.entries).toEqual([]);
  });

  it("S40: refuses a plain segment when only encrypted ones are accepted", () => {
    const error = refusal(writtenLog(10, null));
    expect(error).toMatchObject({ code: "notEncrypted", file: segmentPath(1) });
    expect(error.message).toContain("Nothing was changed");
    const mixed = writtenLog();
    mixed.put(segmentPath(1), writtenLog(10, null).contents(segmentPath(1)));
    expect(refusal(mixed).code).toBe("notEncrypted");
  });

  it("S40: goes on encrypted behind plain segments while those are accepted", () => {
    const disk = writtenLog(6, null);
    const before = contentsOf(disk);
    const keys = keysOf(1, { acceptsPlainFiles: true });
    const { log, recovered } = open(disk, { encryption: keys });
    expect(recovered.entries).toHaveLength(6);
    const segments = log.segmentCount;
    log.append({ hardState: hardState(7), entries: entries(7, 1, 7, 600) });
    log.sync();
    expect(log.segmentCount).toBe(segments + 1);
    log.close();
    // The plain segments got a seal and nothing else.
    for (const [name, bytes] of before) {
      const now = disk.contents(`${directory}/${name}`);
      const content = bytes.findLastIndex((byte) => byte !== 0) + 1;
      expect(Buffer.from(now.subarray(0, content)).equals(bytes.subarray(0, content))).toBe(true);
    }
    const again = open(disk, { encryption: keys });
    expect(again.recovered.entries).toHaveLength(7);
    expect(again.recovered.hardState).toEqual(hardState(7));
    again.log.compact(6);
    again.log.close();
    const after = { index: 6, term: 6 };
    const strict = open(disk, { encryption: atRestKeys, after });
    expect(plain(strict.recovered.entries)).toEqual(plain(entries(7, 1, 7, 600)));
  });

  it("S40: writes no plain record, also when there is no room for the first encrypted segment", () => {
    const disk = writtenLog(1, null);
    const { log } = open(disk, { encryption: keysOf(1, { acceptsPlainFiles: true }) });
    const before = contentsOf(disk);
    disk.capacityBytes = disk.usedBytes();
    log.append({ hardState: null, entries: entries(2, 1) });
    expect(storageErrorOf(() => log.sync()).code).toBe("noSpace");
    const segment = disk.contents(segmentPath(1));
    expect(Buffer.from(segment).equals(before.get("00000000000000000001.log")!)).toBe(true);
    disk.capacityBytes = Infinity;
    log.sync();
    expect(log.segmentCount).toBe(2);
  });
});

describe("the keys of a log that is being written", () => {
  it("S40: makes the next segment with the new node key, and reads all of them with both", () => {
    const disk = new FaultFileSystem();
    const { log } = openEncrypted(disk);
    const write = (index: number): void => {
      log.append({ hardState: null, entries: entries(index, 1, 1, 100) });
      log.sync();
    };
    write(1);
    log.useKeys(keysOf(2));
    write(2);
    expect(log.segmentCount).toBe(1);
    log.roll();
    expect(log.isRolling).toBe(true);
    while (log.prepare()) {
      write(log.lastIndex + 1);
    }
    expect(log.isRolling).toBe(false);
    expect(log.segmentCount).toBe(2);
    write(log.lastIndex + 1);
    const written = log.lastIndex;
    log.close();
    expect(refusal(disk)).toMatchObject({ code: "missingKey", file: segmentPath(2) });
    expect(refusal(disk, { ...keysOf(2), older: [] })).toMatchObject({
      code: "missingKey",
      file: segmentPath(1),
    });
    expect(open(disk, { encryption: keysOf(2) }).recovered.entries).toHaveLength(written);
  });

  it("rolls without any write, also twice and without keys, and leaves empty segments that are read", () => {
    for (const encryption of [null, atRestKeys]) {
      const disk = new FaultFileSystem();
      const { log } = open(disk, { encryption });
      for (let count = 2; count <= 3; count += 1) {
        log.roll();
        log.prepare();
        expect(log.segmentCount).toBe(count);
      }
      log.append({ hardState: hardState(1), entries: entries(1, 1) });
      log.sync();
      log.close();
      const again = open(disk, { encryption });
      expect(again.recovered.entries).toHaveLength(1);
      expect(again.log.segmentCount).toBe(3);
    }
  });
});
