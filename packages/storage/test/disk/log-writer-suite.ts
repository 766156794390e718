/** What every `LogWriter` must do, whatever thread it writes on. */
import { describe, expect, it } from "vitest";
import type { AtRestKeys } from "../../src/disk/at-rest-keys.ts";
import type {
  KeyedLogWriter,
  LogWriter,
  LogWriterEvents,
  RecoveredLog,
} from "../../src/disk/ports.ts";
import { entries, hardState, keysOf, plain } from "./log-fixtures.ts";

export interface WriterUnderTest {
  readonly writer: KeyedLogWriter;
  readonly recovered: RecoveredLog;
}

/** One disk and the writers that are opened on it, one after the other. */
export interface WriterHome {
  open(
    events: LogWriterEvents,
    after?: { readonly index: number; readonly term: number },
  ): Promise<WriterUnderTest>;
  /** What a restart would find now, without the writer's help. */
  recoverNow(encryption?: AtRestKeys): RecoveredLog;
  /** What the log is opened with. */
  readonly encryption: AtRestKeys | null;
  /** Keys that may be given to it later: those it has, or ones that accept its plain files. */
  readonly keys: AtRestKeys;
  /** All bytes of the log's files. */
  bytes(): Buffer;
  segmentCount(): number;
  remove(): void;
}

export const segmentBytes = 65_536;

/** Events that must not happen in a test. */
export const noEvents: LogWriterEvents = {
  onFailure: (error) => {
    throw error;
  },
  onSpace: (full) => {
    throw new Error(`unexpected onSpace(${full})`);
  },
};

export function closed(writer: LogWriter): Promise<void> {
  return new Promise((resolve) => writer.close(resolve));
}

/** Resolves when the last of `count` single entries from `first` on is durable. */
export function submitted(writer: LogWriter, first: number, count: number): Promise<number[]> {
  const order: number[] = [];
  return new Promise((resolve) => {
    for (let index = first; index < first + count; index += 1) {
      writer.submit({ hardState: null, entries: entries(index, 1) }, () => {
        order.push(index);
        if (order.length === count) {
          resolve(order);
        }
      });
    }
  });
}

