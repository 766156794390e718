/** Wraps the data keys of files anew, on a thread of its own that lives as long as that takes. */
import { Worker } from "node:worker_threads";
import type { AtRestKeys } from "@ferrite/storage";
import type { RewrapWork } from "./rewrap-worker.ts";

/** Rejects with the first failure; files that were not reached stay as they are. */
export function rewrapFiles(paths: readonly string[], keys: AtRestKeys): Promise<void> {
  // The same file kind as this one: source when run from source, build when run from the build.
  const file = import.meta.url.endsWith(".ts") ? "./rewrap-worker.ts" : "./rewrap-worker.js";
  const work: RewrapWork = { paths, keys };
  const worker = new Worker(new URL(file, import.meta.url), {
    workerData: work,
    name: "ferrite-rewrap",
  });
  return new Promise((resolve, reject) => {
    worker.once("message", () => resolve());
    worker.once("error", reject);
    worker.once("exit", (code) => {
      reject(new Error(`the thread that wraps keys anew ended unexpectedly (${code})`));
    });
  });
}
