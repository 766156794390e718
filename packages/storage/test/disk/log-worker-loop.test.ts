import { describe, expect, it } from "vitest";
import type { AtRestKeys } from "../../src/disk/at-rest-keys.ts";
import { LogRing, MessageKind } from "../../src/disk/log-ring.ts";
import { LogWorkerLoop } from "../../src/disk/log-worker-loop.ts";
import { prepareWrite, putWrite } from "../../src/disk/write-codec.ts";
import { FaultFileSystem } from "./fault-file-system.ts";
import {
  entries,
  hardState,
  keysOf,
  open,
  plain,
  segmentPath,
  storageErrorOf,
} from "./log-fixtures.ts";

/** The worker's loop on this thread: what it shall do is in the ring before it runs. */
class Bench {
  readonly disk: FaultFileSystem = new FaultFileSystem();
  readonly ring: LogRing = LogRing.create(65_536);
  readonly told: string[] = [];
  readonly keys: AtRestKeys[] = [];
  onSpace: (full: boolean) => void = () => undefined;
  readonly #loop: LogWorkerLoop;

  constructor() {
    this.#loop = new LogWorkerLoop(open(this.disk).log, this.ring, {
      done: () => this.told.push(`done ${this.ring.takeDone()}`),
      space: (full) => {
        this.told.push(full ? "full" : "room");
        this.onSpace(full);
      },
      takeLargeWrite: () => {
        throw new Error("no large write was given");
      },
      takeKeys: () => this.keys.shift()!,
      rolled: (count) => this.told.push(`rolled ${count}`),
      nowMs: () => performance.now(),
    });
  }

  write(index: number, sizeBytes: number): void {
    const prepared = prepareWrite({
      hardState: hardState(index),
      entries: entries(index, 1, 1, sizeBytes),
    });
    const at = this.ring.claim(MessageKind.write, prepared.sizeBytes);
    putWrite(prepared, this.ring.bytes, at);
    this.ring.publish(prepared.sizeBytes);
  }

  useKeys(keys: AtRestKeys): void {
    this.keys.push(keys);
    this.#order(MessageKind.useKeys);
  }

  roll(): void {
    this.#order(MessageKind.roll);
  }

  close(): void {
    this.#order(MessageKind.close);
  }

  #order(kind: MessageKind): void {
    this.ring.claim(kind, 0);
    this.ring.publish(0);
  }

  run(): void {
    this.#loop.run();
  }
}

describe("the loop of the log's worker thread", () => {
  it("makes everything that waits durable together", () => {
    const bench = new Bench();
    for (let index = 1; index <= 20; index += 1) {
      bench.write(index, 1);
    }
    bench.close();
    const before = bench.disk.fileSyncs;
    bench.run();
    expect(bench.disk.fileSyncs - before).toBe(1);
    expect(bench.told).toEqual(["done 21"]);
    expect(open(bench.disk).recovered.entries).toHaveLength(20);
  });

  it("O19: tells once that the disk is full, tries again by itself, and loses nothing", () => {
    const bench = new Bench();
    bench.disk.capacityBytes = bench.disk.usedBytes();
    bench.onSpace = (full) => {
      if (full) {
        bench.disk.capacityBytes = Infinity;
      }
    };
    for (let index = 1; index <= 20; index += 1) {
      bench.write(index, 900);
    }
    bench.close();
    bench.run();
    expect(bench.told).toEqual(["full", "done 21", "room"]);
    const { recovered } = open(bench.disk);
    expect(plain(recovered.entries)).toEqual(plain(entries(1, 20, 1, 900)));
    expect(recovered.hardState).toEqual(hardState(20));
  });

  it("finds the room that compaction makes while writes wait", () => {
    const bench = new Bench();
    for (let index = 1; index <= 12; index += 1) {
      bench.write(index, 900);
    }
    bench.onSpace = (full) => {
      if (full) {
        bench.ring.requestCompaction(6);
      }
    };
    bench.disk.capacityBytes = bench.disk.usedBytes() + 2 * 4096;
    bench.close();
    bench.run();
    expect(bench.told).toEqual(["full", "done 13", "room"]);
    expect(bench.disk.exists(segmentPath(1))).toBe(false);
    const after = { index: 6, term: 1 };
    expect(open(bench.disk, { after }).recovered.entries).toHaveLength(6);
  });

  it("closes on a full disk without acknowledging what has no room", () => {
    const bench = new Bench();
    bench.disk.capacityBytes = bench.disk.usedBytes();
    for (let index = 1; index <= 20; index += 1) {
      bench.write(index, 900);
    }
    bench.close();
    bench.ring.requestClose();
    bench.run();
    expect(bench.told).toEqual(["full"]);
  });

  it("S40: rolls while no write comes, and tells it; on a full disk it waits for room as writes do", () => {
    const bench = new Bench();
    bench.disk.capacityBytes = bench.disk.usedBytes();
    bench.onSpace = (full) => {
      if (full) {
        bench.disk.capacityBytes = Infinity;
      } else {
        bench.useKeys(keysOf(2));
        bench.roll();
        bench.close();
      }
    };
    bench.useKeys(keysOf(1, { acceptsPlainFiles: true }));
    bench.roll();
    bench.run();
    expect(bench.told).toEqual(["done 2", "full", "rolled 1", "room", "done 5", "rolled 2"]);
    const header = bench.disk.contents(segmentPath(3));
    expect(header[280]).toBe(2);
    expect(bench.disk.contents(segmentPath(2))[280]).toBe(1);
  });

  it("R50: ends with the error when a sync fails", () => {
    const bench = new Bench();
    bench.write(1, 20);
    bench.close();
    bench.disk.failSyncs = true;
    const error = storageErrorOf(() => bench.run());
    expect(error.code).toBe("deviceFailed");
    expect(bench.told).toEqual([]);
  });
});

describe("the ring to the log's worker thread", () => {
  it("keeps messages whole and in order over its end and over the end of its counters", () => {
    const ring = LogRing.create(65_536);
    const payloadBytes = 15_001;
    let put = 0;
    let taken = 0;
    let wrong = 0;
    // More than 2^32 bytes go through: the 32-bit positions wrap.
    while (taken * payloadBytes < 2 ** 32 + 1_000_000) {
      let at = ring.claim(MessageKind.write, payloadBytes);
      while (at !== -1) {
        ring.bytes[at] = put % 251;
        ring.bytes[at + payloadBytes - 1] = put % 241;
        ring.publish(payloadBytes);
        put += 1;
        at = ring.claim(MessageKind.write, payloadBytes);
      }
      const { kind, payload } = ring.peek()!;
      const fits =
        kind === MessageKind.write &&
        payload.length === payloadBytes &&
        payload[0] === taken % 251 &&
        payload[payloadBytes - 1] === taken % 241;
      wrong += fits ? 0 : 1;
      ring.release(payloadBytes);
      taken += 1;
    }
    expect(wrong).toBe(0);
    expect(put - taken).toBeGreaterThanOrEqual(2);
  });

  it("is full when a message does not fit, and empty when all were taken", () => {
    const ring = LogRing.create(4096);
    expect(ring.isEmpty()).toBe(true);
    expect(ring.claim(MessageKind.write, ring.payloadBytesMax)).not.toBe(-1);
    ring.publish(ring.payloadBytesMax);
    expect(ring.isEmpty()).toBe(false);
    expect(ring.claim(MessageKind.write, 4000)).toBe(-1);
    ring.release(ring.peek()!.payload.length);
    expect(ring.isEmpty()).toBe(true);
    expect(ring.peek()).toBeNull();
  });
});
