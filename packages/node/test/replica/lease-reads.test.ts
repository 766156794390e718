/** When a leader may believe its lease: ticks are no time, and clocks may lie (R29). */
import { leaseLengthTicks } from "@ferrite/raft";
import { describe, expect, it } from "vitest";
import { LeaseReads } from "../../src/replica/lease-reads.ts";
import { DEFAULT_REPLICA_LIMITS } from "../../src/replica/options.ts";

const TICK_MS = 10;
const LENGTH = leaseLengthTicks(50);

interface Bench {
  readonly reads: LeaseReads;
  readonly core: { left: number; role: "leader" | "follower"; commit: number; wanted: number };
  readonly clock: { wallMs: number; monotonicMs: number };
  readonly jumps: number[];
  applied: number;
  /** Lets time pass, and ticks as the driver does. */
  tick(count?: number): void;
  pass(ms: number): void;
}

function bench(limits: { leaseReads?: boolean; electionTimeoutMs?: number } = {}): Bench {
  const clock = { wallMs: 1_700_000_000_000, monotonicMs: 5 };
  const core = { left: LENGTH, role: "leader" as "leader" | "follower", commit: 9, wanted: 0 };
  const jumps: number[] = [];
  const self: Bench = {
    core,
    clock,
    jumps,
    applied: 9,
    reads: new LeaseReads(
      {
        core: {
          leaseTicksLeft: () => core.left,
          wantLease: () => void core.wanted++,
          role: () => core.role,
          commitIndex: () => core.commit,
        },
        clock: { nowMs: () => clock.wallMs, monotonicMs: () => clock.monotonicMs },
        appliedIndex: () => self.applied,
        events: { clockJumped: (ms) => void jumps.push(ms) },
      },
      { ...DEFAULT_REPLICA_LIMITS, tickMs: TICK_MS, leaseReads: true, ...limits },
    ),
    tick(count = 1) {
      for (let i = 0; i < count; i++) {
        self.pass(TICK_MS);
        self.reads.ticks();
      }
    },
    pass(ms) {
      clock.wallMs += ms;
      clock.monotonicMs += ms;
    },
  };
  self.tick(60);
  return self;
}

describe("lease reads", () => {
  it("are served by a leader that holds a lease and has applied all that is committed", () => {
    const test = bench();
    expect(test.reads.holds()).toBe(true);
    test.applied = 8;
    expect(test.reads.holds()).toBe(false);
  });

  it("ask for a lease when there is none", () => {
    const test = bench();
    test.core.left = 0;
    expect(test.reads.holds()).toBe(false);
    expect(test.core.wanted).toBe(1);
  });

  it("are nobody's but a leader's, and nobody's without lease-reads", () => {
    const test = bench();
    test.core.role = "follower";
    expect(test.reads.holds()).toBe(false);
    expect(bench({ leaseReads: false }).reads.holds()).toBe(false);
    expect(bench({ electionTimeoutMs: 30 }).reads.holds()).toBe(false);
  });

  it("are not served by a process that stood still, however fresh its lease looks in ticks", () => {
    const test = bench();
    test.pass(LENGTH * TICK_MS - 1);
    expect(test.reads.holds()).toBe(true);
    test.pass(1);
    expect(test.reads.holds()).toBe(false);
  });

  it("count from the tick at which the lease was asked for", () => {
    const test = bench();
    test.core.left = LENGTH - 20;
    test.pass(LENGTH * TICK_MS - 20 * TICK_MS - 1);
    expect(test.reads.holds()).toBe(true);
    test.pass(1);
    expect(test.reads.holds()).toBe(false);
  });

  it("notice ticks that came late all the same: the time of each is known", () => {
    const test = bench();
    test.pass(300);
    test.tick(10);
    test.core.left = LENGTH - 11;
    // By ticks it is 11 of 38 old; by the clock 410 ms of 380.
    expect(test.reads.holds()).toBe(false);
  });

  it.each([60, -60])(
    "are not served after the wall clock jumped by %i ms: a suspension looks so",
    (ms) => {
      const test = bench();
      test.clock.wallMs += ms;
      expect(test.reads.holds()).toBe(false);
      test.tick();
      expect(test.jumps).toHaveLength(1);
      expect(test.jumps[0]).toBeCloseTo(ms);
      // A lease that was asked for after the jump is as good as any.
      test.core.left = LENGTH;
      expect(test.reads.holds()).toBe(true);
    },
  );

  it("bear a small step of the wall clock", () => {
    const test = bench();
    test.clock.wallMs += 49;
    expect(test.reads.holds()).toBe(true);
    test.tick();
    expect(test.jumps).toEqual([]);
  });

  it("need a tick of this process that the lease can be traced to", () => {
    const test = bench();
    const young = new LeaseReads(
      {
        core: {
          leaseTicksLeft: () => LENGTH - 5,
          wantLease: () => undefined,
          role: () => "leader",
          commitIndex: () => 0,
        },
        clock: { nowMs: () => 0, monotonicMs: () => 0 },
        appliedIndex: () => 0,
        events: {},
      },
      { ...DEFAULT_REPLICA_LIMITS, leaseReads: true },
    );
    young.ticks();
    expect(young.holds()).toBe(false);
    expect(test.reads.holds()).toBe(true);
  });
});

describe("reads at once", () => {
  it("of level bounded need a confirmation that is no older than the bound, or a lease", () => {
    const test = bench();
    test.core.left = 0;
    const now = test.clock.monotonicMs;
    expect(test.reads.mayReadNow("bounded", now)).toBe(true);
    expect(test.reads.mayReadNow("bounded", now - 1)).toBe(false);
    expect(test.reads.mayReadNow("bounded", -Infinity)).toBe(false);
    test.core.left = LENGTH;
    expect(test.reads.mayReadNow("bounded", -Infinity)).toBe(true);
  });

  it("of level lease need the lease; those of level linearizable are always confirmed", () => {
    const test = bench();
    expect(test.reads.mayReadNow("lease", -Infinity)).toBe(true);
    expect(test.reads.mayReadNow("linearizable", Infinity)).toBe(false);
    test.core.left = 0;
    expect(test.reads.mayReadNow("lease", Infinity)).toBe(false);
  });
});
