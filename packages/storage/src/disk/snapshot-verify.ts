/** Checks a snapshot file from its first to its last byte, at boot. Reads in pieces. */
import { crc32 } from "node:zlib";
import type { SnapshotMeta } from "@ferrite/raft";
import { StorageError, damaged, notAuthentic } from "./errors.ts";
import type { FileHandle, FileSystem } from "./file-system.ts";
import { openBlock } from "./snapshot-blocks.ts";
import type { ReadableBody } from "./snapshot-blocks.ts";
import {
  decodeSnapshotStart,
  decodeSnapshotTable,
  decodeSnapshotTrailer,
  snapshotBlockBytes,
  snapshotBodyBytesMax,
  snapshotFileName,
  snapshotStartBytesMax,
  snapshotTableBytes,
  snapshotTrailerBytes,
} from "./snapshot-format.ts";
import type { ExpectedSnapshot } from "./snapshot-format.ts";

/** A whole snapshot on disk. */
export interface StoredSnapshot extends ReadableBody {
  readonly meta: SnapshotMeta;
}

/**
 * What a file holds, after checking header, meta, trailer and block checksums, and with `body` every block too.
 *
 * Throws `damaged`, `unknownVersion`, `foreignCluster`, `foreignGroup`, `limitExceeded`, `encrypted`, `notEncrypted`,
 * `missingKey` or `wrongKey`, naming file and offset.
 */
export function verifySnapshot(
  fileSystem: FileSystem,
  expected: ExpectedSnapshot & { readonly body: boolean },
): StoredSnapshot {
  const handle = fileSystem.open(expected.file, "read");
  try {
    const snapshot = readFrame(handle, expected);
    if (expected.body) {
      verifyBody(handle, snapshot);
    }
    return snapshot;
  } finally {
    handle.close();
  }
}

function readAt(handle: FileHandle, range: { start: number; length: number }): Uint8Array {
  const bytes = new Uint8Array(range.length);
  return bytes.subarray(0, handle.read(bytes, range.start));
}

function readFrame(handle: FileHandle, expected: ExpectedSnapshot): StoredSnapshot {
  const path = expected.file;
  const fileBytes = handle.sizeBytes();
  const start = decodeSnapshotStart(
    readAt(handle, { start: 0, length: snapshotStartBytesMax }),
    expected,
  );
  const { bodyAt, cipher } = start;
  const trailerAt = fileBytes - snapshotTrailerBytes;
  const trailer =
    trailerAt < bodyAt
      ? null
      : decodeSnapshotTrailer(readAt(handle, { start: trailerAt, length: snapshotTrailerBytes }));
  if (trailer === null) {
    throw damaged("The end of this snapshot is missing or does not match its checksum", {
      file: path,
      offsetBytes: Math.max(trailerAt, 0),
    });
  }
  if (trailer.bodyBytes > snapshotBodyBytesMax) {
    throw new StorageError(
      "limitExceeded",
      `This snapshot has ${trailer.bodyBytes} bytes; at most ${snapshotBodyBytesMax} are allowed`,
      { place: { file: path, offsetBytes: trailerAt } },
    );
  }
  const tableBytes = snapshotTableBytes(trailer.bodyBytes, cipher !== null);
  const blocksAt = bodyAt + trailer.bodyBytes;
  const fits = trailer.headerChecksum === start.checksum && blocksAt + tableBytes === trailerAt;
  if (!fits) {
    throw damaged("Beginning and end of this snapshot do not belong together", {
      file: path,
      offsetBytes: trailerAt,
    });
  }
  const table = readAt(handle, { start: blocksAt, length: tableBytes });
  if (crc32(table) !== trailer.blocksChecksum) {
    throw damaged("The block checksums of this snapshot are wrong", {
      file: path,
      offsetBytes: blocksAt,
    });
  }
  const blocks = decodeSnapshotTable(table, { ...trailer, cipher });
  if (blocks === null) {
    throw notAuthentic("The end of this snapshot", { file: path, offsetBytes: blocksAt });
  }
  checkName(path, start.meta);
  return { path, meta: { ...start.meta, sizeBytes: trailer.bodyBytes }, bodyAt, blocks, cipher };
}

function checkName(path: string, meta: SnapshotMeta): void {
  if (!path.endsWith(`/${snapshotFileName(meta)}`)) {
    throw damaged(
      `This file holds the snapshot at index ${meta.index}, term ${meta.term}; its name says something else`,
      { file: path, offsetBytes: 0 },
    );
  }
}

function verifyBody(handle: FileHandle, snapshot: StoredSnapshot): void {
  const block = new Uint8Array(snapshotBlockBytes);
  for (const number of snapshot.blocks.checksums.keys()) {
    const start = number * snapshotBlockBytes;
    const length = Math.min(snapshotBlockBytes, snapshot.meta.sizeBytes - start);
    const count = handle.read(block.subarray(0, length), snapshot.bodyAt + start);
    openBlock(snapshot, number, block.subarray(0, count));
  }
}
