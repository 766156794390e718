/**
 * Settings of Redis that tools ask for or that stand in every redis.conf, and whose answer is always the same here.
 * A file may hold them with that value; any other value is refused with the reason, so that nobody believes in a
 * setting that does nothing.
 */
export interface FixedSetting {
  readonly name: string;
  readonly value: string;
  /** CONFIG SET of this one is refused even in Redis. */
  readonly immutable: boolean;
  /** Why it is so, as an answer to someone who wants another value. */
  readonly reason: string;
}

export const FIXED_SETTINGS: readonly FixedSetting[] = [
  fixed("save", "", "snapshots are taken by snapshot-log-bytes, not by time"),
  fixed("appendonly", "yes", "every write is in the log on a majority before it is answered"),
  fixed("appendfsync", "always", "every write is on disk on a majority before it is answered"),
  fixed("no-appendfsync-on-rewrite", "no", "every write is on disk before it is answered"),
  fixed("maxmemory-policy", "noeviction", "an agreed write is never evicted"),
  fixed(
    "stop-writes-on-bgsave-error",
    "yes",
    "a node that can not write to its disk takes no writes",
  ),
  immutable("databases", "1", "there is one database"),
  immutable("daemonize", "no", "run it under systemd, a container or `ferrite dev`"),
  immutable("supervised", "no", "it runs in the foreground under any supervisor"),
  immutable("cluster-enabled", "no", "every node serves every key, there are no slots to move"),
  immutable("replicaof", "", "the members of a cluster are given by peers"),
  immutable("slaveof", "", "the members of a cluster are given by peers"),
  immutable("logfile", "", "logs go to standard output"),
];

const BY_NAME: ReadonlyMap<string, FixedSetting> = new Map(
  FIXED_SETTINGS.map((setting) => [setting.name, setting]),
);

/** The fixed setting of that name (any case), or undefined. */
export function fixedSetting(name: string): FixedSetting | undefined {
  return BY_NAME.get(name.toLowerCase());
}

function fixed(name: string, value: string, reason: string): FixedSetting {
  return { name, value, reason, immutable: false };
}

function immutable(name: string, value: string, reason: string): FixedSetting {
  return { name, value, reason, immutable: true };
}
