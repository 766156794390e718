import { describe, expect, it } from "vitest";
import { LogicalClock } from "../../src/replica/logical-clock.ts";

function machine(): { wallMs: number; monotonicMs: number; clock: LogicalClock } {
  const time = { wallMs: 1_000_000, monotonicMs: 50 };
  return Object.assign(time, {
    clock: new LogicalClock({ nowMs: () => time.wallMs, monotonicMs: () => time.monotonicMs }),
  });
}

describe("the cluster's clock as one node sees it", () => {
  it("is the wall clock on a leader", () => {
    const time = machine();
    time.clock.lead(true);
    time.wallMs += 7;
    expect(time.clock.nowMs()).toBe(1_000_007);
  });

  it("follows the leader's time and lets it run on, whatever the own wall clock says", () => {
    const time = machine();
    time.clock.heard(5_000_000);
    time.wallMs -= 900_000;
    time.monotonicMs += 30;
    expect(time.clock.nowMs()).toBe(5_000_030);
  });

  it("never runs back: not when a clock is set back, not behind what was applied, not at a change of leader", () => {
    const time = machine();
    time.clock.lead(true);
    expect(time.clock.nowMs()).toBe(1_000_000);
    time.wallMs -= 500;
    expect(time.clock.nowMs()).toBe(1_000_000);
    time.clock.applied(1_000_400);
    expect(time.clock.nowMs()).toBe(1_000_400);
    time.clock.lead(false);
    time.clock.heard(900_000);
    expect(time.clock.nowMs()).toBe(1_000_400);
  });

  it("runs on from where it was when a leader steps down", () => {
    const time = machine();
    time.clock.lead(true);
    time.clock.nowMs();
    time.clock.lead(false);
    time.wallMs += 99_999;
    time.monotonicMs += 10;
    expect(time.clock.nowMs()).toBe(1_000_010);
  });

  it("ignores a time that is none", () => {
    const time = machine();
    time.clock.heard(Number.NaN);
    expect(time.clock.nowMs()).toBe(1_000_000);
  });
});
