/** What kind of cluster a seed is about: how many nodes, which limits, how fast its disks. */
import type { Genesis, ReplicaLimits } from "@ferrite/node/simulation";
import type { Prng } from "./prng.ts";
import type { DiskSpeed } from "./virtual-log-writer.ts";

export interface ClusterShape {
  readonly genesis: Genesis;
  readonly limits: Partial<ReplicaLimits> & { readonly aclMaxStalenessMs: number };
  /** From the first thing that arrives at a node to the round that works on it, and on all that has come meanwhile. */
  readonly roundAfterMs: number;
  /** Some seeds are all about leaders that do not last: figure 8 of the paper needs four deaths in a row. */
  readonly shortReigns: boolean;
  /** False: a follower that lags stays behind while clients write. */
  readonly keepsUp: boolean;
  /** Operators change the members all the time; disks lose what they had; versions are mixed. */
  readonly churns: boolean;
  readonly losesData: boolean;
  readonly mixesVersions: boolean;
  /** Monotonic clocks differ by up to so much from true time. */
  readonly clockDrift: number;
  /** A follower may run after one snapshot and the next while clients write. */
  readonly chasesSnapshots: boolean;
}

/** Two clocks then differ by 1 %: what bounds of leases and of credentials have to bear. */
const CLOCK_DRIFT_MAX = 0.005;

/** Mostly three: there a majority is lost soonest. */
const CLUSTER_SIZES = [3, 3, 3, 3, 3, 3, 5, 1];

export function drawShape(prng: Prng): ClusterShape {
  const shortReigns = prng.chance(0.15);
  const members = Array.from({ length: prng.pick(CLUSTER_SIZES) }, (_, index) => ({
    id: `00000000-0000-4000-8000-00000000000${index + 1}`,
    name: `node${index + 1}`,
    peerAddress: `10.0.0.${index + 1}:16379`,
    clientAddress: `10.0.0.${index + 1}:6379`,
  }));
  const electionTimeoutMs = shortReigns ? 150 : prng.pick([100, 150, 500]);
  const limits = {
    snapshotLogBytes: prng.pick([4 * 1024, 16 * 1024, 1024 * 1024]),
    logCacheBytesMax: prng.pick([2 * 1024, 16 * 1024, 1024 * 1024]),
    electionTimeoutMs,
    // Time without news costs ticks and heartbeats: mostly coarse ones, so that more of a run is about something.
    tickMs: electionTimeoutMs >= 500 ? prng.pick([10, 50, 50]) : prng.pick([10, 25, 25]),
    heartbeatIntervalMs: prng.pick([25, 50, 50]),
    appendBytesMax: shortReigns ? 1 : prng.pick([1, 500, 1024 * 1024]),
    inflightMessagesMax: prng.pick([1, 4, 64]),
    aclMaxStalenessMs: prng.pick([1000, 3000, 10_000]),
    snapshotChunkBytes: prng.pick([300, 5000, 1024 * 1024]),
    leaseReads: prng.chance(0.5),
  };
  // Not both: a voter that is removed while another loses its disk is one loss too many for three.
  const turbulence =
    shortReigns || members.length < 3 ? "none" : prng.pick(["none", "churn", "loss"]);
  return {
    genesis: { clusterId: "11111111-1111-4111-8111-111111111111", members },
    limits,
    shortReigns,
    roundAfterMs: prng.pick([0.01, 0.1, 0.4]),
    churns: turbulence === "churn",
    losesData: turbulence === "loss",
    mixesVersions: members.length > 1 && prng.chance(0.15),
    clockDrift: prng.pick([0, 0, 0.001, CLOCK_DRIFT_MAX]),
    // One entry at a time and each on disk before the next: who lags stays behind while clients write.
    keepsUp: limits.appendBytesMax > 1 || limits.inflightMessagesMax > 1,
    // A snapshot in small pieces may take longer than the log behind it is kept: the next one follows it, and so on.
    chasesSnapshots: limits.snapshotChunkBytes < 1000 && limits.logCacheBytesMax < 1024 * 1024,
  };
}

export function diskSpeed(prng: Prng, { shortReigns }: ClusterShape): DiskSpeed {
  return {
    syncMs: { low: 0.2, high: shortReigns ? 0.5 : prng.pick([0.5, 5, 30]) },
    stepMs: prng.pick([0.05, 1, 20]),
  };
}
