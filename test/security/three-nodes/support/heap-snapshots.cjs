// Loaded into a node before anything else (NODE_OPTIONS=--require): on SIGUSR2 the process writes a heap snapshot of
// every one of its worker threads, and one of its main thread, into HEAP_DIRECTORY.
"use strict";
const threads = require("node:worker_threads");

if (threads.isMainThread) {
  const { createWriteStream, renameSync } = require("node:fs");
  const { basename, join } = require("node:path");
  const { syncBuiltinESMExports } = require("node:module");
  const { pipeline } = require("node:stream/promises");
  const { getHeapSnapshot } = require("node:v8");

  const workers = [];
  threads.Worker = class extends threads.Worker {
    constructor(file, options) {
      super(file, options);
      workers.push({ name: basename(String(file)), worker: this });
    }
  };
  syncBuiltinESMExports();

  const write = async (name, stream) => {
    const path = join(process.env.HEAP_DIRECTORY, name);
    await pipeline(stream, createWriteStream(`${path}.part`));
    renameSync(`${path}.part`, `${path}.heapsnapshot`);
  };
  process.on("SIGUSR2", async () => {
    for (const { name, worker } of workers) await write(name, await worker.getHeapSnapshot());
    await write("main", getHeapSnapshot());
  });
}
