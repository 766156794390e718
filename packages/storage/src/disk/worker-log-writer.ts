/** The production `LogWriter`: hands writes to a worker thread of its own and learns from it what is durable. */
import { MessageChannel, Worker } from "node:worker_threads";
import type { MessagePort } from "node:worker_threads";
import type { Index, Term } from "@ferrite/raft";
import type { AtRestKeys } from "./at-rest-keys.ts";
import { StorageError } from "./errors.ts";
import { checkAtRestKeys } from "./file-envelope.ts";
import { writeU64 } from "./little-endian.ts";
import type { LogOptions } from "./log-options.ts";
import type { LogPosition } from "./log-recovery.ts";
import { LogRing, MessageKind, ringBytesDefault } from "./log-ring.ts";
import type { LogWorkerData, LogWorkerMessage } from "./log-worker.ts";
import { NodeFileSystem } from "./node-file-system.ts";
import type { KeyedLogWriter, LogWrite, LogWriterEvents, RecoveredLog } from "./ports.ts";
import { SegmentedLog } from "./segmented-log.ts";
import { prepareWrite, putWrite } from "./write-codec.ts";
import type { PreparedWrite } from "./write-codec.ts";

export interface OpenLogOptions extends Omit<LogOptions, "randomSalt" | "randomBytes"> {
  /** Capacity of the ring to the worker, a power of two; default 8 MiB. Writes beyond it wait in memory. */
  readonly ringBytes?: number;
}

/** A message to the worker; `onDone` when it is carried out durably. */
type Request =
  | { readonly kind: "write"; readonly write: PreparedWrite; readonly onDone: () => void }
  | {
      readonly kind: "reset";
      readonly position: { readonly index: Index; readonly term: Term };
      readonly onDone: () => void;
    }
  | { readonly kind: "useKeys"; readonly keys: AtRestKeys; readonly onDone: () => void }
  | { readonly kind: "roll"; readonly onDone: () => void }
  | { readonly kind: "close"; readonly onDone: () => void };

/**
 * Opens the log of a directory, or makes a new one, and starts its worker. Recovery runs on the calling thread, before
 * there is anything to serve.
 *
 * Rejects with a `StorageError` when the log is damaged, foreign or can not be made; then nothing was changed.
 */
export async function openLog(
  options: OpenLogOptions,
  events: LogWriterEvents,
): Promise<{ readonly writer: WorkerLogWriter; readonly recovered: RecoveredLog }> {
  const { ringBytes, ...logOptions } = options;
  const { log, recovered } = SegmentedLog.open(new NodeFileSystem(), logOptions);
  const writer = new WorkerLogWriter(
    {
      options: { ...logOptions, encryption: keysForWriting(logOptions.encryption ?? null) },
      position: log.suspend(),
      ringBytes: ringBytes ?? ringBytesDefault,
    },
    events,
  );
  await writer.ready;
  return { writer, recovered };
}

/** The worker reads no old files: it is not given what only they need. */
function keysForWriting<Keys extends AtRestKeys | null>(keys: Keys): Keys {
  return keys === null ? keys : { ...keys, older: [] };
}

export class WorkerLogWriter implements KeyedLogWriter {
  readonly #ring: LogRing;
  readonly #worker: Worker;
  readonly #transfers: MessagePort;
  readonly #events: LogWriterEvents;
  /** Settles when the worker has opened the log. */
  readonly ready: Promise<void>;
  #onReady: ((error: Error | null) => void) | null;
  /** In the ring, oldest first; `#nextDone` is where the oldest one is. */
  #inRing: (() => void)[] = [];
  #nextDone = 0;
  #doneCount = 0;
  /** What did not fit into the ring, oldest first. */
  readonly #waiting: Request[] = [];
  /** Of rolls that are not carried out yet, oldest first. */
  #rolls: (() => void)[] = [];
  #rollsDone = 0;
  #state: "open" | "closing" | "ended" = "open";
  #onClosed: (() => void) | null = null;

