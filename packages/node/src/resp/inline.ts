/**
 * Splits a line people typed into arguments, by the rules of redis-cli and the server's inline requests:
 *
 *   plain words      separated by blanks
 *   "double quotes"  \n \r \t \b \a \xHH and \ before any other character
 *   'single quotes'  only \' is special
 *
 * A quote may begin inside a word; a closing quote must be followed by a blank or the end.
 */
import type { Argv } from "./argv.ts";

const DOUBLE_QUOTE = 0x22;
const SINGLE_QUOTE = 0x27;
const BACKSLASH = 0x5c;

/**
 * Fills `argv` with the words of `buffer[start, end)`. Words of a line without quotes are ranges of `buffer`; others
 * get a buffer of their own, as what they mean differs from what was typed. False when a quote is not closed or
 * something clings to it.
 */
export function splitInline(buffer: Buffer, start: number, end: number, argv: Argv): boolean {
  for (let at = start; at < end; at++) {
    const byte = buffer[at];
    if (byte === DOUBLE_QUOTE || byte === SINGLE_QUOTE) {
      return splitQuoted(buffer, { start, end }, argv);
    }
  }
  argv.reset(buffer);
  let at = start;
  for (;;) {
    while (at < end && isBlank(buffer[at])) at++;
    if (at >= end) return true;
    const first = at;
    while (at < end && !endsWord(buffer[at])) at++;
    argv.push(first, at);
  }
}

function splitQuoted(
  buffer: Buffer,
  line: { readonly start: number; readonly end: number },
  argv: Argv,
): boolean {
  // What a word means is never longer than how it was typed.
  const out = Buffer.allocUnsafe(line.end - line.start);
  argv.reset(out);
  const cursor = { at: line.start, length: 0 };
  for (;;) {
    while (cursor.at < line.end && isBlank(buffer[cursor.at])) cursor.at++;
    if (cursor.at >= line.end) return true;
    const first = cursor.length;
    if (!readWord(buffer, line.end, out, cursor)) return false;
    argv.push(first, cursor.length);
  }
}

interface Cursor {
  /** Where reading goes on. */
  at: number;
  /** Bytes written. */
  length: number;
}

function readWord(buffer: Buffer, end: number, out: Buffer, cursor: Cursor): boolean {
  while (cursor.at < end) {
    const byte = buffer[cursor.at];
    if (endsWord(byte)) return true;
    cursor.at++;
    if (byte === DOUBLE_QUOTE || byte === SINGLE_QUOTE) {
      const closed =
        byte === DOUBLE_QUOTE
          ? readDoubleQuoted(buffer, end, out, cursor)
          : readSingleQuoted(buffer, end, out, cursor);
      return closed && (cursor.at === end || isBlank(buffer[cursor.at]));
    }
    out[cursor.length++] = byte;
  }
  return true;
}

/** Reads up to and over the closing quote; false when there is none. */
function readDoubleQuoted(buffer: Buffer, end: number, out: Buffer, cursor: Cursor): boolean {
  while (cursor.at < end) {
    const byte = buffer[cursor.at];
    if (byte === DOUBLE_QUOTE) {
      cursor.at++;
      return true;
    }
    if (byte === BACKSLASH && cursor.at + 1 < end) {
      out[cursor.length++] = readEscape(buffer, end, cursor);
    } else {
      out[cursor.length++] = byte;
      cursor.at++;
    }
  }
  return false;
}

function readSingleQuoted(buffer: Buffer, end: number, out: Buffer, cursor: Cursor): boolean {
  while (cursor.at < end) {
    const byte = buffer[cursor.at];
    if (byte === SINGLE_QUOTE) {
      cursor.at++;
      return true;
    }
    const isEscapedQuote = byte === BACKSLASH && buffer[cursor.at + 1] === SINGLE_QUOTE;
    if (isEscapedQuote && cursor.at + 1 < end) {
      out[cursor.length++] = SINGLE_QUOTE;
      cursor.at += 2;
    } else {
      out[cursor.length++] = byte;
      cursor.at++;
    }
  }
  return false;
}

/** The byte that the escape at `cursor` means; moves over it. At least one byte follows the backslash. */
function readEscape(buffer: Buffer, end: number, cursor: Cursor): number {
  const code = buffer[cursor.at + 1];
  if (code === 0x78 && cursor.at + 3 < end) {
    const high = hexValue(buffer[cursor.at + 2]);
    const low = hexValue(buffer[cursor.at + 3]);
    if (high >= 0 && low >= 0) {
      cursor.at += 4;
      return high * 16 + low;
    }
  }
  cursor.at += 2;
  switch (code) {
    case 0x6e:
      return 0x0a;
    case 0x72:
      return 0x0d;
    case 0x74:
      return 0x09;
    case 0x62:
      return 0x08;
    case 0x61:
      return 0x07;
    default:
      return code;
  }
}

function hexValue(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

/** What may stand between words: space, \t \n \v \f \r. */
function isBlank(byte: number): boolean {
  return byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);
}

/** What ends a word. Redis leaves \v and \f in words, though it skips them between words. */
function endsWord(byte: number): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d;
}
