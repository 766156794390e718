/** What the string commands share: reading the value behind a key, answering with it, storing a text. */
import type { EntryRef } from "@ferrite/storage";
import type { KeyContext } from "../command.ts";
import { WRONG_TYPE } from "../error-texts.ts";
import { decimalLength, writeDecimal } from "../integer.ts";
import { findKey, findKeyToRead } from "../lookup.ts";

export const STRING_TYPE = 0;

/**
 * Bytes a string may have. Redis' proto-max-bulk-len at its default; fixed here, because what a write does must not
 * depend on the settings of the node that applies it.
 */
export const STRING_BYTES_MAX: number = 512 * 1024 * 1024;

/** The key holds another type; the client was told. */
export const NOT_A_STRING = -1;

/** The string entry whose key is argument `index`, 0 when there is none, NOT_A_STRING after a WRONGTYPE answer. */
export function findString(context: KeyContext, index: number): EntryRef {
  const ref = findKey(context, index);
  return ref === 0 ? 0 : requireString(context, ref);
}

/** `findString` for a read: counts a hit or a miss. */
export function findStringToRead(context: KeyContext, index: number): EntryRef {
  const ref = findKeyToRead(context, index);
  return ref === 0 ? 0 : requireString(context, ref);
}

function requireString(context: KeyContext, ref: EntryRef): EntryRef {
  if (context.keyspace.type(ref) === STRING_TYPE) return ref;
  context.reply.error(WRONG_TYPE);
  return NOT_A_STRING;
}

/** Answers with the value of `ref`, or null for 0. */
export function replyValue(context: KeyContext, ref: EntryRef): void {
  if (ref === 0) {
    context.reply.nullBulk();
    return;
  }
  const { keyspace } = context;
  const start = keyspace.valueStart(ref);
  context.reply.bulkRange(keyspace.valueBuffer(ref), start, start + keyspace.valueLength(ref));
}

/**
 * Makes `ref` (or, for 0, a new entry under the key of argument `index`) hold `length` bytes: old ones kept, new ones
 * zero. An expiry stays.
 */
export function resizeValue(
  context: KeyContext,
  index: number,
  ref: EntryRef,
  length: number,
): EntryRef {
  if (ref !== 0) return context.keyspace.resizeString(ref, length);
  const { argv, keyspace, nowMs } = context;
  const start = argv.starts[index];
  const end = argv.ends[index];
  const created = keyspace.setStringFast(argv.buffer, start, end, end, end, 0, nowMs);
  return length === 0 ? created : keyspace.resizeString(created, length);
}

/** Stores argument `value` under the key of argument `key`; an expiry of 0 is none. */
export function storeArgument(
  context: KeyContext,
  index: { readonly key: number; readonly value: number },
  expireAtMs: number,
): void {
  const { argv, keyspace, nowMs } = context;
  const { starts, ends } = argv;
  keyspace.setStringFast(
    argv.buffer,
    starts[index.key],
    ends[index.key],
    starts[index.value],
    ends[index.value],
    expireAtMs,
    nowMs,
  );
}

/** Stores a safe integer under the key of argument `index`, in place, keeping an expiry. */
export function storeInteger(
  context: KeyContext,
  index: number,
  ref: EntryRef,
  value: number,
): void {
  const length = decimalLength(value);
  const entry = resizeValue(context, index, ref, length);
  const { keyspace } = context;
  writeDecimal(keyspace.valueBuffer(entry), keyspace.valueStart(entry), length, value);
}

/** Stores an ASCII text under the key of argument `index`, in place, keeping an expiry. */
export function storeText(context: KeyContext, index: number, ref: EntryRef, text: string): void {
  const entry = resizeValue(context, index, ref, text.length);
  const { keyspace } = context;
  const buffer = keyspace.valueBuffer(entry);
  const start = keyspace.valueStart(entry);
  for (let offset = 0; offset < text.length; offset++) {
    buffer[start + offset] = text.charCodeAt(offset);
  }
}
