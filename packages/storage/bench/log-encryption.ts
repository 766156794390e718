/**
 * What encryption at rest costs the log: `node --conditions=@ferrite/source packages/storage/bench/log-encryption.ts`.
 *
 * For records of several sizes: write, fdatasync and all, with and without encryption, in turns on one disk, of each
 * the best turn (a shared machine has worse ones); and the same without the disk (a file system that does nothing),
 * which shows the processor's share. Prints MB/s, and the throughput with encryption as a part of that without. The last table is that of the
 * writer on its worker thread with 64 writes on their way, as a node uses it.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { performance } from "node:perf_hooks";
import type { AtRestKeys } from "../src/disk/at-rest-keys.ts";
import type { FileHandle, FileSystem } from "../src/disk/file-system.ts";
import { NodeFileSystem } from "../src/disk/node-file-system.ts";
import { SegmentedLog } from "../src/disk/segmented-log.ts";
import { openLog } from "../src/disk/worker-log-writer.ts";

const sizes = [100, 4096, 65_536, 1_048_576];
const turns = 6;
const keys: AtRestKeys = {
  nodeId: "bench",
  current: { id: 1, bytes: new Uint8Array(32).fill(7) },
  older: [],
  acceptsPlainFiles: false,
};
const home = mkdtempSync(`${tmpdir()}/ferrite-bench-`);
let directories = 0;

/** Takes everything and keeps nothing. */
class NoDisk implements FileSystem {
  readonly #handle: FileHandle = {
    write: () => undefined,
    read: () => 0,
    sync: () => undefined,
    reserve: (sizeBytes) => void (this.#sizeBytes = sizeBytes),
    truncate: () => undefined,
    sizeBytes: () => this.#sizeBytes,
    close: () => (this.#sizeBytes = 0),
  };
  #sizeBytes = 0;

  open(): FileHandle {
    return this.#handle;
  }

  exists = (): boolean => false;
  list = (): string[] => [];
  makeDirectory = (): void => undefined;
  rename = (): void => undefined;
  remove = (): void => undefined;
  syncDirectory = (): void => undefined;
}

function options(encryption: AtRestKeys | null) {
  directories += 1;
  return { directory: `${home}/${directories}`, clusterId: "bench", groupId: 0, encryption };
}

function entryOf(index: number, data: Uint8Array) {
  return { hardState: null, entries: [{ index, term: 1, kind: 0 as const, data }] };
}

/** Seconds for `count` records, one sync each. */
function measureLog(
  fileSystem: FileSystem,
  encryption: AtRestKeys | null,
  load: { readonly data: Uint8Array; readonly count: number },
): number {
  const { log } = SegmentedLog.open(fileSystem, options(encryption));
  const startMs = performance.now();
  for (let index = 1; index <= load.count; index += 1) {
    log.append(entryOf(index, load.data));
    log.sync();
    log.prepare();
    if (index % 64 === 0) {
      log.compact(index - 1);
    }
  }
  const seconds = (performance.now() - startMs) / 1000;
  log.close();
  return seconds;
}

async function measureWriter(
  encryption: AtRestKeys | null,
  load: { readonly data: Uint8Array; readonly count: number },
): Promise<number> {
  const { writer } = await openLog(options(encryption), {
    onFailure: (error) => {
      throw error;
    },
    onSpace: () => undefined,
  });
  const startMs = performance.now();
  await new Promise<void>((resolve) => {
    let submitted = 0;
    let done = 0;
    const fill = (): void => {
      while (submitted < load.count && submitted - done < 64) {
        submitted += 1;
        writer.submit(entryOf(submitted, load.data), () => {
          done += 1;
          if (done % 64 === 0) {
            writer.compact(done - 1);
          }
          if (done === load.count) {
            resolve();
          } else {
            fill();
          }
        });
      }
    };
    fill();
  });
  const seconds = (performance.now() - startMs) / 1000;
  await new Promise<void>((resolve) => writer.close(resolve));
  return seconds;
}

async function compare(
  name: string,
  bytesPerTurn: number,
  measure: (
    encryption: AtRestKeys | null,
    load: { readonly data: Uint8Array; readonly count: number },
  ) => number | Promise<number>,
): Promise<void> {
  process.stdout.write(`${name}\n`);
  for (const sizeBytes of sizes) {
    const count = Math.max(24, Math.min(2000, Math.floor(bytesPerTurn / sizeBytes)));
    const load = { data: new Uint8Array(sizeBytes).fill(7), count };
    const seconds = { plain: Infinity, encrypted: Infinity };
    await measure(null, load);
    await measure(keys, load);
    for (let turn = 0; turn < turns; turn += 1) {
      seconds.plain = Math.min(seconds.plain, await measure(null, load));
      seconds.encrypted = Math.min(seconds.encrypted, await measure(keys, load));
      rmSync(home, { recursive: true, force: true });
    }
    const speed = (each: number): string =>
      ((sizeBytes * count) / each / 1e6).toFixed(2).padStart(9);
    const extraUs = ((seconds.encrypted - seconds.plain) / count) * 1e6;
    process.stdout.write(
      `  ${String(sizeBytes).padStart(8)} B  plain ${speed(seconds.plain)} MB/s  encrypted ` +
        `${speed(seconds.encrypted)} MB/s  ratio ${(seconds.plain / seconds.encrypted).toFixed(3)}  ` +
        `${extraUs.toFixed(1)} us more a record\n`,
    );
  }
}

try {
  const noDisk = new NoDisk();
  await compare("without a disk", 200e6, (encryption, load) =>
    measureLog(noDisk, encryption, load),
  );
  const disk = new NodeFileSystem();
  await compare("one record, one fdatasync", 24e6, (encryption, load) =>
    measureLog(disk, encryption, load),
  );
  await compare("worker thread, 64 writes on their way", 48e6, measureWriter);
} finally {
  rmSync(home, { recursive: true, force: true });
}
