/**
 * What a node does about its office while its disk hangs (R50): it gives leadership away and does not take it back.
 *
 * It first asks the voter whose log is furthest to take over, which costs the clients least. When nobody takes over
 * within an election timeout it just steps down if another voter has more on its disk than this node: whoever can be elected
 * then is a better leader than one whose own log stands still. When nobody has, the other disks hang as well (nodes that
 * share one, a storage network that pauses): an election could not begin before they answer and would make the pause only
 * longer, so this node stays, and asks again. While the disk hangs this node does not begin an election. It could not win
 * one, as its own vote counts when it is on the disk; but it would enter a new term in memory and depose with it whoever
 * leads by then.
 */
import type { Message, RaftCoreApi } from "@ferrite/raft";

export interface StalledDiskOfficeOptions {
  readonly core: RaftCoreApi;
  /** How long a transfer may take before the node simply steps down. */
  readonly electionTimeoutMs: number;
  /** Nobody else could lead: giving up the office would help nobody. */
  isAlone(): boolean;
}

export class StalledDiskOffice {
  readonly #options: StalledDiskOfficeOptions;
  /** When the node steps down without an heir; null while nothing is under way. */
  #stepDownAtMs: number | null = null;

  constructor(options: StalledDiskOfficeOptions) {
    this.#options = options;
  }

  /** The disk has begun to hang, or does so still and nobody has taken over. */
  leave(nowMs: number): void {
    const { core, electionTimeoutMs } = this.#options;
    if (core.role() !== "leader" || this.#options.isAlone()) return;
    if (!core.transferLeadership() && this.#isBehind()) core.stepDown();
    else this.#stepDownAtMs = nowMs + electionTimeoutMs;
  }

  /** While the disk hangs, with each tick. */
  tick(nowMs: number): void {
    const { core } = this.#options;
    if (core.role() !== "leader") {
      this.#stepDownAtMs = null;
    } else if (this.#stepDownAtMs === null) {
      // It was elected with votes that were on their way when the disk stopped.
      this.leave(nowMs);
    } else if (nowMs >= this.#stepDownAtMs) {
      this.#stepDownAtMs = null;
      if (this.#isBehind()) core.stepDown();
      else this.leave(nowMs);
    }
  }

  /** Another voter has written what this node has not. */
  #isBehind(): boolean {
    const { durableIndex, progress } = this.#options.core.status();
    return [...progress.values()].some(
      ({ learner, matchIndex }) => !learner && matchIndex > durableIndex,
    );
  }

  /** The disk answers again. */
  ended(): void {
    this.#stepDownAtMs = null;
  }

  /** Whether the core may take note that time passes: a follower whose clock stands still begins no election. */
  mayTick(): boolean {
    return this.#options.core.role() === "leader" || this.#options.isAlone();
  }

  /** A wish of the leader that this node takes over. */
  isRefused(message: Message): boolean {
    return message.kind === "timeoutNow";
  }
}
