/** Errors of the disk side. A code is stable: programs and alarms may rely on it, the message is for people. */

export type StorageErrorCode =
  /** Bytes that were made durable are not what was written. The message names file and offset; nothing is changed. */
  | "damaged"
  /** A log file that must be there is not. */
  | "segmentMissing"
  /** The log does not continue where the snapshot (or the record before) ends. */
  | "logGap"
  /** The file belongs to another cluster. */
  | "foreignCluster"
  /** The file belongs to another group of this cluster. */
  | "foreignGroup"
  /** The file was written by a newer version, or uses a feature this version does not know. */
  | "unknownVersion"
  /** The file is encrypted, and this node was started without encryption at rest. */
  | "encrypted"
  /** The file is not encrypted, and this node takes encrypted files only. */
  | "notEncrypted"
  /** The file is encrypted with a node key that this node does not have. */
  | "missingKey"
  /** The node key of that number is not the one the file was encrypted with. */
  | "wrongKey"
  /** No room to reserve the next log segment. Nothing is lost; free space and it goes on. */
  | "noSpace"
  /** A value is beyond a named limit. */
  | "limitExceeded"
  /** Another process uses the data directory. */
  | "directoryLocked"
  /** The device or the operating system failed; the node must stop. */
  | "deviceFailed"
  /** Used after close, or after a failure. */
  | "closed";

/** Where in which file a problem was found. */
export interface StorageErrorPlace {
  readonly file: string;
  readonly offsetBytes: number;
}

export class StorageError extends Error {
  readonly code: StorageErrorCode;
  readonly file: string | null;
  readonly offsetBytes: number | null;

  constructor(
    code: StorageErrorCode,
    message: string,
    details: { readonly place?: StorageErrorPlace; readonly cause?: unknown } = {},
  ) {
    const where =
      details.place === undefined
        ? ""
        : ` (file ${details.place.file}, byte offset ${details.place.offsetBytes})`;
    super(`${message}${where}`, details.cause === undefined ? {} : { cause: details.cause });
    this.name = "StorageError";
    this.code = code;
    this.file = details.place?.file ?? null;
    this.offsetBytes = details.place?.offsetBytes ?? null;
  }
}

const repairAdvice =
  "Nothing was changed. Do not edit or delete the file: restore this node's data directory from a copy, or remove " +
  "the node from the cluster and let it join again with an empty directory";

/** An error for bytes that were durable and are now wrong: what is wrong, where, and what to do. */
export function damaged(what: string, place: StorageErrorPlace): StorageError {
  return new StorageError("damaged", `${what}. ${repairAdvice}`, { place });
}

/** An error for a plain file where only encrypted ones are taken: somebody put it there, or the setting came too early. */
export function notEncrypted(place: StorageErrorPlace): StorageError {
  return new StorageError(
    "notEncrypted",
    "This file is not encrypted, and this node takes encrypted files only. Put back the file it wrote itself; a " +
      "data directory from before encryption at rest needs it to be switched on anew. Nothing was changed",
    { place },
  );
}

/**
 * An error for bytes with a right checksum that their tag does not prove: not a fault of the disk, which would have
 * broken the checksum.
 */
export function notAuthentic(what: string, place: StorageErrorPlace): StorageError {
  return damaged(
    `${what} does not open with the key of its file, though its checksum fits: somebody changed it or put it there`,
    place,
  );
}

/** The `code` of a Node.js system error, or an empty string. */
export function systemErrorCode(error: unknown): string {
  if (typeof error === "object" && error !== null && "code" in error) {
    return String(error.code);
  }
  return "";
}

/** Whether an error means "no room" (full disk or quota). */
export function isNoSpace(error: unknown): boolean {
  const code = systemErrorCode(error);
  return code === "ENOSPC" || code === "EDQUOT";
}
