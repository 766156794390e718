/** Writes one snapshot: a temporary file, in order; at commit its end, fsync, rename, directory fsync. */
import type { CallbackFile, CallbackFileSystem } from "./callback-file-system.ts";
import { StorageError } from "./errors.ts";
import type { SnapshotSink } from "./ports.ts";
import { BlockWriter } from "./snapshot-blocks.ts";
import type { ReadableBody } from "./snapshot-blocks.ts";
import { encodeSnapshotEnd, snapshotBodyBytesMax } from "./snapshot-format.ts";
import type { SnapshotStart } from "./snapshot-format.ts";

type Done = (error: Error | null) => void;

/** Where the snapshot goes and how it begins. */
export interface SinkTarget {
  readonly directory: string;
  readonly temporaryPath: string;
  readonly path: string;
  readonly start: SnapshotStart;
}

/** What the store has to know of a finished snapshot. */
export interface FinishedBody extends ReadableBody {
  readonly bodyBytes: number;
}

/** What the store follows of a snapshot that is being written. */
export interface SinkEvents {
  /** Its file is about to take the name of the snapshot, from whatever has it. */
  onReplacing(): void;
  /** It has; `body` is null when that failed. */
  onReplaced(body: FinishedBody | null): void;
}

type Step = (file: CallbackFile, done: Done) => void;

export class FileSnapshotSink implements SnapshotSink {
  readonly #files: CallbackFileSystem;
  readonly #target: SinkTarget;
  readonly #events: SinkEvents;
  readonly #blocks: BlockWriter;
  /** Steps run one after the other. */
  readonly #steps: { readonly step: Step; readonly done: Done }[] = [];
  #running = true;
  #file: CallbackFile | null = null;
  #position = 0;
  #bodyBytes = 0;
  #error: Error | null = null;
  #ended = false;

  constructor(files: CallbackFileSystem, target: SinkTarget, events: SinkEvents) {
    this.#files = files;
    this.#target = target;
    this.#events = events;
    this.#blocks = new BlockWriter(target.start.cipher);
    files.open(target.temporaryPath, "create", (error, file) => {
      this.#file = file;
      this.#error ??= error;
      this.#runNext();
    });
    this.#append(target.start.bytes, () => undefined);
  }

  get writtenBytes(): number {
    return this.#bodyBytes;
  }

  write(bytes: Uint8Array, onWritten: Done): void {
    this.#checkOpen();
    if (this.#bodyBytes + bytes.length > snapshotBodyBytesMax) {
      this.#error ??= new StorageError(
        "limitExceeded",
        `A snapshot may have at most ${snapshotBodyBytesMax} bytes`,
      );
    }
    this.#bodyBytes += bytes.length;
    this.#append(this.#blocks.add(bytes), onWritten);
  }

  commit(onDurable: Done): void {
    this.#checkOpen();
    this.#ended = true;
    const { start, path } = this.#target;
    const body: FinishedBody = {
      path,
      bodyAt: start.bytes.length,
      bodyBytes: this.#bodyBytes,
      blocks: this.#blocks.finish(),
      cipher: start.cipher,
    };
    const end = encodeSnapshotEnd(body.blocks, { bodyBytes: this.#bodyBytes, start });
    this.#append(end, () => undefined);
    this.#add((file, done) => file.sync(done));
    this.#add((file, done) => {
      this.#file = null;
      file.close(done);
    });
    this.#add((_, done) => {
      this.#events.onReplacing();
      this.#files.rename(this.#target.temporaryPath, this.#target.path, done);
    });
    this.#add(
      (_, done) => this.#files.syncDirectory(this.#target.directory, done),
      (error) => {
        this.#events.onReplaced(error === null ? body : null);
        if (error === null) {
          onDurable(null);
        } else {
          this.#discard(() => onDurable(error));
        }
      },
    );
  }

  abort(): void {
    if (!this.#ended) {
      this.#ended = true;
      this.#error ??= new StorageError("closed", "The snapshot was given up");
      this.#add(
        (_, done) => done(null),
        () => this.#discard(() => undefined),
      );
    }
  }

  #checkOpen(): void {
    if (this.#ended) {
      throw new StorageError("closed", "The snapshot was already finished");
    }
  }

  #append(bytes: Uint8Array, done: Done): void {
    const position = this.#position;
    this.#position += bytes.length;
    this.#add((file, stepDone) => file.write(bytes, position, stepDone), done);
  }

  /** After an error no further step is carried out; each tells that error. */
  #add(step: Step, done: Done = () => undefined): void {
    this.#steps.push({ step, done });
    if (!this.#running) {
      this.#running = true;
      this.#runNext();
    }
  }

  #runNext(): void {
    const next = this.#steps.shift();
    if (next === undefined) {
      this.#running = false;
      return;
    }
    const finish: Done = (error) => {
      this.#error ??= error;
      next.done(this.#error);
      this.#runNext();
    };
    if (this.#error === null) {
      next.step(this.#file ?? closedFile, finish);
    } else {
      finish(null);
    }
  }

  /** Closes and removes the temporary file; that it can not be removed now is met at the next start. */
  #discard(done: () => void): void {
    const remove = (): void => {
      this.#files.remove(this.#target.temporaryPath, done);
    };
    if (this.#file === null) {
      remove();
    } else {
      this.#file.close(remove);
      this.#file = null;
    }
  }
}

/** Stands for the file in steps that need none, after it was closed. */
const closedFile: CallbackFile = {
  write: (_bytes, _position, done) => done(new StorageError("closed", "The snapshot is closed")),
  read: (_into, _position, done) => done(new StorageError("closed", "The snapshot is closed"), 0),
  sync: (done) => done(new StorageError("closed", "The snapshot is closed")),
  close: (done) => done(null),
};
