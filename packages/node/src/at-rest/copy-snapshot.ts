/**
 * Writes a snapshot again in its own place, byte for byte: encrypted now, where it was not. A follower that is being sent
 * it goes on with the copy, as the body is the same.
 */
import type { SnapshotMeta } from "@ferrite/raft";
import type { SnapshotSink, SnapshotStore } from "@ferrite/storage";

/** Four blocks of the file. */
const PIECE_BYTES: number = 1024 * 1024;

/** @throws what the disk says; the snapshot is as it was then */
export async function copySnapshot(store: SnapshotStore, meta: SnapshotMeta): Promise<void> {
  const sink = store.create(meta);
  try {
    for (let offsetBytes = 0; ; offsetBytes += PIECE_BYTES) {
      const piece = await read(store, meta, offsetBytes);
      if (piece.length > 0) await write(sink, piece);
      if (piece.length < PIECE_BYTES) break;
    }
  } catch (error) {
    sink.abort();
    throw error;
  }
  await new Promise<void>((resolve, reject) => {
    sink.commit((error) => (error === null ? resolve() : reject(error)));
  });
}

function read(store: SnapshotStore, meta: SnapshotMeta, offsetBytes: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    store.read(meta, { offsetBytes, lengthBytes: PIECE_BYTES }, (error, bytes) => {
      if (error === null) resolve(bytes);
      else reject(error);
    });
  });
}

function write(sink: SnapshotSink, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    sink.write(bytes, (error) => (error === null ? resolve() : reject(error)));
  });
}
