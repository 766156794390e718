/**
 * Preloaded into a node's process (NODE_OPTIONS=--import=...), never imported: the log worker's syncs hang as long as the
 * file named by TEST_HANG_FILE exists, as those of a device that does not answer. The program itself knows nothing of it.
 *
 * Only threads named ferrite-log hang. The worker is started without the process's preloads, so its constructor is
 * wrapped to load this file there as well.
 */
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import threads, { type WorkerOptions } from "node:worker_threads";

const LOG_THREAD = "ferrite-log";
/** How often a thread that hangs looks whether it still has to. */
const LOOK_MS = 5;

const hangFile = process.env["TEST_HANG_FILE"];
if (hangFile !== undefined) {
  if (threads.isMainThread) preloadIntoLogThread();
  else makeSyncsHang(hangFile);
  syncBuiltinESMExports();
}

function preloadIntoLogThread(): void {
  const { Worker } = threads;
  threads.Worker = class extends Worker {
    constructor(file: string | URL, options: WorkerOptions = {}) {
      const execArgv =
        options.name === LOG_THREAD ? ["--import", import.meta.url] : options.execArgv;
      super(file, execArgv === undefined ? options : { ...options, execArgv });
    }
  };
}

function makeSyncsHang(file: string): void {
  const asleep = new Int32Array(new SharedArrayBuffer(4));
  const hang = (): void => {
    while (fs.existsSync(file)) Atomics.wait(asleep, 0, 0, LOOK_MS);
  };
  const { fdatasyncSync, fsyncSync } = fs;
  fs.fdatasyncSync = (descriptor) => {
    hang();
    fdatasyncSync(descriptor);
  };
  fs.fsyncSync = (descriptor) => {
    hang();
    fsyncSync(descriptor);
  };
}
