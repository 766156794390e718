/**
 * What a repair still owes, durably (R58): where the log ended before it was damaged. It is written before anything of
 * the log is changed and goes when the log is that far again, so that a crash in between can not leave a node that has
 * forgotten both the entries and that it once acknowledged them. JSON in one line and its CRC-32 in a second one.
 */
import { crc32 } from "node:zlib";
import type { LogPosition } from "@ferrite/raft";
import { StorageError } from "./errors.ts";
import type { FileSystem } from "./file-system.ts";
import { writeFileDurably } from "./durable-file.ts";
import type { Damage } from "./log-survey.ts";

export interface RepairNote {
  /** Where the log ended; null when nothing of it was lost. */
  readonly floor: LogPosition | null;
  /** Segments of lower numbers are on their way into quarantine. */
  readonly firstSegment: number;
  /** The repair's number. */
  readonly number: number;
  /** What was found, for people; at most `notedDamagesMax` of them. */
  readonly damages: readonly Damage[];
}

/** How many damages a note holds. */
export const notedDamagesMax = 16;

const noteBytesMax: number = 256 * 1024;
const formatVersion = 1;

/**
 * The note; null when there is none, "damaged" when it can not be read: then it is only known that something is owed.
 * Throws `unknownVersion`.
 */
export function readRepairNote(
  fileSystem: FileSystem,
  path: string,
): RepairNote | "damaged" | null {
  if (!fileSystem.exists(path)) {
    return null;
  }
  const handle = fileSystem.open(path, "read");
  try {
    const bytes = new Uint8Array(Math.min(handle.sizeBytes(), noteBytesMax));
    return parse(bytes.subarray(0, handle.read(bytes, 0)), path);
  } finally {
    handle.close();
  }
}

export function writeRepairNote(fileSystem: FileSystem, path: string, note: RepairNote): void {
  const damages = note.damages.slice(0, notedDamagesMax);
  const line = JSON.stringify({ format: formatVersion, ...note, damages });
  const bytes = new TextEncoder().encode(`${line}\n`);
  writeFileDurably(fileSystem, path, concat(bytes, new TextEncoder().encode(`${sumOf(bytes)}\n`)));
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  const all = new Uint8Array(a.length + b.length);
  all.set(a, 0);
  all.set(b, a.length);
  return all;
}

function sumOf(bytes: Uint8Array): string {
  return crc32(bytes).toString(16).padStart(8, "0");
}

function parse(bytes: Uint8Array, path: string): RepairNote | "damaged" {
  const end = bytes.indexOf(0x0a) + 1;
  const sum = new TextDecoder().decode(bytes.subarray(end)).trim();
  if (end === 0 || sum !== sumOf(bytes.subarray(0, end))) {
    return "damaged";
  }
  // The checksum fits: this program wrote it, or a later one did.
  const note = JSON.parse(new TextDecoder().decode(bytes.subarray(0, end))) as RepairNote & {
    readonly format: number;
  };
  if (note.format !== formatVersion) {
    throw new StorageError(
      "unknownVersion",
      `This note about a repair has format version ${note.format}; this program reads version ${formatVersion}. Start ` +
        `the version that wrote it`,
      { place: { file: path, offsetBytes: 0 } },
    );
  }
  const { floor, firstSegment, number, damages } = note;
  return { floor, firstSegment, number, damages };
}
