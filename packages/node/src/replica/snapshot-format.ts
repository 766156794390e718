/**
 * The body of a snapshot (the store adds checksum and file header):
 *
 *   u32 length of the header   header, msgpack   records of the keyspace (storage/keyspace), to the end
 */
import { unpack, pack } from "msgpackr";
import type { Keyspace } from "@ferrite/storage";
import { isAnchor, type AnchorRecord } from "./anchors.ts";
import { ReplicaError } from "./errors.ts";
import type { StateHeader } from "./state-machine.ts";

/** What the first versions wrote, and read still as long as the cluster is at feature level 0. */
const FORMAT = 2;
/** The same with members that those versions must not ignore. */
const FORMAT_WITH_MEMBERS = 3;
/**
 * A header holds a few lines per node, and the users: of them apply takes no more than 8 MiB (AclLimits.tableBytesMax), which are
 * at most twice as many bytes here. More than this is not one of ours.
 */
export const SNAPSHOT_HEADER_BYTES_MAX: number = 32 * 1024 * 1024;

export function encodeHeader(header: StateHeader): Buffer {
  const isPlain = (header.members?.level ?? 0) === 0;
  const body = pack({ format: isPlain ? FORMAT : FORMAT_WITH_MEMBERS, ...header });
  const bytes = Buffer.allocUnsafeSlow(4 + body.length);
  bytes.writeUInt32LE(body.length, 0);
  body.copy(bytes, 4);
  return bytes;
}

/** Reads a snapshot's body in pieces cut anywhere: the header first, then the keyspace's records. */
export class SnapshotReader {
  readonly #restore: { write(bytes: Uint8Array): void; end(): void };
  readonly #onHeader: (header: StateHeader) => void;
  #headPieces: Buffer[] = [];
  #headBytes = 0;
  #headerRead = false;

  constructor(keyspace: Keyspace, onHeader: (header: StateHeader) => void) {
    this.#restore = keyspace.restore();
    this.#onHeader = onHeader;
  }

  /** Throws ReplicaError BAD_SNAPSHOT, or the keyspace's own error for its records. */
  write(bytes: Uint8Array): void {
    if (this.#headerRead) {
      this.#restore.write(bytes);
      return;
    }
    this.#headPieces.push(Buffer.from(bytes));
    this.#headBytes += bytes.length;
    if (this.#headBytes < 4) return;
    const head = Buffer.concat(this.#headPieces);
    this.#headPieces = [head];
    const length = head.readUInt32LE(0);
    if (length > SNAPSHOT_HEADER_BYTES_MAX) {
      throw new ReplicaError("BAD_SNAPSHOT", `the snapshot's header claims ${length} bytes`);
    }
    if (head.length < 4 + length) return;
    this.#onHeader(checkHeader(unpack(head.subarray(4, 4 + length))));
    this.#headerRead = true;
    this.#headPieces = [];
    if (head.length > 4 + length) this.#restore.write(head.subarray(4 + length));
  }

  end(): void {
    if (!this.#headerRead)
      throw new ReplicaError("BAD_SNAPSHOT", "the snapshot ends inside its header");
    this.#restore.end();
  }
}

function checkHeader(value: unknown): StateHeader {
  const header = value as Partial<StateHeader & { format: number }> | null;
  const format = typeof header === "object" ? header?.format : undefined;
  if (header === null || (format !== FORMAT && format !== FORMAT_WITH_MEMBERS)) {
    throw new ReplicaError(
      "BAD_SNAPSHOT",
      "the snapshot's header has a format this version does not know; run the version that wrote it",
    );
  }
  const { sessions, timeMs, users, anchors, members } = header;
  if (!Array.isArray(sessions) || typeof timeMs !== "number" || !Number.isFinite(timeMs)) {
    throw new ReplicaError("BAD_SNAPSHOT", "the snapshot's header lacks sessions or time");
  }
  for (const record of sessions as unknown[]) {
    if (
      !Array.isArray(record) ||
      typeof record[0] !== "string" ||
      !Number.isSafeInteger(record[1]) ||
      !Number.isSafeInteger(record[2])
    ) {
      throw new ReplicaError("BAD_SNAPSHOT", "the snapshot's header holds a session that is none");
    }
  }
  if (typeof users !== "object" || users === null) {
    throw new ReplicaError("BAD_SNAPSHOT", "the snapshot's header lacks the users");
  }
  const parts = { sessions, timeMs, users, anchors: checkAnchors(anchors) };
  // What is in it is checked where it is taken over (members-table.ts).
  return members === undefined ? parts : { ...parts, members };
}

function checkAnchors(value: unknown): readonly AnchorRecord[] {
  const isRecord = (record: unknown): boolean => {
    if (!Array.isArray(record) || record.length !== 3) return false;
    const [nodeId, sequence, head] = record as [unknown, number, string];
    return typeof nodeId === "string" && isAnchor({ sequence, head });
  };
  if (!Array.isArray(value) || !value.every(isRecord)) {
    throw new ReplicaError("BAD_SNAPSHOT", "the snapshot's header holds an anchor that is none");
  }
  return value as readonly AnchorRecord[];
}
