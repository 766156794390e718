/**
 * Loaded into a node (`NODE_OPTIONS=--import`, see hung-disk.ts), and by itself into its threads: nothing that is to reach
 * the disk does so while a flag file says that the disk hangs or is slow. What a disk that hangs looks like from above: the
 * call does not come back, the thread that made it stands still, and everything else goes on.
 */
import { existsSync, readFileSync } from "node:fs";
// The one object that CommonJS and, after syncBuiltinESMExports, also `import { fdatasyncSync }` see.
import fileSystem from "node:fs";
import { open } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { devNull } from "node:os";
import { setTimeout as pause } from "node:timers/promises";
import threads, { type WorkerOptions } from "node:worker_threads";

const hangFile = process.env["TEST_DISK_HANGS_WHILE"] ?? "";
const slowFile = process.env["TEST_DISK_SLOW_WHILE"] ?? "";
const LOOK_AGAIN_MS = 5;
const cell = new Int32Array(new SharedArrayBuffer(4));

/** How long a call takes that begins now, as the file says; 0 without it. */
function slownessMs(): number {
  if (!existsSync(slowFile)) return 0;
  const text = readFileSync(slowFile, "utf8");
  return Number(text) || 0;
}

function standStill(): void {
  while (existsSync(hangFile)) Atomics.wait(cell, 0, 0, LOOK_AGAIN_MS);
  const delayMs = slownessMs();
  if (delayMs > 0) Atomics.wait(cell, 0, 0, delayMs);
}

async function standStillAside(): Promise<void> {
  while (existsSync(hangFile)) await pause(LOOK_AGAIN_MS);
  await pause(slownessMs());
}

for (const name of ["fsyncSync", "fdatasyncSync"] as const) {
  const real = fileSystem[name];
  fileSystem[name] = (descriptor) => {
    standStill();
    real(descriptor);
  };
}

type Synced = (error: NodeJS.ErrnoException | null) => void;
for (const name of ["fsync", "fdatasync"] as const) {
  const real = fileSystem[name];
  const late = (descriptor: number, done: Synced): void => {
    void standStillAside().then(() => real(descriptor, done));
  };
  Object.assign(fileSystem, { [name]: late });
}

const opened = await open(devNull);
const handle = Object.getPrototypeOf(opened) as Record<"sync" | "datasync", () => Promise<void>>;
await opened.close();
for (const name of ["sync", "datasync"] as const) {
  const real = handle[name];
  handle[name] = async function late(): Promise<void> {
    await standStillAside();
    await real.call(this);
  };
}

// Threads that are given their own `execArgv` do not load what the process was told to.
const { Worker } = threads;
threads.Worker = class extends Worker {
  constructor(file: string | URL, options: WorkerOptions = {}) {
    const own = options.execArgv ?? process.execArgv;
    super(file, { ...options, execArgv: [...own, "--import", import.meta.url] });
  }
};
syncBuiltinESMExports();
