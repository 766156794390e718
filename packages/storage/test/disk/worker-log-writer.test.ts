import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { describe, expect, it } from "vitest";
import { NodeFileSystem } from "../../src/disk/node-file-system.ts";
import type { LogWriterEvents } from "../../src/disk/ports.ts";
import { SegmentedLog } from "../../src/disk/segmented-log.ts";
import { openLog } from "../../src/disk/worker-log-writer.ts";
import type { AtRestKeys } from "../../src/disk/at-rest-keys.ts";
import { entries, hardState, keysBehind, modes, plain } from "./log-fixtures.ts";
import { closed, logWriterSuite, noEvents, segmentBytes, submitted } from "./log-writer-suite.ts";

function temporaryDirectory(): string {
  return mkdtempSync(`${tmpdir()}/ferrite-log-`);
}

function remove(directory: string): void {
  rmSync(directory, { recursive: true, force: true });
}

function optionsIn(home: string, encryption: AtRestKeys | null = null) {
  const directory = `${home}/log`;
  return { directory, clusterId: "c", groupId: 0, segmentBytes, ringBytes: 65_536, encryption };
}

/** Reads the log while its writer runs: on a copy, because opening may cut a tail. */
function recoverCopy(home: string, encryption: AtRestKeys | null) {
  const copy = temporaryDirectory();
  try {
    const source = new NodeFileSystem();
    mkdirSync(`${copy}/log`);
    for (const name of source.list(`${home}/log`)) {
      const handle = source.open(`${home}/log/${name}`, "read");
      const bytes = new Uint8Array(handle.sizeBytes());
      handle.read(bytes, 0);
      handle.close();
      writeFileSync(`${copy}/log/${name}`, bytes);
    }
    const { log, recovered } = SegmentedLog.open(source, optionsIn(copy, encryption));
    log.close();
    return recovered;
  } finally {
    remove(copy);
  }
}

for (const { mode, encryption } of modes) {
  logWriterSuite(`the log writer on a worker thread, ${mode}`, () => {
    const home = temporaryDirectory();
    return {
      open: (events, after = { index: 0, term: 0 }) =>
        openLog({ ...optionsIn(home, encryption), after }, events),
      encryption,
      keys: keysBehind(encryption),
      bytes: () =>
        Buffer.concat(
          readdirSync(`${home}/log`).map((name) => readFileSync(`${home}/log/${name}`)),
        ),
      recoverNow: (keys) => recoverCopy(home, keys ?? encryption),
      segmentCount: () => readdirSync(`${home}/log`).length,
      remove: () => remove(home),
    };
  });
}

async function withLog(
  test: (home: string, events: LogWriterEvents & { told: string[] }) => Promise<void>,
): Promise<void> {
  const home = temporaryDirectory();
  const told: string[] = [];
  const events = {
    told,
    onFailure: (error: Error) => void told.push(error.message),
    onSpace: (full: boolean) => void told.push(full ? "full" : "room"),
  };
  try {
    await test(home, events);
  } finally {
    remove(home);
  }
}

describe("the log's worker thread", () => {
  it("takes more than its ring holds, and single writes larger than the ring", () =>
    withLog(async (home) => {
      const { writer } = await openLog(optionsIn(home), noEvents);
      const all = [];
      let index = 1;
      for (let i = 0; i < 60; i += 1) {
        const written = entries(index, 2, 1, i % 10 === 3 ? 90_000 : 9_000);
        all.push(...written);
        index += 2;
        writer.submit({ hardState: hardState(i + 1), entries: written }, () => undefined);
      }
      await closed(writer);
      const again = await openLog(optionsIn(home), noEvents);
      expect(plain(again.recovered.entries)).toEqual(plain(all));
      expect(again.recovered.hardState).toEqual(hardState(60));
      await closed(again.writer);
    }));

  it("a worker that ends unexpectedly is told once; what was acknowledged is there", () =>
    withLog(async (home, events) => {
      const failed = Promise.withResolvers<void>();
      const { writer } = await openLog(optionsIn(home), {
        ...events,
        onFailure: (error) => {
          events.onFailure(error);
          failed.resolve();
        },
      });
      let acknowledged = 0;
      for (let index = 1; index <= 2000; index += 1) {
        writer.submit({ hardState: null, entries: entries(index, 1) }, () => {
          acknowledged = index;
          if (index === 200) {
            void writer.terminate();
          }
        });
      }
      await failed.promise;
      expect(events.told).toEqual(["The log's worker thread ended unexpectedly"]);
      const { log, recovered } = SegmentedLog.open(new NodeFileSystem(), optionsIn(home));
      log.close();
      expect(recovered.entries.length).toBeGreaterThanOrEqual(acknowledged);
      expect(plain(recovered.entries)).toEqual(plain(entries(1, recovered.entries.length)));
      await closed(writer);
      expect(events.told).toHaveLength(1);
    }));

  it("rejects with the recovery's error and starts no worker when the log belongs to another cluster", () =>
    withLog(async (home) => {
      const { writer } = await openLog(optionsIn(home), noEvents);
      await submitted(writer, 1, 3);
      await closed(writer);
      await expect(
        openLog({ ...optionsIn(home), clusterId: "other" }, noEvents),
      ).rejects.toMatchObject({ code: "foreignCluster" });
    }));

  it("gives files to their owner only", () =>
    withLog(async (home) => {
      const { writer } = await openLog(optionsIn(home), noEvents);
      await submitted(writer, 1, 1);
      await closed(writer);
      expect(statSync(`${home}/log`).mode & 0o777).toBe(0o700);
      for (const name of readdirSync(`${home}/log`)) {
        expect(statSync(`${home}/log/${name}`).mode & 0o777).toBe(0o600);
      }
    }));
});
