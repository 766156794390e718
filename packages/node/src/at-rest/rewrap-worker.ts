/** The thread that wraps data keys anew: each file is synced twice, which the event loop must not wait for. */
import { parentPort, workerData } from "node:worker_threads";
import { NodeFileSystem, rewrapFile, type AtRestKeys } from "@ferrite/storage";

/** What the thread is given. */
export interface RewrapWork {
  readonly paths: readonly string[];
  readonly keys: AtRestKeys;
}

const { paths, keys } = workerData as RewrapWork;
const fileSystem = new NodeFileSystem();
for (const path of paths) rewrapFile(fileSystem, path, keys);
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port has no origin
parentPort?.postMessage("done");
