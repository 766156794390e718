/**
 * Writes that nodes make and no client can: changes of the users and members, anchors of audit trails. They are records in batches of
 * commands, so that sessions, retries and order hold for them as for any write.
 *
 *   0   *3\r\n $7\r\nacl.set\r\n $3\r\nbob\r\n $2\r\non\r\n
 *   ^   ^
 *   |   the words of the write, in the form of a command
 *   a byte with which no command begins: the door for clients (Replica.submit) refuses it
 *
 * Words are byte strings, one character a byte (latin1).
 */
import type { Argv } from "../resp/argv.ts";
import type { BatchReader } from "./batch.ts";
import { readCommandRecord } from "./command-record.ts";

const INTERNAL_MARK = 0;

/** First word of a write. Stored in logs: never give a name another meaning. */
export const InternalWrite = {
  SetUser: "acl.set",
  DeleteUsers: "acl.delete",
  ReplaceUsers: "acl.replace",
  SeedUsers: "acl.seed",
  SetPolicy: "acl.policy",
  Anchor: "audit.anchor",
  /** A comparison of all members' states begins, and what one of them has (repair/state-checks.ts). */
  CheckState: "state.check",
  ReportState: "state.report",
  /** Of the membership, by any node (members/member-writes.ts). */
  Members: "members",
  /** The same, by the leader: in entries of the kind "leader" only. */
  LeadMembers: "members.lead",
  /** In entries of the kind "raise" only: the level, and the version that raises it. */
  RaiseLevel: "cluster.level",
} as const;
export type InternalWrite = (typeof InternalWrite)[keyof typeof InternalWrite];

/** @throws RangeError for a word with a character that is no byte: it would be another word in the log. */
export function encodeInternalWrite(name: InternalWrite, words: readonly string[]): Buffer {
  const parts = [name, ...words].map((word) => {
    for (let at = 0; at < word.length; at++) {
      if (word.charCodeAt(at) > 0xff) throw new RangeError("a word of a write is no byte string");
    }
    return `$${word.length}\r\n${word}\r\n`;
  });
  return Buffer.from(`\0*${parts.length}\r\n${parts.join("")}`, "latin1");
}

/** Whether bytes claim to be an internal write. */
export function isInternalWrite(buffer: Uint8Array, start: number, end: number): boolean {
  return start < end && buffer[start] === INTERNAL_MARK;
}

/** The words of the current record, which is an internal write; null when it is not whole. */
export function readInternalWrite(reader: BatchReader, argv: Argv): readonly string[] | null {
  const { buffer, recordStart, recordEnd } = reader;
  if (!readCommandRecord(buffer, recordStart + 1, recordEnd, argv)) return null;
  return Array.from({ length: argv.count }, (_, at) => argv.latin1(at));
}
