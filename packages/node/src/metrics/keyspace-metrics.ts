/** What is kept: keys and the memory they take. */
import type { KeyspaceApi } from "@ferrite/storage";
import type { Registry } from "prom-client";
import { followGauge } from "./running-counter.ts";

/**
 * What these metrics read. The keyspace is asked for at each scrape, because installing a snapshot puts another one in
 * its place.
 */
export interface KeyspaceMetricsSource {
  keyspace(): Pick<KeyspaceApi, "size" | "volatileSize" | "usedBytes">;
  /** maxmemory, 0 = no limit. */
  memoryLimitBytes(): number;
}

export function registerKeyspaceMetrics(registry: Registry, source: KeyspaceMetricsSource): void {
  followGauge(
    registry,
    { name: "ferrite_keyspace_keys", help: "Keys in the keyspace." },
    () => source.keyspace().size,
  );
  followGauge(
    registry,
    { name: "ferrite_keyspace_volatile_keys", help: "Keys with an expiry." },
    () => source.keyspace().volatileSize,
  );
  followGauge(
    registry,
    { name: "ferrite_keyspace_used_bytes", help: "Memory held for keys, values and their index." },
    () => source.keyspace().usedBytes,
  );
  followGauge(
    registry,
    { name: "ferrite_keyspace_limit_bytes", help: "maxmemory; 0 means no limit." },
    () => source.memoryLimitBytes(),
  );
}
