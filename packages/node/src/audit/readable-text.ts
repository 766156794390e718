/**
 * Byte strings from clients as text that a person can read and no reader chokes on. Valid UTF-8 is shown as what it is.
 * Anything else keeps its bytes as `\xHH`: lone surrogates would keep them too, but strict readers of JSON refuse a line
 * with one, and then a client could choose a name that keeps its own records out of the collector.
 */
import { Buffer, isUtf8 } from "node:buffer";

const PLAIN = /^[\x20-\x7e]*$/;
const LOOKS_ESCAPED = /\\x[0-9a-f]{2}/;

/**
 * Two different byte strings never look the same: a text that holds a byte that is no UTF-8, or that looks as if it did,
 * has its backslashes doubled. Longer than `unitsMax` it is cut, and says by how many characters of its source.
 */
export function readableText(text: string, unitsMax: number): string {
  if (text.length <= unitsMax && PLAIN.test(text) && !text.includes("\\x")) return text;
  // A unit takes at most four bytes, so this holds all that can be shown. The rest may be hundreds of megabytes.
  const window = text.length > unitsMax * 4 ? text.slice(0, unitsMax * 4) : text;
  const decoded = isWide(window) ? window.toWellFormed() : decodeBytes(window);
  if (decoded.length <= unitsMax && window.length === text.length) return decoded;
  return `${cut(decoded, unitsMax)}...(cut, ${text.length} long)`;
}

/** Already decoded by its caller: no byte string has such characters. */
function isWide(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > 0xff) return true;
  return false;
}

function decodeBytes(text: string): string {
  const bytes = Buffer.from(text, "latin1");
  // A window may end in the middle of a character.
  for (let end = bytes.length; end >= Math.max(0, bytes.length - 3); end--) {
    if (!isUtf8(bytes.subarray(0, end))) continue;
    if (end < bytes.length && !isStartOfCharacter(bytes.subarray(end))) break;
    const decoded = bytes.toString("utf8", 0, end);
    const rest = escapeBytes(bytes.subarray(end));
    if (rest === "" && !LOOKS_ESCAPED.test(decoded)) return decoded;
    return `${decoded.replaceAll("\\", "\\\\")}${rest}`;
  }
  return escapeInvalid(bytes);
}

function isStartOfCharacter(bytes: Buffer): boolean {
  return bytes[0] >= 0xc2 && bytes[0] <= 0xf4;
}

function escapeInvalid(bytes: Buffer): string {
  let out = "";
  let at = 0;
  while (at < bytes.length) {
    const length = characterLength(bytes, at);
    if (length === 0) out += escapeBytes(bytes.subarray(at, ++at));
    else {
      const character = bytes.toString("utf8", at, at + length);
      out += character === "\\" ? "\\\\" : character;
      at += length;
    }
  }
  return out;
}

/** 0 when no valid character begins there. */
function characterLength(bytes: Buffer, at: number): number {
  const lead = bytes[at];
  if (lead < 0x80) return 1;
  const length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  return at + length <= bytes.length && isUtf8(bytes.subarray(at, at + length)) ? length : 0;
}

function escapeBytes(bytes: Buffer): string {
  return [...bytes].map((byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("");
}

/** Not in the middle of a pair. */
function cut(text: string, unitsMax: number): string {
  const last = text.charCodeAt(unitsMax - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? unitsMax - 1 : unitsMax);
}

const NEEDS_ESCAPE = /[\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;

/** Printable ASCII without quotes and backslashes: nearly everything there is. */
const NEEDS_NOTHING = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;

/**
 * A JSON string, quotes included. Beyond what JSON asks for, it escapes what moves a terminal's cursor, ends a line or
 * turns the direction of text: a name must not be able to make a record look like another one.
 */
export function jsonText(text: string): string {
  if (NEEDS_NOTHING.test(text)) return `"${text}"`;
  return JSON.stringify(text).replaceAll(
    NEEDS_ESCAPE,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
