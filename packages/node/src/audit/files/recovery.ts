/**
 * Finds where a trail ended, so that the next record follows the last one of the process before. Only the tail is looked
 * at: a start must not take as long as reading a gigabyte. `ferrite audit verify` looks at everything.
 */
import { algorithmOf, hashBody, type ChainKey } from "../chain-key.ts";
import { LINE_BYTES_MAX } from "../limits.ts";
import { readChainFields, sequenceOfLine, splitLine } from "../record.ts";
import type { ChainStart } from "../chain.ts";
import type { AuditFile, AuditFileSystem } from "./audit-file-system.ts";
import { trailFiles } from "./file-names.ts";

export type Recovered =
  /** No trail yet. */
  | { readonly kind: "empty" }
  /** Goes on behind `start`; `tornBytes` of an unfinished write were cut off. */
  | {
      readonly kind: "resumed";
      readonly start: ChainStart;
      readonly file: { readonly name: string; readonly sizeBytes: number };
      readonly tornBytes: number;
    }
  /** Can not be gone on with: a new chain begins above `sequence`, in a file of its own. The old one is left as it is. */
  | {
      readonly kind: "damaged";
      readonly problem: string;
      readonly sequence: number;
      /** The last hash that stands there, for whoever looks into it. */
      readonly lastHash: string | null;
    };

/** A tail can hold one line that was written and one that was not. */
const TAIL_BYTES: number = 2 * LINE_BYTES_MAX;
const NEWLINE = 0x0a;

export async function recoverTrail(
  fileSystem: AuditFileSystem,
  directory: string,
  key: ChainKey | null,
): Promise<Recovered> {
  const files = trailFiles(await fileSystem.list(directory));
  const floor = files.at(-1)?.firstSequence ?? 0;
  let tornBytes = 0;
  for (const { name } of files.toReversed()) {
    const file = await fileSystem.open(`${directory}/${name}`, "readWrite");
    try {
      const tail = await readTail(file);
      tornBytes += tail.tornBytes;
      if (tail.tornBytes > 0) await file.truncate(tail.sizeBytes);
      // A file that was begun and got no record: the one before has the last.
      if (tail.sizeBytes === 0) continue;
      return judge({ name, sizeBytes: tail.sizeBytes, line: tail.lastLine, tornBytes, floor }, key);
    } finally {
      await file.close();
    }
  }
  if (files.length === 0) return { kind: "empty" };
  const problem = "there are files, but no record in them";
  return { kind: "damaged", problem, sequence: floor, lastHash: null };
}

interface Tail {
  /** Without what was torn. */
  readonly sizeBytes: number;
  readonly tornBytes: number;
  /** Without its end; null when it is longer than a line can be. */
  readonly lastLine: Buffer | null;
}

/** A line counts as written when its end is there: writes go in order, so what is behind the last end is torn. */
async function readTail(file: AuditFile): Promise<Tail> {
  const sizeBytes = await file.sizeBytes();
  const start = Math.max(0, sizeBytes - TAIL_BYTES);
  const bytes = Buffer.alloc(sizeBytes - start);
  const tail = bytes.subarray(0, await file.read(bytes, start));
  const end = tail.lastIndexOf(NEWLINE);
  if (end < 0) {
    const isWhole = start === 0;
    return {
      sizeBytes: isWhole ? 0 : sizeBytes,
      tornBytes: isWhole ? sizeBytes : 0,
      lastLine: null,
    };
  }
  const before = end === 0 ? -1 : tail.lastIndexOf(NEWLINE, end - 1);
  const lastLine = before < 0 && start > 0 ? null : tail.subarray(before + 1, end);
  return { sizeBytes: start + end + 1, tornBytes: tail.length - end - 1, lastLine };
}

interface LastLine {
  readonly name: string;
  readonly sizeBytes: number;
  readonly line: Buffer | null;
  readonly tornBytes: number;
  /** Sequences up to here are taken by the names of files. */
  readonly floor: number;
}

function judge(last: LastLine, key: ChainKey | null): Recovered {
  const { name, line, floor } = last;
  const split = line === null ? null : splitLine(line);
  const fields = line === null ? null : readChainFields(line);
  const damaged = (problem: string): Recovered => ({
    kind: "damaged",
    problem: `${problem} (${name})`,
    sequence: Math.max(floor, (line === null ? null : sequenceOfLine(line)) ?? 0),
    lastHash: split?.hash ?? null,
  });
  if (split === null || fields === null) return damaged("the last line is no record");
  if (fields.algorithm !== algorithmOf(key)) {
    return damaged("audit-key-file was set or taken away since the last record");
  }
  if (hashBody(split.body, key) !== split.hash) {
    return damaged("the last record does not have its hash, or audit-key-file is another one");
  }
  return {
    kind: "resumed",
    start: { sequence: fields.sequence, hash: split.hash, chain: fields.chain },
    file: { name, sizeBytes: last.sizeBytes },
    tornBytes: last.tornBytes,
  };
}
