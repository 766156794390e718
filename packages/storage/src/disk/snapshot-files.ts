/** The snapshots of one node, a file each, on either kind of disk (file-snapshot-store.ts). */
import type { SnapshotMeta } from "@ferrite/raft";
import type { AtRestKeys } from "./at-rest-keys.ts";
import type { CallbackFile, CallbackFileSystem } from "./callback-file-system.ts";
import { StorageError, damaged } from "./errors.ts";
import { FileSnapshotSink } from "./file-snapshot-sink.ts";
import type { FinishedBody } from "./file-snapshot-sink.ts";
import { checkAtRestKeys, makeEnvelope } from "./file-envelope.ts";
import type { SnapshotSink, SnapshotStore } from "./ports.ts";
import { randomBytesOfThisMachine } from "./random-bytes.ts";
import { openBlock } from "./snapshot-blocks.ts";
import {
  encodeSnapshotStart,
  snapshotBlockBytes,
  snapshotFileName,
  snapshotIdentity,
} from "./snapshot-format.ts";
import type { SnapshotStart } from "./snapshot-format.ts";
import { encodeSnapshotMeta } from "./snapshot-meta.ts";
import { temporarySuffix } from "./snapshot-loading.ts";
import type { SnapshotStoreOptions } from "./snapshot-loading.ts";
import type { StoredSnapshot } from "./snapshot-verify.ts";

/** A snapshot and how it is being used. */
interface Held {
  readonly snapshot: StoredSnapshot;
  /** Reads that are on their way. */
  reads: number;
  /** Whether it was read since the last `prune`. */
  readSincePrune: boolean;
}

type OnRead = (error: Error | null, bytes: Uint8Array) => void;

const noBytes: Uint8Array = new Uint8Array(0);

export class SnapshotFiles implements SnapshotStore {
  readonly #files: CallbackFileSystem;
  readonly #options: SnapshotStoreOptions;
  /** Oldest first. */
  #held: Held[];
  /** Files that are changing hands, and the reads that wait until it is known which snapshot is there. */
  readonly #replacing: Map<string, (() => void)[]> = new Map();
  #temporaryCount = 0;
  #keys: AtRestKeys | null;

  /** `snapshots`: what `loadSnapshots` found. */
  constructor(
    files: CallbackFileSystem,
    options: SnapshotStoreOptions,
    snapshots: readonly StoredSnapshot[],
  ) {
    this.#files = files;
    this.#options = options;
    this.#keys = options.encryption ?? null;
    this.#held = snapshots.map((snapshot) => ({ snapshot, reads: 0, readSincePrune: false }));
  }

  latest(): SnapshotMeta | null {
    return this.#held.at(-1)?.snapshot.meta ?? null;
  }

  /** Snapshots that begin from now on are encrypted with these. Throws `limitExceeded` when a key can not be used. */
  useKeys(keys: AtRestKeys): void {
    checkAtRestKeys(keys);
    this.#keys = keys;
  }