  constructor(
    start: {
      readonly options: LogOptions;
      readonly position: LogPosition;
      readonly ringBytes: number;
    },
    events: LogWriterEvents,
  ) {
    this.#events = events;
    this.#ring = LogRing.create(start.ringBytes);
    const { port1, port2 } = new MessageChannel();
    this.#transfers = port1;
    const ready = Promise.withResolvers<void>();
    this.ready = ready.promise;
    this.#onReady = (error) => (error === null ? ready.resolve() : ready.reject(error));
    const data: LogWorkerData = {
      options: start.options,
      position: start.position,
      ringMemory: this.#ring.memory,
      transfers: port2,
    };
    // The same file kind as this one: source when run from source, build when run from the build.
    const file = import.meta.url.endsWith(".ts") ? "./log-worker.ts" : "./log-worker.js";
    this.#worker = new Worker(new URL(file, import.meta.url), {
      workerData: data,
      transferList: [port2],
      execArgv: [],
      name: "ferrite-log",
    });
    this.#worker.on("message", (message: LogWorkerMessage) => this.#onMessage(message));
    this.#worker.on("error", (error) => this.#fail(`The log's worker thread failed`, error));
    this.#worker.on("exit", () => this.#fail("The log's worker thread ended unexpectedly", null));
  }

  submit(write: LogWrite, onDurable: () => void): void {
    this.#send({ kind: "write", write: prepareWrite(write), onDone: onDurable });
  }

  compact(index: Index): void {
    if (this.#state === "open") {
      this.#ring.requestCompaction(index);
    }
  }

  reset(position: { readonly index: Index; readonly term: Term }, onDurable: () => void): void {
    this.#send({ kind: "reset", position, onDone: onDurable });
  }

  useKeys(keys: AtRestKeys): void {
    checkAtRestKeys(keys);
    this.#send({ kind: "useKeys", keys: keysForWriting(keys), onDone: () => undefined });
  }

  roll(onRolled: () => void): void {
    this.#send({ kind: "roll", onDone: () => undefined });
    this.#rolls.push(onRolled);
  }

  close(onClosed: () => void): void {
    if (this.#state === "ended") {
      onClosed();
      return;
    }
    this.#send({ kind: "close", onDone: () => undefined });
    this.#ring.requestClose();
    this.#state = "closing";
    this.#onClosed = onClosed;
  }

  /** Ends the worker wherever it is, as a crash of the thread would; for tests and for a stop that may not wait. */
  async terminate(): Promise<void> {
    await this.#worker.terminate();
  }

  /** Puts a request into the ring, or behind those that wait for room in it. */
  #send(request: Request): void {
    if (this.#state === "closing") {
      throw new StorageError("closed", "The log was used after close");
    }
    if (this.#state === "ended") {
      // It has failed, which was told once: nothing becomes durable any more.
      return;
    }
    if (this.#waiting.length > 0 || !this.#put(request)) {
      this.#waiting.push(request);
    }
  }

  /** False when the ring is full. */
  #put(request: Request): boolean {
    if (request.kind === "write") {
      return this.#putWrite(request.write, request.onDone);
    }
    if (request.kind === "reset") {
      return this.#putMessage(MessageKind.reset, 16, request.onDone, (bytes, at) => {
        writeU64(bytes, at, request.position.index);
        writeU64(bytes, at + 8, request.position.term);
      });
    }
    return this.#putMessage(MessageKind[request.kind], 0, request.onDone, () => {
      if (request.kind === "useKeys") {
        // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port has no origin
        this.#transfers.postMessage(request.keys);
      }
    });
  }

  #putWrite(write: PreparedWrite, onDone: () => void): boolean {
    if (write.sizeBytes <= this.#ring.payloadBytesMax) {
      return this.#putMessage(MessageKind.write, write.sizeBytes, onDone, (bytes, at) =>
        putWrite(write, bytes, at),
      );
    }
    return this.#putMessage(MessageKind.largeWrite, 0, onDone, () => {
      const bytes = new Uint8Array(write.sizeBytes);
      putWrite(write, bytes, 0);
      this.#transfers.postMessage(bytes, [bytes.buffer]);
    });
  }

  #putMessage(
    kind: MessageKind,
    payloadBytes: number,
    onDone: () => void,
    fill: (bytes: Uint8Array, at: number) => void,
  ): boolean {
    const at = this.#ring.claim(kind, payloadBytes);
    if (at === -1) {
      return false;
    }
    fill(this.#ring.bytes, at);
    this.#inRing.push(onDone);
    this.#ring.publish(payloadBytes);
    return true;
  }

  #onMessage(message: LogWorkerMessage): void {
    switch (message.kind) {
      case "done":
        this.#runDone();
        return;
      case "ready":
        this.#onReady?.(null);
        this.#onReady = null;
        return;
      case "rolled":
        this.#runRolled(message.count);
        return;
      case "space":
        this.#events.onSpace(message.full);
        return;
      case "closed":
        this.#end();
        this.#onClosed?.();
        return;
      case "failure":
        this.#fail(message.message, null, message.code);
        return;
    }
  }

  #runDone(): void {
    const done = this.#ring.takeDone();
    while (this.#doneCount !== done) {
      this.#doneCount = (this.#doneCount + 1) | 0;
      const onDone = this.#inRing[this.#nextDone];
      this.#nextDone += 1;
      onDone();
    }
    this.#inRing = this.#inRing.slice(this.#nextDone);
    this.#nextDone = 0;
    while (this.#waiting.length > 0 && this.#put(this.#waiting[0])) {
      this.#waiting.shift();
    }
  }

  #runRolled(count: number): void {
    const done = this.#rolls.splice(0, count - this.#rollsDone);
    this.#rollsDone = count;
    for (const onRolled of done) {
      onRolled();
    }
  }

  #fail(what: string, cause: Error | null, code: StorageError["code"] = "deviceFailed"): void {
    if (this.#state === "ended") {
      return;
    }
    const error = new StorageError(code, what, cause === null ? {} : { cause });
    const onClosed = this.#onClosed;
    this.#end();
    if (this.#onReady === null) {
      this.#events.onFailure(error);
    } else {
      this.#onReady(error);
    }
    onClosed?.();
  }

  #end(): void {
    this.#state = "ended";
    this.#waiting.length = 0;
    this.#rolls.length = 0;
    this.#transfers.close();
  }
}
