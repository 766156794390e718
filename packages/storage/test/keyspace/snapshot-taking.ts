/** Taking and reading snapshots in tests. */
import type { KeyspaceSnapshot, SnapshotBytes } from "../../src/keyspace/api.ts";
import { Keyspace } from "../../src/keyspace/keyspace.ts";

/** Collects what a snapshot writes, all steps one behind the other. */
export class CollectedBytes implements SnapshotBytes {
  readonly #pieces: Buffer[] = [];
  /** As the contract has it: counted from the beginning of a slice. */
  length = 0;

  append(buffer: Uint8Array, start: number, end: number): void {
    this.#pieces.push(Buffer.from(buffer.subarray(start, end)));
    this.length += end - start;
  }

  beginSlice(): void {
    this.length = 0;
  }

  bytes(): Buffer {
    return Buffer.concat(this.#pieces);
  }
}

/** Steps to the end in slices of the given size. */
export function finish(
  snapshot: KeyspaceSnapshot,
  out: CollectedBytes,
  budget: { slots: number; bytes: number } = { slots: 500, bytes: 65_536 },
): Buffer {
  for (;;) {
    out.beginSlice();
    if (snapshot.step(out, budget)) {
      return out.bytes();
    }
  }
}

export function snapshotOf(keyspace: Keyspace): Buffer {
  return finish(keyspace.beginSnapshot(), new CollectedBytes());
}

/** Restores from pieces of the given lengths, in turn. */
export function restored(bytes: Buffer, pieceBytes: readonly number[] = [65_536]): Keyspace {
  const keyspace = new Keyspace({ hashSeed: 7 });
  const restore = keyspace.restore();
  let at = 0;
  for (let piece = 0; at < bytes.length; piece += 1) {
    const length = pieceBytes[piece % pieceBytes.length];
    restore.write(bytes.subarray(at, at + length));
    at += length;
  }
  restore.end();
  return keyspace;
}
