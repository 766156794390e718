/**
 * Reads one whole command out of a batch. The bytes were decoded once at the edge of some node, so every length is there; all
 * the same nothing outside the record is ever touched and anything else than a command is refused.
 */
import type { Argv } from "../resp/argv.ts";

const STAR = 0x2a;
const DOLLAR = 0x24;
const CARRIAGE_RETURN = 0x0d;

/** Puts the arguments into `argv`; false when the record is not exactly one multibulk command. */
export function readCommandRecord(buffer: Buffer, start: number, end: number, argv: Argv): boolean {
  argv.reset(buffer);
  if (end - start < 4 || buffer[start] !== STAR) return false;
  let at = start + 1;
  let count = 0;
  for (; at < end && buffer[at] !== CARRIAGE_RETURN; at++) count = count * 10 + (buffer[at] - 0x30);
  at += 2;
  // The smallest argument is "$0\r\n\r\n": a count that can not fit is refused before the loop.
  if (!(count > 0 && count <= (end - at) / 6)) return false;
  for (let index = 0; index < count; index++) {
    if (at >= end || buffer[at] !== DOLLAR) return false;
    at++;
    let length = 0;
    for (; at < end && buffer[at] !== CARRIAGE_RETURN; at++)
      length = length * 10 + (buffer[at] - 0x30);
    at += 2;
    if (!(length >= 0 && at + length + 2 <= end)) return false;
    argv.push(at, at + length);
    at += length + 2;
  }
  return at === end;
}
