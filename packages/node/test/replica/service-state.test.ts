import { describe, expect, it } from "vitest";
import { ServiceState } from "../../src/replica/service-state.ts";

const TIMEOUT_MS = 10_000;
const TICK_MS = 10;

function follower(serveStaleData = true): {
  readonly service: ServiceState;
  readonly ticks: (count: number) => void;
  readonly pause: (ms: number) => void;
  office: { leads: boolean };
} {
  const time = { nowMs: 5000 };
  const office = { leads: false };
  const service = new ServiceState(
    { timeoutMs: TIMEOUT_MS, maxStalenessMs: TIMEOUT_MS, serveStaleData },
    { monotonicMs: () => time.nowMs, leads: () => office.leads },
  );
  service.isCaughtUp = true;
  const ticks = (count: number): void => {
    for (let tick = 0; tick < count; tick++) {
      time.nowMs += TICK_MS;
      service.tick(time.nowMs);
    }
  };
  return { service, ticks, pause: (ms) => (time.nowMs += ms), office };
}

describe("a node that hears no leader", () => {
  it("refuses writes at once when that lasts longer than a write may wait, until it hears one", () => {
    const { service, ticks } = follower();
    ticks(TIMEOUT_MS / TICK_MS);
    expect(service.writeRefusal()).toBeNull();
    ticks(1);
    expect(service.writeRefusal()).toBe(
      "CLUSTERDOWN no leader for 10000 ms; the write was not applied",
    );
    service.leaderHeard();
    expect(service.writeRefusal()).toBeNull();
  });

  it("does not count the time in which it stood still itself: what the leader said is not read yet", () => {
    const { service, ticks, pause } = follower();
    ticks(10);
    pause(60_000);
    expect(service.writeRefusal()).toBeNull();
    ticks(10);
    expect(service.writeRefusal()).toBeNull();
    ticks(TIMEOUT_MS / TICK_MS);
    expect(service.writeRefusal()).toMatch(/^CLUSTERDOWN/);
  });

  it("counts it for the age of what it answers to reads", () => {
    const { service, pause } = follower(false);
    expect(service.readRefusal()).toBeNull();
    pause(TIMEOUT_MS + 1);
    expect(service.readRefusal()).toMatch(/^MASTERDOWN/);
    expect(service.leaderSilenceMs()).toBe(TIMEOUT_MS + 1);
  });

  it("refuses nothing when it leads itself", () => {
    const { service, ticks, office } = follower(false);
    office.leads = true;
    ticks((2 * TIMEOUT_MS) / TICK_MS);
    expect([service.writeRefusal(), service.readRefusal()]).toEqual([null, null]);
  });
});
