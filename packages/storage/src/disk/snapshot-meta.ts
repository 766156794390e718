/** The description of a snapshot as msgpack, checked field by field when it is read: msgpack carries any shape. */
import { Packr, Unpackr } from "msgpackr";
import type { Configuration, SnapshotMeta } from "@ferrite/raft";
import { StorageError } from "./errors.ts";
import { nodeIdBytesMax } from "./hard-state-codec.ts";

/** Longest description: 64 KiB, room for about a thousand members. */
export const snapshotMetaBytesMax: number = 64 * 1024;

const packr = new Packr({ useRecords: false });
const unpackr = new Unpackr({ useRecords: false, mapsAsObjects: true });

/** Throws `limitExceeded` when it is longer than `snapshotMetaBytesMax`. */
export function encodeSnapshotMeta(meta: SnapshotMeta): Uint8Array {
  const { voters, votersOutgoing, learners, learnersNext } = meta.configuration;
  const bytes = packr.pack({
    index: meta.index,
    term: meta.term,
    configuration: { voters, votersOutgoing, learners, learnersNext },
  });
  if (bytes.length > snapshotMetaBytesMax) {
    throw new StorageError(
      "limitExceeded",
      `The description of a snapshot has ${bytes.length} bytes; at most ${snapshotMetaBytesMax} are allowed`,
    );
  }
  return bytes;
}

/** The description (with size 0), or null when the bytes are not one. */
export function decodeSnapshotMeta(bytes: Uint8Array): SnapshotMeta | null {
  let value: unknown;
  try {
    value = unpackr.unpack(bytes);
  } catch {
    // What msgpackr throws says nothing more than that these bytes are not msgpack.
    return null;
  }
  if (!isRecord(value) || !isCount(value["index"]) || !isCount(value["term"])) {
    return null;
  }
  const configuration = configurationFrom(value["configuration"]);
  return configuration === null
    ? null
    : { index: value["index"], term: value["term"], configuration, sizeBytes: 0 };
}

function configurationFrom(value: unknown): Configuration | null {
  if (!isRecord(value)) {
    return null;
  }
  const voters = nodeIds(value["voters"]);
  const votersOutgoing = nodeIds(value["votersOutgoing"]);
  const learners = nodeIds(value["learners"]);
  const learnersNext = nodeIds(value["learnersNext"]);
  if (voters === null || votersOutgoing === null || learners === null || learnersNext === null) {
    return null;
  }
  return { voters, votersOutgoing, learners, learnersNext };
}

function nodeIds(value: unknown): string[] | null {
  const valid =
    Array.isArray(value) &&
    value.every((id) => typeof id === "string" && id.length > 0 && id.length <= nodeIdBytesMax);
  return valid ? (value as string[]) : null;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
