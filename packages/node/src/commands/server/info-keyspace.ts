/** INFO keyspace */
import type { ServerView } from "../../server/edge-context.ts";
import type { InfoLine } from "./info-sections.ts";

export function keyspaceLines({ replica }: ServerView): readonly InfoLine[] {
  const { keyspace } = replica;
  if (keyspace.size === 0) return [];
  const averageTtlMs = Math.round(keyspace.averageTtlMs(replica.logicalNowMs()));
  return [
    ["db0", `keys=${keyspace.size},expires=${keyspace.volatileSize},avg_ttl=${averageTtlMs}`],
  ];
}
