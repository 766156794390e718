/**
 * Conversations with Redis, as text files that people can read:
 *
 *   # prose
 *   -- a sentence that names the case; every case starts without keys
 *   > SET k "a value"          a request, quoted as redis-cli quotes
 *   < +OK\r\n                  the raw reply, with escapes, the same in RESP2 and RESP3
 *   > GET missing
 *   <2 $-1\r\n                 the reply in RESP2
 *   <3 _\r\n                   and in RESP3
 *   >s KEYS *                  a request whose reply has no order: its elements are sorted
 */
import { Argv } from "../../src/resp/argv.ts";
import { splitInline } from "../../src/resp/inline.ts";
import { encodeMultibulk } from "../../src/resp/multibulk.ts";

export interface Exchange {
  /** As written in the file. */
  readonly command: string;
  /** As sent. */
  readonly request: Buffer;
  readonly isSorted: boolean;
  /** Raw replies by protocol; null when the file has none yet. */
  resp2: Buffer | null;
  resp3: Buffer | null;
}

export interface TranscriptCase {
  readonly name: string;
  readonly exchanges: Exchange[];
}

export interface Transcript {
  /** Prose before the first case. */
  readonly preface: readonly string[];
  readonly cases: readonly TranscriptCase[];
}

/** Throws on a line it does not understand. */
export function parseTranscript(text: string): Transcript {
  const preface: string[] = [];
  const cases: TranscriptCase[] = [];
  for (const line of text.split("\n")) {
    if (line.startsWith("#") && cases.length === 0) preface.push(line);
    else if (line === "" || line.startsWith("#")) continue;
    else if (line.startsWith("-- ")) cases.push({ name: line.slice(3), exchanges: [] });
    else readExchangeLine(line, cases.at(-1)?.exchanges);
  }
  return { preface, cases };
}

function readExchangeLine(line: string, exchanges: Exchange[] | undefined): void {
  const match = /^(>s?|<[23]?) (.*)$/s.exec(line);
  if (match === null || exchanges === undefined) throw new Error(`not a transcript line: ${line}`);
  const [, mark = "", rest = ""] = match;
  if (mark.startsWith(">")) {
    const request = toRequest(rest);
    exchanges.push({ command: rest, request, isSorted: mark === ">s", resp2: null, resp3: null });
    return;
  }
  const exchange = exchanges.at(-1);
  if (exchange === undefined) throw new Error(`a reply without a request: ${line}`);
  const raw = unescapeBytes(rest);
  if (mark !== "<3") exchange.resp2 = raw;
  if (mark !== "<2") exchange.resp3 = raw;
}

function toRequest(line: string): Buffer {
  const bytes = Buffer.from(line, "latin1");
  const argv = new Argv();
  if (!splitInline(bytes, 0, bytes.length, argv)) throw new Error(`unbalanced quotes: ${line}`);
  return encodeMultibulk(argv);
}

export function printTranscript({ preface, cases }: Transcript): string {
  const lines = [...preface];
  for (const { name, exchanges } of cases) {
    lines.push("", `-- ${name}`);
    for (const { command, isSorted, resp2, resp3 } of exchanges) {
      lines.push(`${isSorted ? ">s" : ">"} ${command}`);
      if (resp2 === null || resp3 === null) continue;
      if (resp2.equals(resp3)) lines.push(`< ${escapeBytes(resp2)}`);
      else lines.push(`<2 ${escapeBytes(resp2)}`, `<3 ${escapeBytes(resp3)}`);
    }
  }
  return `${lines.join("\n")}\n`;
}

/** Printable ASCII as it is, the rest as \r, \n, \\ or \xHH. */
export function escapeBytes(bytes: Buffer): string {
  return bytes.toString("latin1").replace(/[^\x20-\x5b\x5d-\x7e]/g, (character) => {
    if (character === "\r") return "\\r";
    if (character === "\n") return "\\n";
    if (character === "\\") return "\\\\";
    return `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
  });
}

function unescapeBytes(text: string): Buffer {
  const plain = text.replace(
    /\\(?:x([\da-f]{2})|(.))/g,
    (_whole, hex?: string, letter?: string) => {
      if (hex !== undefined) return String.fromCharCode(parseInt(hex, 16));
      return letter === "r" ? "\r" : letter === "n" ? "\n" : (letter ?? "");
    },
  );
  return Buffer.from(plain, "latin1");
}
