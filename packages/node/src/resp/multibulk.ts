/** Writes a request as RESP, for what comes in another form (inline) and goes to the log or to another node. */
import type { Argv } from "./argv.ts";

/** The request as `*n $len arg ...`, in a buffer of its own. */
export function encodeMultibulk(argv: Argv): Buffer {
  let size = headerSize(argv.count);
  for (let index = 0; index < argv.count; index++) {
    const length = argv.length(index);
    size += headerSize(length) + length + 2;
  }
  const out = Buffer.allocUnsafe(size);
  let at = writeHeader(out, 0, 0x2a, argv.count);
  for (let index = 0; index < argv.count; index++) {
    at = writeHeader(out, at, 0x24, argv.length(index));
    at += argv.buffer.copy(out, at, argv.starts[index], argv.ends[index]);
    at = writeLineEnd(out, at);
  }
  return out;
}

/** The same for arguments that do not lie in one buffer. Strings are UTF-8. */
export function encodeRequest(words: readonly (string | Uint8Array)[]): Buffer {
  const parts = words.map((word) =>
    typeof word === "string"
      ? Buffer.from(word)
      : Buffer.from(word.buffer, word.byteOffset, word.length),
  );
  let size = headerSize(parts.length);
  for (const part of parts) size += headerSize(part.length) + part.length + 2;
  const out = Buffer.allocUnsafe(size);
  let at = writeHeader(out, 0, 0x2a, parts.length);
  for (const part of parts) {
    at = writeHeader(out, at, 0x24, part.length);
    at += part.copy(out, at);
    at = writeLineEnd(out, at);
  }
  return out;
}

function headerSize(value: number): number {
  let digits = 1;
  for (let rest = value; rest >= 10; rest = Math.floor(rest / 10)) digits++;
  return digits + 3;
}

function writeHeader(out: Buffer, at: number, type: number, value: number): number {
  out[at] = type;
  const end = at + headerSize(value) - 2;
  let rest = value;
  for (let digit = end - 1; digit > at; digit--) {
    out[digit] = 0x30 + (rest % 10);
    rest = Math.floor(rest / 10);
  }
  return writeLineEnd(out, end);
}

function writeLineEnd(out: Buffer, at: number): number {
  out[at] = 0x0d;
  out[at + 1] = 0x0a;
  return at + 2;
}
