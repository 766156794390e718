/** Reads one RESP2 reply: what the commands that ask a node need of the protocol and no more. */
export type RespValue = string | number | null | RespError | readonly RespValue[];

/** An error reply: an answer like any other, so it is returned and not thrown. */
export class RespError {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** Deeper nesting, and more elements, than any answer has that is asked for. */
const DEPTH_MAX = 8;
const ELEMENTS_MAX = 65_536;

export interface ParsedReply {
  readonly value: RespValue;
  /** Where the next reply begins. */
  readonly end: number;
}

/** The reply that begins at `start`, or null when it is not complete yet. Throws on what is not RESP2. */
export function parseReply(bytes: Buffer, start = 0, depth = 0): ParsedReply | null {
  const lineEnd = bytes.indexOf("\r\n", start, "latin1");
  if (lineEnd < 0) return null;
  const kind = String.fromCharCode(bytes[start] ?? 0);
  const line = bytes.toString("utf8", start + 1, lineEnd);
  const next = lineEnd + 2;
  switch (kind) {
    case "+":
      return { value: line, end: next };
    case "-":
      return { value: new RespError(line), end: next };
    case ":":
      return { value: parseInteger(line), end: next };
    case "$":
      return parseBulk(bytes, next, parseInteger(line));
    case "*":
      return parseArray(bytes, next, { count: parseInteger(line), depth });
    default:
      throw new Error("the answer is not in the Redis protocol");
  }
}

function parseBulk(bytes: Buffer, start: number, length: number): ParsedReply | null {
  if (length < 0) return { value: null, end: start };
  const end = start + length;
  return bytes.length < end + 2
    ? null
    : { value: bytes.toString("utf8", start, end), end: end + 2 };
}

function parseArray(
  bytes: Buffer,
  start: number,
  shape: { readonly count: number; readonly depth: number },
): ParsedReply | null {
  if (shape.count < 0) return { value: null, end: start };
  if (shape.count > ELEMENTS_MAX || shape.depth >= DEPTH_MAX) {
    throw new Error("the answer is larger than it can be");
  }
  const values: RespValue[] = [];
  let at = start;
  for (let index = 0; index < shape.count; index++) {
    const element = parseReply(bytes, at, shape.depth + 1);
    if (element === null) return null;
    values.push(element.value);
    at = element.end;
  }
  return { value: values, end: at };
}

function parseInteger(text: string): number {
  if (!/^-?\d{1,16}$/.test(text)) throw new Error("the answer is not in the Redis protocol");
  return Number(text);
}

/** One command as an array of bulk strings. */
export function encodeCommand(words: readonly string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join("")}`;
}
