/**
 * Entry of the log's worker thread. It imports relative files and Node.js only, so that it runs from source (type
 * stripping) and from the build alike.
 */
import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import type { MessagePort } from "node:worker_threads";
import type { AtRestKeys } from "./at-rest-keys.ts";
import { StorageError } from "./errors.ts";
import type { StorageErrorCode } from "./errors.ts";
import type { LogOptions } from "./log-options.ts";
import type { LogPosition } from "./log-recovery.ts";
import { LogRing } from "./log-ring.ts";
import { LogWorkerLoop } from "./log-worker-loop.ts";
import { NodeFileSystem } from "./node-file-system.ts";
import { SegmentedLog } from "./segmented-log.ts";

export interface LogWorkerData {
  readonly options: LogOptions;
  readonly position: LogPosition;
  readonly ringMemory: SharedArrayBuffer;
  /** Large writes and keys, in the order of their messages in the ring. */
  readonly transfers: MessagePort;
}

export type LogWorkerMessage =
  | { readonly kind: "ready" }
  /** Look at the ring: more is done. */
  | { readonly kind: "done" }
  | { readonly kind: "space"; readonly full: boolean }
  | { readonly kind: "rolled"; readonly count: number }
  | { readonly kind: "closed" }
  | { readonly kind: "failure"; readonly code: StorageErrorCode; readonly message: string };

function post(message: LogWorkerMessage): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port has no origin
  parentPort?.postMessage(message);
}

/** What was sent with the message of the ring that was taken last. */
function takeTransfer(port: MessagePort): unknown {
  const received: { message: unknown } | undefined = receiveMessageOnPort(port);
  if (received === undefined) {
    throw new StorageError("deviceFailed", "A transfer did not reach the log's worker");
  }
  return received.message;
}

function run(data: LogWorkerData): void {
  const doneMessage: LogWorkerMessage = { kind: "done" };
  try {
    const log = SegmentedLog.resume(new NodeFileSystem(), data.options, data.position);
    const loop = new LogWorkerLoop(log, new LogRing(data.ringMemory), {
      done: () => post(doneMessage),
      space: (full) => post({ kind: "space", full }),
      takeLargeWrite: () => takeTransfer(data.transfers) as Uint8Array,
      takeKeys: () => takeTransfer(data.transfers) as AtRestKeys,
      rolled: (count) => post({ kind: "rolled", count }),
      nowMs: () => performance.now(),
    });
    post({ kind: "ready" });
    loop.run();
    post({ kind: "closed" });
  } catch (error) {
    post({
      kind: "failure",
      code: error instanceof StorageError ? error.code : "deviceFailed",
      message: error instanceof Error ? error.message : String(error),
    });
  }
  data.transfers.close();
}

run(workerData as LogWorkerData);
