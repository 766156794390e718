/** Checks a snapshot file from its first to its last byte, at boot. Reads in pieces. */
import { crc32 } from "node:zlib";
import type { SnapshotMeta } from "@ferrite/raft";
import { StorageError, damaged } from "./errors.ts";
import type { FileHandle, FileSystem } from "./file-system.ts";
import { readU32 } from "./little-endian.ts";
import {
  blockCount,
  decodeSnapshotStart,
  decodeSnapshotTrailer,
  snapshotBlockBytes,
  snapshotBodyBytesMax,
  snapshotFileName,
  snapshotHeaderBytes,
  snapshotTrailerBytes,
} from "./snapshot-format.ts";
import type { SnapshotOwner } from "./snapshot-format.ts";
import { snapshotMetaBytesMax } from "./snapshot-meta.ts";

/** A whole snapshot on disk. */
export interface StoredSnapshot {
  readonly path: string;
  readonly meta: SnapshotMeta;
  readonly bodyAt: number;
  readonly blockChecksums: readonly number[];
}

/**
 * What a file holds, after checking header, meta, trailer and block checksums, and with `body` every block too.
 *
 * Throws `damaged`, `unknownVersion`, `foreignCluster`, `foreignGroup` or `limitExceeded`, naming file and offset.
 */
export function verifySnapshot(
  fileSystem: FileSystem,
  path: string,
  expected: SnapshotOwner & { readonly body: boolean },
): StoredSnapshot {
  const handle = fileSystem.open(path, "read");
  try {
    const snapshot = readFrame(handle, path, expected);
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

function readFrame(handle: FileHandle, path: string, expected: SnapshotOwner): StoredSnapshot {
  const fileBytes = handle.sizeBytes();
  const start = decodeSnapshotStart(
    readAt(handle, { start: 0, length: snapshotHeaderBytes + snapshotMetaBytesMax }),
    { ...expected, file: path },
  );
  const bodyAt = snapshotHeaderBytes + start.metaBytes;
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
  const blocks = blockCount(trailer.bodyBytes);
  const blocksAt = bodyAt + trailer.bodyBytes;
  const fits = trailer.headerChecksum === start.checksum && blocksAt + blocks * 4 === trailerAt;
  if (!fits) {
    throw damaged("Beginning and end of this snapshot do not belong together", {
      file: path,
      offsetBytes: trailerAt,
    });
  }
  const table = readAt(handle, { start: blocksAt, length: blocks * 4 });
  if (crc32(table) !== trailer.blocksChecksum) {
    throw damaged("The block checksums of this snapshot are wrong", {
      file: path,
      offsetBytes: blocksAt,
    });
  }
  checkName(path, start.meta);
  return {
    path,
    meta: { ...start.meta, sizeBytes: trailer.bodyBytes },
    bodyAt,
    blockChecksums: Array.from({ length: blocks }, (_, i) => readU32(table, i * 4)),
  };
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
  const { bodyAt, meta, path } = snapshot;
  const block = new Uint8Array(snapshotBlockBytes);
  for (const [i, checksum] of snapshot.blockChecksums.entries()) {
    const start = i * snapshotBlockBytes;
    const length = Math.min(snapshotBlockBytes, meta.sizeBytes - start);
    const bytes = block.subarray(0, length);
    if (handle.read(bytes, bodyAt + start) !== length || crc32(bytes) !== checksum) {
      throw damaged("A block of this snapshot does not match its checksum", {
        file: path,
        offsetBytes: bodyAt + start,
      });
    }
  }
}
