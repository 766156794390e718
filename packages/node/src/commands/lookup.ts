/** How commands find keys. */
import type { EntryRef } from "@ferrite/storage";
import type { KeyContext } from "./command.ts";

/** The living entry whose key is argument `index`, or 0. Marks it as used. */
export function findKey(context: KeyContext, index: number): EntryRef {
  const { argv, keyspace, nowMs } = context;
  const ref = keyspace.find(argv.buffer, argv.starts[index], argv.ends[index], nowMs);
  if (ref !== 0) keyspace.touch(ref, nowMs);
  return ref;
}

/** `findKey` for a read: counts a hit or a miss. */
export function findKeyToRead(context: KeyContext, index: number): EntryRef {
  const ref = findKey(context, index);
  const lookups = context.lookups;
  if (lookups !== undefined) {
    if (ref === 0) lookups.misses += 1;
    else lookups.hits += 1;
  }
  return ref;
}

/** `findKeyToRead` that leaves no trace on the key (TTL, TYPE, OBJECT). */
export function findKeyUntouched(context: KeyContext, index: number): EntryRef {
  const { argv, keyspace, nowMs, lookups } = context;
  const ref = keyspace.find(argv.buffer, argv.starts[index], argv.ends[index], nowMs);
  if (lookups !== undefined) {
    if (ref === 0) lookups.misses += 1;
    else lookups.hits += 1;
  }
  return ref;
}
