/** Whether this node can serve at all: what keeps it from taking writes or answering reads, in the words a client gets. */

/**
 * What one tick counts for at most. After a pause of the whole process (SIGSTOP, a machine that stood still) what the leader
 * said meanwhile is there and only not read yet: that is no silence of the leader.
 */
const TICK_MS_MAX = 100;

export interface ServiceLimits {
  /** Writes are refused at once when no leader was heard for this long. */
  readonly timeoutMs: number;
  /** Reads are refused when no leader was heard for this long (with serveStaleData off). */
  readonly maxStalenessMs: number;
  readonly serveStaleData: boolean;
}

export class ServiceState {
  readonly #limits: ServiceLimits;
  readonly #monotonicMs: () => number;
  readonly #leads: () => boolean;
  #leaderHeardAtMs: number;
  /** How long this node has been running since it last heard a leader. */
  #waitedMs = 0;
  #lastTickMs: number;
  /** The node ends: nothing is taken any more. */
  isStopped = false;
  /** The log has no room for its next segment. */
  isDiskFull = false;
  /** False until the state is known to be as new as what this node has shown before its start. */
  isCaughtUp = false;

  constructor(
    limits: ServiceLimits,
    node: { readonly monotonicMs: () => number; readonly leads: () => boolean },
  ) {
    this.#limits = limits;
    this.#monotonicMs = node.monotonicMs;
    this.#leads = node.leads;
    this.#leaderHeardAtMs = node.monotonicMs();
    this.#lastTickMs = this.#leaderHeardAtMs;
  }

  tick(nowMs: number): void {
    this.#waitedMs += Math.min(nowMs - this.#lastTickMs, TICK_MS_MAX);
    this.#lastTickMs = nowMs;
  }

  leaderHeard(): void {
    this.#leaderHeardAtMs = this.#monotonicMs();
    this.#waitedMs = 0;
  }

  /** Ms since a leader was last heard; 0 on the leader. */
  leaderSilenceMs(): number {
    return this.#leads() ? 0 : this.#monotonicMs() - this.#leaderHeardAtMs;
  }

  /** Null when a write would be taken now, else the error it would get. */
  writeRefusal(): string | null {
    if (this.isStopped) return "CLUSTERDOWN this node is stopping; the write was not applied";
    if (this.isDiskFull) {
      return "NOSPACE the disk of this node is full; the write was not applied. Free space in its data directory";
    }
    if (!this.#leads() && this.#waitedMs > this.#limits.timeoutMs) {
      return `CLUSTERDOWN no leader for ${this.#limits.timeoutMs} ms; the write was not applied`;
    }
    return null;
  }

  /** Null when a session read would be answered now, else the error it would get. */
  readRefusal(): string | null {
    if (!this.isCaughtUp) return "LOADING Redis is loading the dataset in memory";
    const { serveStaleData, maxStalenessMs } = this.#limits;
    if (serveStaleData || this.leaderSilenceMs() <= maxStalenessMs) return null;
    return "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.";
  }
}
