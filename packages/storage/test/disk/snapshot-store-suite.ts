/** What every `SnapshotStore` must do, on whatever disk. */
import { describe, expect, it } from "vitest";
import type { SnapshotMeta } from "@ferrite/raft";
import type { SnapshotSink, SnapshotStore } from "../../src/disk/ports.ts";
import { SeededRandom } from "./seeded-random.ts";

export interface StoreHome {
  open(): Promise<SnapshotStore>;
  /** Names of the files, sorted. */
  files(): string[];
  remove(): void;
}

export function metaAt(index: number, term = 3): SnapshotMeta {
  return {
    index,
    term,
    configuration: {
      voters: ["node-a", "node-b", "node-c"],
      votersOutgoing: [],
      learners: ["node-d"],
      learnersNext: [],
    },
    sizeBytes: 0,
  };
}

export function bodyOf(seed: number, length: number): Uint8Array {
  return new SeededRandom(seed).bytes(length);
}

export function write(sink: SnapshotSink, bytes: Uint8Array): Promise<Error | null> {
  return new Promise((resolve) => sink.write(bytes, resolve));
}

export function commit(sink: SnapshotSink): Promise<Error | null> {
  return new Promise((resolve) => sink.commit(resolve));
}

export async function store(
  target: SnapshotStore,
  meta: SnapshotMeta,
  body: Uint8Array,
): Promise<void> {
  const sink = target.create(meta);
  expect(await write(sink, body)).toBeNull();
  expect(await commit(sink)).toBeNull();
}

export function read(
  source: SnapshotStore,
  meta: SnapshotMeta,
  range: { offsetBytes: number; lengthBytes: number },
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    source.read(meta, range, (error, bytes) =>
      error === null ? resolve(Buffer.from(bytes)) : reject(error),
    );
  });
}

export function snapshotStoreSuite(name: string, makeHome: () => StoreHome): void {
  describe(`SnapshotStore: ${name}`, () => {
    async function withHome(test: (home: StoreHome) => Promise<void>): Promise<void> {
      const home = makeHome();
      try {
        await test(home);
      } finally {
        home.remove();
      }
    }

    it("has no snapshot on a new disk", () =>
      withHome(async (home) => {
        expect((await home.open()).latest()).toBeNull();
      }));

    it("gives back a snapshot written in pieces, whole and in any range, also after a restart", () =>
      withHome(async (home) => {
        const body = bodyOf(1, 700_001);
        const first = await home.open();
        const sink = first.create(metaAt(42));
        for (let at = 0; at < body.length; at += 99_999) {
          sink.write(body.slice(at, at + 99_999), () => undefined);
        }
        expect(sink.writtenBytes).toBe(body.length);
        expect(first.latest()).toBeNull();
        expect(await commit(sink)).toBeNull();
        for (const opened of [first, await home.open()]) {
          const latest = opened.latest()!;
          expect(latest).toEqual({ ...metaAt(42), sizeBytes: body.length });
          for (const [offsetBytes, lengthBytes] of [
            [0, 1],
            [0, body.length],
            [262_143, 3],
            [262_144, 262_144],
            [500_000, 999_999],
            [body.length, 10],
            [body.length + 7, 10],
          ] as const) {
            const bytes = await read(opened, latest, { offsetBytes, lengthBytes });
            const expected = Buffer.from(body.subarray(offsetBytes, offsetBytes + lengthBytes));
            expect(bytes.equals(expected), `${offsetBytes}+${lengthBytes}`).toBe(true);
          }
        }
      }));

    it("stores an empty snapshot", () =>
      withHome(async (home) => {
        const first = await home.open();
        expect(await commit(first.create(metaAt(1)))).toBeNull();
        expect((await home.open()).latest()).toEqual({ ...metaAt(1), sizeBytes: 0 });
      }));

    it("names the newest by index, whatever the order they were written in", () =>
      withHome(async (home) => {
        const first = await home.open();
        await store(first, metaAt(900), bodyOf(1, 10));
        await store(first, metaAt(1200), bodyOf(2, 10));
        await store(first, metaAt(1000), bodyOf(3, 10));
        expect(first.latest()?.index).toBe(1200);
        expect((await home.open()).latest()?.index).toBe(1200);
      }));

    it("leaves nothing behind when a snapshot is given up", () =>
      withHome(async (home) => {
        const first = await home.open();
        const sink = first.create(metaAt(5));
        sink.write(bodyOf(1, 100), () => undefined);
        sink.abort();
        await store(first, metaAt(6), bodyOf(2, 100));
        expect(home.files().filter((file) => file.includes("00005-"))).toEqual([]);
        expect(first.latest()?.index).toBe(6);
        expect(() => sink.write(bodyOf(1, 1), () => undefined)).toThrow("already finished");
      }));

    it("can write the same snapshot again after giving it up", () =>
      withHome(async (home) => {
        const first = await home.open();
        const given = first.create(metaAt(5));
        given.write(bodyOf(1, 100), () => undefined);
        given.abort();
        await store(first, metaAt(5), bodyOf(2, 300));
        const bytes = await read(first, metaAt(5), { offsetBytes: 0, lengthBytes: 1000 });
        expect(bytes.equals(Buffer.from(bodyOf(2, 300)))).toBe(true);
      }));

    it("removes old snapshots, but not one that is being read", () =>
      withHome(async (home) => {
        const first = await home.open();
        for (let index = 1; index <= 4; index += 1) {
          await store(first, metaAt(index), bodyOf(index, 100));
        }
        await read(first, metaAt(2), { offsetBytes: 0, lengthBytes: 10 });
        first.prune(1);
        // One more round of the disk: removals run in the background.
        await store(first, metaAt(5), bodyOf(5, 100));
        const rest = await read(first, metaAt(2), { offsetBytes: 10, lengthBytes: 90 });
        expect(rest.equals(Buffer.from(bodyOf(2, 100).subarray(10)))).toBe(true);
        await expect(read(first, metaAt(1), { offsetBytes: 0, lengthBytes: 1 })).rejects.toThrow(
          "no snapshot at index 1",
        );
        first.prune(1);
        first.prune(1);
        await store(first, metaAt(6), bodyOf(6, 100));
        await expect(read(first, metaAt(2), { offsetBytes: 0, lengthBytes: 1 })).rejects.toThrow(
          "no snapshot at index 2",
        );
        expect(home.files()).toHaveLength(2);
      }));
  });
}