export function logWriterSuite(name: string, makeHome: () => WriterHome): void {
  describe(`LogWriter: ${name}`, () => {
    async function withHome(test: (home: WriterHome) => Promise<void>): Promise<void> {
      const home = makeHome();
      try {
        await test(home);
      } finally {
        home.remove();
      }
    }

    it("R23: calls onDurable only when a restart would find the write", () =>
      withHome(async (home) => {
        const { writer } = await home.open(noEvents);
        for (let index = 1; index <= 20; index += 1) {
          const write = { hardState: hardState(index), entries: entries(index, 2, index) };
          await new Promise<void>((resolve) => {
            writer.submit(write, () => {
              const found = home.recoverNow();
              expect(found.hardState).toEqual(hardState(index));
              expect(found.entries.at(-1)?.index).toBe(index + 1);
              expect(found.entries.at(-1)?.term).toBe(index);
              resolve();
            });
          });
        }
        await closed(writer);
      }));

    it("calls onDurable never before it returned from submit", () =>
      withHome(async (home) => {
        const { writer } = await home.open(noEvents);
        let returned = false;
        const durable = new Promise<boolean>((resolve) => {
          writer.submit({ hardState: null, entries: entries(1, 1) }, () => resolve(returned));
        });
        returned = true;
        expect(await durable).toBe(true);
        await closed(writer);
      }));

    it("finishes hundreds of writes in the order they were submitted", () =>
      withHome(async (home) => {
        const { writer } = await home.open(noEvents);
        const order = await submitted(writer, 1, 500);
        expect(order).toEqual(Array.from({ length: 500 }, (_, i) => i + 1));
        await closed(writer);
        const again = await home.open(noEvents);
        expect(plain(again.recovered.entries)).toEqual(plain(entries(1, 500)));
        await closed(again.writer);
      }));

    it("takes an empty write, in order", () =>
      withHome(async (home) => {
        const { writer } = await home.open(noEvents);
        const order: string[] = [];
        writer.submit({ hardState: null, entries: entries(1, 1) }, () => order.push("entry"));
        await new Promise<void>((resolve) => {
          writer.submit({ hardState: null, entries: [] }, () => {
            order.push("empty");
            resolve();
          });
        });
        expect(order).toEqual(["entry", "empty"]);
        await closed(writer);
      }));

    it("accepts a submit from inside onDurable", () =>
      withHome(async (home) => {
        const { writer } = await home.open(noEvents);
        await new Promise<void>((resolve) => {
          writer.submit({ hardState: null, entries: entries(1, 1) }, () => {
            writer.submit({ hardState: null, entries: entries(2, 1) }, resolve);
          });
        });
        expect(home.recoverNow().entries).toHaveLength(2);
        await closed(writer);
      }));

    it("cuts the log where a later write begins inside it", () =>
      withHome(async (home) => {
        const { writer } = await home.open(noEvents);
        writer.submit({ hardState: null, entries: entries(1, 9, 1) }, () => undefined);
        writer.submit({ hardState: null, entries: entries(5, 1, 2) }, () => undefined);
        await closed(writer);
        const again = await home.open(noEvents);
        const expected = plain([...entries(1, 4, 1), ...entries(5, 1, 2)]);
        expect(plain(again.recovered.entries)).toEqual(expected);
        await closed(again.writer);
      }));

    it("writes a batch that is larger than a segment and than its own buffers", () =>
      withHome(async (home) => {
        const { writer } = await home.open(noEvents);
        const large = entries(2, 3, 1, 300_000);
        writer.submit({ hardState: null, entries: entries(1, 1) }, () => undefined);
        writer.submit({ hardState: hardState(2), entries: large }, () => undefined);
        writer.submit({ hardState: null, entries: entries(5, 1) }, () => undefined);
        await closed(writer);
        const again = await home.open(noEvents);
        expect(plain(again.recovered.entries)).toEqual(
          plain([...entries(1, 1), ...large, ...entries(5, 1)]),
        );
        expect(again.recovered.hardState).toEqual(hardState(2));
        await closed(again.writer);
      }));

    it("carries out a reset in its place among the writes", () =>
      withHome(async (home) => {
        const { writer } = await home.open(noEvents);
        const order: string[] = [];
        writer.submit({ hardState: hardState(3), entries: entries(1, 5) }, () => order.push("old"));
        writer.reset({ index: 100, term: 3 }, () => order.push("reset"));
        writer.submit({ hardState: null, entries: entries(101, 2, 3) }, () => order.push("new"));
        await closed(writer);
        expect(order).toEqual(["old", "reset", "new"]);
        const again = await home.open(noEvents, { index: 100, term: 3 });
        expect(plain(again.recovered.entries)).toEqual(plain(entries(101, 2, 3)));
        expect(again.recovered.hardState).toEqual(hardState(3));
        await closed(again.writer);
      }));

    it("removes the segments that a snapshot covers", () =>
      withHome(async (home) => {
        const { writer } = await home.open(noEvents);
        for (let index = 1; index <= 300; index += 1) {
          writer.submit({ hardState: null, entries: entries(index, 1, 1, 2000) }, () => undefined);
        }
        await submitted(writer, 301, 1);
        const before = home.segmentCount();
        expect(before).toBeGreaterThan(5);
        writer.compact(290);
        // Compaction overtakes; a write behind it is done only after the next round.
        await submitted(writer, 302, 1);
        await submitted(writer, 303, 1);
        expect(home.segmentCount()).toBeLessThan(before - 3);
        await closed(writer);
        const again = await home.open(noEvents, { index: 290, term: 1 });
        expect(again.recovered.entries.map((entry) => entry.index)).toEqual(
          Array.from({ length: 13 }, (_, i) => 291 + i),
        );
        await closed(again.writer);
      }));

    it("makes durable what was submitted before close, and refuses what comes after", () =>
      withHome(async (home) => {
        const { writer } = await home.open(noEvents);
        let durable = 0;
        for (let index = 1; index <= 50; index += 1) {
          writer.submit({ hardState: null, entries: entries(index, 1) }, () => (durable += 1));
        }
        const closing = closed(writer);
        expect(() => writer.submit({ hardState: null, entries: [] }, () => undefined)).toThrow(
          "after close",
        );
        await closing;
        expect(durable).toBe(50);
        expect(home.recoverNow().entries).toHaveLength(50);
      }));

    it("S40: rolls into a new segment without holding writes up, and tells each roll once", () =>
      withHome(async (home) => {
        const { writer } = await home.open(noEvents);
        await submitted(writer, 1, 3);
        const before = home.segmentCount();
        const told: string[] = [];
        const rolled = new Promise<void>((resolve) => {
          writer.roll(() => told.push("first"));
          writer.roll(() => {
            told.push("second");
            resolve();
          });
        });
        await submitted(writer, 4, 20);
        await rolled;
        expect(home.segmentCount()).toBeGreaterThan(before);
        const segments = home.segmentCount();
        await new Promise<void>((resolve) => writer.roll(resolve));
        expect(home.segmentCount()).toBeGreaterThan(segments);
        expect(told).toEqual(["first", "second"]);
        await submitted(writer, 24, 1);
        await closed(writer);
        const again = await home.open(noEvents);
        expect(plain(again.recovered.entries)).toEqual(plain(entries(1, 24)));
        await closed(again.writer);
      }));

    it("S40: encrypts from the next record on when it is given keys for the first time", () =>
      withHome(async (home) => {
        const { writer, recovered } = await home.open(noEvents);
        expect(recovered.entries).toEqual([]);
        const first = entries(1, 1, 1, 500);
        await new Promise<void>((resolve) => {
          writer.submit({ hardState: hardState(1), entries: first }, resolve);
        });
        writer.useKeys(home.keys);
        await new Promise<void>((resolve) => writer.roll(resolve));
        const second = entries(2, 1, 1, 500);
        writer.submit({ hardState: hardState(2), entries: second }, () => undefined);
        expect(() =>
          writer.useKeys({ ...keysOf(1), current: { id: 0, bytes: second[0].data } }),
        ).toThrow("a node key has 32");
        await closed(writer);
        const again = home.recoverNow(home.keys);
        expect(plain(again.entries)).toEqual(plain([...first, ...second]));
        const onDisk = home.bytes();
        const isPlain = home.encryption === null;
        expect(onDisk.includes("entry 1 of term 1")).toBe(isPlain);
        expect(onDisk.includes("entry 2 of term 1")).toBe(false);
      }));

    it("stops at a write that leaves a gap: told once, and nothing behind it becomes durable", () =>
      withHome(async (home) => {
        const failures: Error[] = [];
        const failed = Promise.withResolvers<void>();
        const { writer } = await home.open({
          onFailure: (error) => {
            failures.push(error);
            failed.resolve();
          },
          onSpace: () => undefined,
        });
        await submitted(writer, 1, 1);
        let acknowledged = 0;
        writer.submit({ hardState: null, entries: entries(7, 1) }, () => (acknowledged += 1));
        await failed.promise;
        writer.submit({ hardState: null, entries: entries(2, 1) }, () => (acknowledged += 1));
        await closed(writer);
        expect(acknowledged).toBe(0);
        expect(failures).toHaveLength(1);
        expect(failures[0]).toMatchObject({ code: "logGap" });
        expect(home.recoverNow().entries).toHaveLength(1);
      }));
  });
}
