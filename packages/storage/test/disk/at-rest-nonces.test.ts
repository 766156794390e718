import { describe, expect, it } from "vitest";
import type { FileHandle, FileSystem } from "../../src/disk/file-system.ts";
import { keySlotAt } from "../../src/disk/file-envelope.ts";
import { FaultFileSystem } from "./fault-file-system.ts";
import { atRestKeys, entries, hardState, open, segmentPath } from "./log-fixtures.ts";
import { SeededRandom } from "./seeded-random.ts";

/** Notes every encrypted record on its way to the disk, whether it arrives or not. */
class NonceWatch implements FileSystem {
  readonly #disk: FaultFileSystem;
  /** Data key (by its wrapping) and nonce; the bytes under it. */
  readonly seen: Map<string, string> = new Map();
  readonly reused: string[] = [];
  records = 0;

  constructor(disk: FaultFileSystem) {
    this.#disk = disk;
  }

  open(path: string, mode: "create" | "read" | "readWrite"): FileHandle {
    const handle = this.#disk.open(path, mode);
    return {
      ...handle,
      write: (bytes, position) => {
        this.#note(path, bytes, position);
        handle.write(bytes, position);
      },
    };
  }

  #note(path: string, bytes: Uint8Array, position: number): void {
    const isRecord = position >= 512 && bytes.length >= 64 && (bytes[5] & 2) !== 0;
    if (!isRecord) {
      return;
    }
    this.records += 1;
    const wrapped = this.#disk.contents(path).subarray(keySlotAt(0), keySlotAt(1));
    const nonce = [bytes.subarray(48, 56), bytes.subarray(8, 12)];
    const id = [wrapped, ...nonce].map((part) => Buffer.from(part).toString("hex")).join(" ");
    const message = Buffer.from(bytes).toString("hex");
    const before = this.seen.get(id);
    if (before !== undefined && before !== message) {
      this.reused.push(id);
    }
    this.seen.set(id, message);
  }

  exists = (path: string): boolean => this.#disk.exists(path);
  list = (directory: string): string[] => this.#disk.list(directory);
  makeDirectory = (directory: string): void => this.#disk.makeDirectory(directory);
  rename = (from: string, to: string): void => this.#disk.rename(from, to);
  remove = (path: string): void => this.#disk.remove(path);
  syncDirectory = (directory: string): void => this.#disk.syncDirectory(directory);
}

/** A second record that a crash cuts off, or not, and another one in its place or behind it. */
function rewriteAfterCrash(seed: number, randomBytes: (count: number) => Uint8Array) {
  const disk = new FaultFileSystem();
  const watch = new NonceWatch(disk);
  const options = { encryption: atRestKeys, randomBytes, segmentBytes: 8192 };
  const { log } = open(watch, options);
  log.append({ hardState: hardState(1), entries: entries(1, 1, 1, 300) });
  log.sync();
  // It is written and never synced; the machine loses some of it.
  disk.stepsLeft = 1;
  log.append({ hardState: hardState(2), entries: entries(2, 1, 1, 1500) });
  expect(() => log.sync()).toThrow("can not be written any more");
  disk.crash(new SeededRandom(seed));
  const again = open(watch, options);
  again.log.append({ hardState: hardState(9), entries: entries(2, 1, 9, 1500) });
  again.log.sync();
  again.log.close();
  expect(open(disk, options).recovered.entries.at(-1)?.term).toBe(9);
  return { watch, isCut: again.recovered.entries.length === 1 };
}

describe("nonces of log records", () => {
  it("S40: none is used twice, also when a cut-off record's place is written again under its sequence", () => {
    const random = new SeededRandom(7);
    let cut = 0;
    for (let seed = 0; seed < 60; seed += 1) {
      const { watch, isCut } = rewriteAfterCrash(seed, (count) => random.bytes(count));
      cut += isCut ? 1 : 0;
      expect(watch.records).toBe(3);
      expect(watch.seen.size).toBe(3);
      expect(watch.reused).toEqual([]);
    }
    expect(cut).toBeGreaterThan(10);
  });

  it("canary: a nonce that is used twice is found", () => {
    const reused = Array.from({ length: 20 }, (_, seed) => {
      const { watch, isCut } = rewriteAfterCrash(seed, (count) => new Uint8Array(count).fill(5));
      expect(watch.reused.length).toBe(isCut ? 1 : 0);
      return watch.reused.length;
    });
    expect(reused).toContain(1);
  });

  it("S40: the simulator's random numbers give the same bytes each time, others different ones", () => {
    const contents = (seed: number): string => {
      const random = new SeededRandom(seed);
      const disk = new FaultFileSystem();
      const { log } = open(disk, {
        encryption: atRestKeys,
        randomBytes: (count) => random.bytes(count),
      });
      log.append({ hardState: hardState(1), entries: entries(1, 3) });
      log.sync();
      log.close();
      return Buffer.from(disk.contents(segmentPath(1))).toString("hex");
    };
    expect(contents(1)).toBe(contents(1));
    expect(contents(1)).not.toBe(contents(2));
  });
});
