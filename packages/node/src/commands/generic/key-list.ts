/** Lists of keys, as KEYS and SCAN answer them. */
import type { EntryRef, KeyspaceApi } from "@ferrite/storage";
import type { KeyContext } from "../command.ts";
import type { Glob } from "../glob.ts";

/** Does the key of `ref` match? */
export function entryMatches(keyspace: KeyspaceApi, ref: EntryRef, glob: Glob): boolean {
  const start = keyspace.keyStart(ref);
  return glob.matches(keyspace.keyBuffer(ref), start, start + keyspace.keyLength(ref));
}

/** An array of the keys of `refs`. */
export function replyKeys(context: KeyContext, refs: readonly EntryRef[]): void {
  context.reply.array(refs.length);
  for (const ref of refs) replyKey(context, ref);
}

/** The key of `ref`. */
export function replyKey(context: KeyContext, ref: EntryRef): void {
  const { keyspace } = context;
  const start = keyspace.keyStart(ref);
  context.reply.bulkRange(keyspace.keyBuffer(ref), start, start + keyspace.keyLength(ref));
}
