/**
 * INFO persistence: the log stands where Redis has its append-only file, the snapshot where it has its RDB file. A write
 * that could not be made durable is not answered, so the statuses that Redis reports as "ok" are always that here.
 */
import type { ServerView } from "../../server/edge-context.ts";
import type { InfoLine } from "./info-sections.ts";

export function persistenceLines({ replica, atRest }: ServerView): readonly InfoLine[] {
  const status = atRest.status();
  return [
    ["loading", replica.isCatchingUp() ? 1 : 0],
    ["async_loading", 0],
    ["rdb_changes_since_last_save", Math.max(0, replica.appliedIndex() - replica.snapshotIndex())],
    ["rdb_bgsave_in_progress", replica.snapshotInProgress() ? 1 : 0],
    ["rdb_last_bgsave_status", "ok"],
    ["aof_enabled", 1],
    ["aof_rewrite_in_progress", 0],
    ["aof_rewrite_scheduled", 0],
    ["aof_last_bgrewrite_status", "ok"],
    ["aof_last_write_status", "ok"],
    ["aof_current_size", replica.logBytes()],
    ["at_rest_encryption", Number(status.enabled)],
    ["at_rest_rewriting", Number(status.isRewriting)],
    ["at_rest_plain_bytes", status.plain.bytes],
    ["at_rest_outdated_bytes", status.outdated.bytes],
  ];
}
