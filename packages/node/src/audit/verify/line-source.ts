/** The lines of files of any size, one at a time, with file and number. */
import { createReadStream } from "node:fs";
import { LINE_BYTES_MAX } from "../limits.ts";

export interface SourceLine {
  readonly file: string;
  /** From 1. */
  readonly number: number;
  /** Without its end. Null: longer than any record, the rest of the file is not looked at. */
  readonly bytes: Buffer | null;
  /** False for what stands behind the last line end of a file. */
  readonly isComplete: boolean;
}

const NEWLINE = 0x0a;

/** @throws the system's error when a file can not be read */
export async function* linesOf(path: string): AsyncGenerator<SourceLine> {
  let rest: Buffer = Buffer.alloc(0);
  let number = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: 256 * 1024 })) {
    const bytes = Buffer.concat([rest, chunk as Buffer]);
    let start = 0;
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
      number++;
      yield { file: path, number, bytes: bytes.subarray(start, end), isComplete: true };
      start = end + 1;
    }
    rest = bytes.subarray(start);
    if (rest.length > LINE_BYTES_MAX) {
      yield { file: path, number: number + 1, bytes: null, isComplete: true };
      return;
    }
  }
  if (rest.length > 0) yield { file: path, number: number + 1, bytes: rest, isComplete: false };
}
