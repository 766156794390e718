/** What DEL and UNLINK do. Freeing is the same work for both here: an arena gives back a range, not an object tree. */
import type { KeyContext } from "../command.ts";

/** Removes the keys from argument 1 on and answers how many were there. */
export function removeKeys(context: KeyContext): void {
  const { argv, keyspace, nowMs } = context;
  let removed = 0;
  for (let index = 1; index < argv.count; index++) {
    if (keyspace.remove(argv.buffer, argv.starts[index], argv.ends[index], nowMs)) removed++;
  }
  context.reply.integer(removed);
}
