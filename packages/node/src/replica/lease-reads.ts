/**
 * Whether this node may read right now, without asking anybody, because it holds a lease (lease.ts in the core).
 *
 * The core counts in ticks, and ticks are no time: a process that stood still has not ticked, and its lease would look as fresh
 * as before. So the clocks are noted at every tick, and the lease is looked for at the tick in which it was asked for:
 *
 *      tick at which the promise was asked for              now, in the step that reads
 *   ─────────┼───────────────────────────────────────────────────┼──────────▶
 *            ├─ by the monotonic clock: less than the lease ─────┤
 *            └─ by the wall clock: the same, but for a tolerance ┘
 *
 * The wall clock is the witness for what the monotonic one can miss: a machine that was suspended. What is left of
 * the promise beyond the lease pays for the tolerance and for clocks that do not run equally fast.
 */
import { leaseLengthTicks } from "@ferrite/raft";
import type { Index, RaftCoreApi } from "@ferrite/raft";
import type { Consistency } from "../commands/consistency-levels.ts";
import type { Clock } from "./logical-clock.ts";
import { electionTimeoutTicks, type ReplicaEvents, type ReplicaLimits } from "./options.ts";

/** Wall and monotonic clock may part by this share of the election timeout while a lease is held: half of its margin. */
const JUMP_SHARE = 0.1;

export interface LeaseReadsPorts {
  readonly core: Pick<RaftCoreApi, "leaseTicksLeft" | "wantLease" | "role" | "commitIndex">;
  readonly clock: Clock;
  appliedIndex(): Index;
  readonly events: Pick<ReplicaEvents, "clockJumped">;
}

export class LeaseReads {
  readonly #ports: LeaseReadsPorts;
  readonly #enabled: boolean;
  readonly #lengthTicks: number;
  readonly #lengthMs: number;
  readonly #jumpMsMax: number;
  /** Both clocks at each of the last ticks, by tick modulo their length. */
  readonly #monotonicMs: Float64Array;
  readonly #wallMs: Float64Array;
  #ticks = 0;

  constructor(ports: LeaseReadsPorts, limits: ReplicaLimits) {
    this.#ports = ports;
    this.#lengthTicks = leaseLengthTicks(electionTimeoutTicks(limits));
    this.#enabled = limits.leaseReads && this.#lengthTicks > 0;
    this.#lengthMs = this.#lengthTicks * limits.tickMs;
    this.#jumpMsMax = limits.electionTimeoutMs * JUMP_SHARE;
    this.#monotonicMs = new Float64Array(this.#lengthTicks + 1);
    this.#wallMs = new Float64Array(this.#lengthTicks + 1);
  }

  /** To be called right before each tick of the core: what that sends is sent later than the clocks say here. */
  ticks(): void {
    const { clock } = this.#ports;
    const before = this.#ticks % this.#monotonicMs.length;
    this.#ticks++;
    const at = this.#ticks % this.#monotonicMs.length;
    const monotonicMs = clock.monotonicMs();
    const wallMs = clock.nowMs();
    if (this.#ticks > 1) {
      const jumpMs = wallMs - this.#wallMs[before] - (monotonicMs - this.#monotonicMs[before]);
      if (Math.abs(jumpMs) > this.#jumpMsMax) this.#ports.events.clockJumped?.(jumpMs);
    }
    this.#monotonicMs[at] = monotonicMs;
    this.#wallMs[at] = wallMs;
  }

  /** Is a read of this level right now? What was committed by `boundedUntilMs` less its bound is in the state. */
  mayReadNow(level: Consistency, boundedUntilMs: number): boolean {
    if (level === "bounded" && this.#ports.clock.monotonicMs() <= boundedUntilMs) return true;
    return (level === "bounded" || level === "lease") && this.holds();
  }

  /**
   * May the state be read in this same synchronous step as if a majority had just been asked (R29)? Asks for a lease
   * when there is none: the next reads may find one.
   */
  holds(): boolean {
    const { core } = this.#ports;
    if (!this.#enabled || core.role() !== "leader") return false;
    core.wantLease();
    const leftTicks = core.leaseTicksLeft();
    // Another node may have answered a write that is committed and not applied here yet.
    if (leftTicks === 0 || this.#ports.appliedIndex() < core.commitIndex()) return false;
    const askedAt = this.#ticks - (this.#lengthTicks - leftTicks);
    return askedAt > 0 && this.#isTrue(askedAt % this.#monotonicMs.length);
  }

  /** Does time agree that the lease which was asked for then still holds? */
  #isTrue(at: number): boolean {
    const { clock } = this.#ports;
    const elapsedMs = clock.monotonicMs() - this.#monotonicMs[at];
    const wallElapsedMs = clock.nowMs() - this.#wallMs[at];
    return elapsedMs < this.#lengthMs && Math.abs(wallElapsedMs - elapsedMs) <= this.#jumpMsMax;
  }
}