  /** Throws `limitExceeded` when the description is too long. Errors of the disk are told by the sink. */
  create(meta: SnapshotMeta): SnapshotSink {
    const { directory } = this.#options;
    const path = `${directory}/${snapshotFileName(meta)}`;
    this.#temporaryCount += 1;
    const target = {
      directory,
      path,
      // Numbered: one that was given up may still be on its way out while the next one begins.
      temporaryPath: `${path}.${this.#temporaryCount}${temporarySuffix}`,
      start: this.#startOf(meta),
    };
    return new FileSnapshotSink(this.#files, target, {
      onReplacing: () => this.#replacing.set(path, []),
      onReplaced: (body) => {
        if (body !== null) {
          this.#committed(meta, body);
        }
        const waiting = this.#replacing.get(path) ?? [];
        this.#replacing.delete(path);
        for (const read of waiting) {
          read();
        }
      },
    });
  }

  read(
    meta: SnapshotMeta,
    range: { readonly offsetBytes: number; readonly lengthBytes: number },
    onRead: OnRead,
  ): void {
    const held = this.#held.find(
      ({ snapshot }) => snapshot.meta.index === meta.index && snapshot.meta.term === meta.term,
    );
    if (held === undefined) {
      onRead(
        new StorageError("closed", `There is no snapshot at index ${meta.index} any more`),
        noBytes,
      );
      return;
    }
    held.reads += 1;
    held.readSincePrune = true;
    this.#readBlocks(held.snapshot, range, (error, bytes) => {
      held.reads -= 1;
      if (error === null || !this.#readAgain(held.snapshot, () => this.read(meta, range, onRead))) {
        onRead(error, bytes);
      }
    });
  }

  /**
   * The same snapshot may be written anew, with another key, while it is read: what was read from the new file with
   * the old one's key says nothing. Whether `read` is called (now or later) instead.
   */
  #readAgain(snapshot: StoredSnapshot, read: () => void): boolean {
    const waiting = this.#replacing.get(snapshot.path);
    if (waiting !== undefined) {
      waiting.push(read);
      return true;
    }
    const isReplaced = this.#held.some(
      (held) => held.snapshot.path === snapshot.path && held.snapshot !== snapshot,
    );
    if (isReplaced) {
      read();
    }
    return isReplaced;
  }

  prune(keep: number): void {
    const candidates = this.#held.slice(0, Math.max(0, this.#held.length - keep));
    const unused = candidates.filter((held) => held.reads === 0 && !held.readSincePrune);
    this.#held = this.#held.filter((held) => !unused.includes(held));
    for (const held of this.#held) {
      held.readSincePrune = false;
    }
    for (const { snapshot } of unused) {
      // A file that can not be removed costs room only; it is found again, and removed, after the next start.
      this.#files.remove(snapshot.path, () => undefined);
    }
  }

  /** Header and meta. Every file has a data key of its own, also one that is tried again. */
  #startOf(meta: SnapshotMeta): SnapshotStart {
    const identity = snapshotIdentity(this.#options, snapshotFileName(meta));
    const randomBytes = this.#options.randomBytes ?? randomBytesOfThisMachine;
    const envelope = this.#keys === null ? null : makeEnvelope(identity, this.#keys, randomBytes);
    return encodeSnapshotStart(this.#options, encodeSnapshotMeta(meta), envelope);
  }

  #committed(meta: SnapshotMeta, { bodyBytes, ...body }: FinishedBody): void {
    const snapshot: StoredSnapshot = { ...body, meta: { ...meta, sizeBytes: bodyBytes } };
    const others = this.#held.filter((held) => held.snapshot.path !== snapshot.path);
    this.#held = [...others, { snapshot, reads: 0, readSincePrune: false }].toSorted((a, b) =>
      a.snapshot.path < b.snapshot.path ? -1 : 1,
    );
  }

  /** Reads the whole blocks around the range, checks them, and cuts the range out. */
  #readBlocks(
    snapshot: StoredSnapshot,
    range: { readonly offsetBytes: number; readonly lengthBytes: number },
    onRead: OnRead,
  ): void {
    const bodyBytes = snapshot.meta.sizeBytes;
    const start = Math.min(range.offsetBytes, bodyBytes);
    const end = Math.min(start + range.lengthBytes, bodyBytes);
    if (start === end) {
      onRead(null, noBytes);
      return;
    }
    const firstBlock = Math.floor(start / snapshotBlockBytes);
    const blocksStart = firstBlock * snapshotBlockBytes;
    const blocksEnd = Math.min(Math.ceil(end / snapshotBlockBytes) * snapshotBlockBytes, bodyBytes);
    const bytes = new Uint8Array(blocksEnd - blocksStart);
    this.#readAll(snapshot, { position: snapshot.bodyAt + blocksStart, into: bytes }, (error) => {
      const wrong = error ?? openBlocks(snapshot, firstBlock, bytes);
      onRead(
        wrong,
        wrong === null ? bytes.subarray(start - blocksStart, end - blocksStart) : noBytes,
      );
    });
  }

  #readAll(
    snapshot: StoredSnapshot,
    request: { readonly position: number; readonly into: Uint8Array },
    done: (error: Error | null) => void,
  ): void {
    this.#files.open(snapshot.path, "read", (openError, file: CallbackFile | null) => {
      if (file === null) {
        done(openError);
        return;
      }
      file.read(request.into, request.position, (readError, count) => {
        const short =
          readError === null && count < request.into.length
            ? damaged("This snapshot ends early", {
                file: snapshot.path,
                offsetBytes: request.position + count,
              })
            : null;
        file.close((closeError) => done(readError ?? short ?? closeError));
      });
    });
  }
}

/** Replaces stored blocks by what they are in the clear; tells what is wrong with one of them. */
function openBlocks(
  snapshot: StoredSnapshot,
  firstBlock: number,
  bytes: Uint8Array,
): StorageError | null {
  try {
    for (let at = 0; at < bytes.length; at += snapshotBlockBytes) {
      const stored = bytes.subarray(at, at + snapshotBlockBytes);
      const plain = openBlock(snapshot, firstBlock + at / snapshotBlockBytes, stored);
      if (plain !== stored) {
        stored.set(plain);
      }
    }
    return null;
  } catch (error) {
    if (error instanceof StorageError) {
      return error;
    }
    throw error;
  }
}
