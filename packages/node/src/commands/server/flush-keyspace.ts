/** What FLUSHDB and FLUSHALL do; there is one database. */
import type { KeyContext } from "../command.ts";
import { SYNTAX_ERROR } from "../error-texts.ts";

/** Removes every key. ASYNC and SYNC are taken and mean the same: dropping the arena is quick. */
export function flushKeyspace({ argv, reply, keyspace }: KeyContext): void {
  const isOption = argv.count === 2 && (argv.isWord(1, "ASYNC") || argv.isWord(1, "SYNC"));
  if (argv.count > 1 && !isOption) {
    reply.error(SYNTAX_ERROR);
    return;
  }
  keyspace.clear();
  reply.ok();
}
