import { describe, expect, it } from "vitest";
import { AuthThrottle, THROTTLE_SETTINGS_DEFAULT } from "../../src/security/auth-throttle.ts";
import type { ThrottleLimits, ThrottleTicket } from "../../src/security/auth-throttle.ts";

const MINUTE_MS = 60_000;

class Guesser {
  nowMs = 5_000;
  readonly throttle: AuthThrottle;

  constructor(limits: Partial<ThrottleLimits> = {}, settings = THROTTLE_SETTINGS_DEFAULT) {
    this.throttle = new AuthThrottle(settings, limits);
  }

  admit(name = "alice", address = "10.0.0.9"): { waitMs: number; ticket: ThrottleTicket } {
    const admission = this.throttle.admit(name, address, this.nowMs);
    if (admission?.kind !== "admitted") throw new Error("not admitted");
    return admission;
  }

  /** One wrong guess, after waiting for its slot; how long that was. */
  fail(name = "alice", address = "10.0.0.9"): number {
    const { waitMs, ticket } = this.admit(name, address);
    this.nowMs += waitMs;
    this.throttle.settle(ticket, "failure", this.nowMs);
    return waitMs;
  }

  succeed(name = "alice", address = "10.0.0.9"): number {
    const { waitMs, ticket } = this.admit(name, address);
    this.nowMs += waitMs;
    this.throttle.settle(ticket, "success", this.nowMs);
    return waitMs;
  }

  /** How long the next attempt would wait, without making it. */
  waitOf(name = "alice", address = "10.0.0.9"): number {
    const { waitMs, ticket } = this.admit(name, address);
    this.throttle.settle(ticket, "unknown", this.nowMs);
    return waitMs;
  }
}

describe("Failures of one user from one address (S26, F15)", () => {
  it("cost nothing three times, then 100 ms, doubling up to ten seconds", () => {
    const guesser = new Guesser();
    const waits = Array.from({ length: 14 }, () => guesser.fail());
    expect(waits).toEqual([
      0, 0, 0, 0, 100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000, 10_000,
    ]);
  });

  it("do not delay other users from there or the same user from elsewhere", () => {
    const guesser = new Guesser();
    for (let count = 0; count < 8; count++) guesser.fail();
    expect(guesser.waitOf("alice")).toBe(1_600);
    expect(guesser.waitOf("bob")).toBe(0);
    expect(guesser.waitOf("alice", "10.0.0.10")).toBe(0);
  });

  it("are forgiven when the right password is given, and forgotten after 15 minutes without one", () => {
    const guesser = new Guesser();
    for (let count = 0; count < 6; count++) guesser.fail();
    expect(guesser.succeed()).toBe(400);
    expect([1, 2, 3, 4, 5].map(() => guesser.fail())).toEqual([0, 0, 0, 0, 100]);
    guesser.nowMs += 15 * MINUTE_MS - 1;
    expect(guesser.fail()).toBe(0);
    expect(guesser.waitOf()).toBe(400);
    guesser.nowMs += 15 * MINUTE_MS;
    expect([1, 2, 3, 4, 5].map(() => guesser.fail())).toEqual([0, 0, 0, 0, 100]);
  });

  it("count before they are known: guesses at the same time get slots one after the other", () => {
    const guesser = new Guesser();
    const waits = Array.from({ length: 8 }, () => guesser.admit().waitMs);
    expect(waits).toEqual([0, 0, 0, 0, 100, 300, 700, 1_500]);
  });

  it("let four attempts wait and refuse more, saying when it is worth trying again", () => {
    const guesser = new Guesser();
    for (let count = 0; count < 5; count++) guesser.fail();
    const waiting = [1, 2, 3, 4].map(() => guesser.admit());
    expect(waiting.map(({ waitMs }) => waitMs)).toEqual([200, 600, 1_400, 3_000]);
    expect(guesser.throttle.admit("alice", "10.0.0.9", guesser.nowMs)).toEqual({
      kind: "refused",
      retryAfterMs: 6_200,
    });
    guesser.nowMs += 200;
    guesser.throttle.begin(waiting[0].ticket);
    expect(guesser.throttle.admit("alice", "10.0.0.9", guesser.nowMs)?.kind).toBe("admitted");
  });

  it("of somebody else at the address leave the right password its slot: it is late, not refused", () => {
    const guesser = new Guesser();
    for (let count = 0; count < 30; count++) guesser.fail();
    const waitMs = guesser.succeed();
    expect(waitMs).toBe(10_000);
    expect(guesser.waitOf()).toBe(0);
  });

  it("are not counted when the check came to nothing", () => {
    const guesser = new Guesser();
    for (let count = 0; count < 50; count++) {
      guesser.throttle.settle(guesser.admit().ticket, "unknown", guesser.nowMs);
    }
    expect(guesser.waitOf()).toBe(0);
    expect(guesser.throttle.entries).toBe(0);
  });
});

describe("Failures of one address over all users (S26)", () => {
  it("delay everybody from there after 20 of them, by a second at most", () => {
    const guesser = new Guesser();
    const waits = Array.from({ length: 28 }, (_, index) => guesser.fail(`user-${index}`));
    expect(waits.slice(0, 21).every((waitMs) => waitMs === 0)).toBe(true);
    expect(waits.slice(21)).toEqual([100, 200, 400, 800, 1_000, 1_000, 1_000]);
    expect(guesser.waitOf("alice", "10.0.0.10")).toBe(0);
  });

  it("are not forgiven by a user whom the attacker has", () => {
    const guesser = new Guesser();
    for (let count = 0; count < 24; count++) guesser.fail(`user-${count}`);
    guesser.succeed("mallory");
    expect(guesser.waitOf("alice")).toBeGreaterThan(0);
  });

  it("now and then never add up: one is forgotten every 45 seconds", () => {
    const guesser = new Guesser();
    for (let count = 0; count < 200; count++) {
      expect(guesser.fail(`user-${count}`)).toBe(0);
      guesser.nowMs += 45_000;
    }
  });

  it("are forgotten minutes after even the longest attack", () => {
    const guesser = new Guesser();
    for (let count = 0; count < 2_000; count++) guesser.fail(`user-${count}`);
    guesser.nowMs += 5 * MINUTE_MS;
    expect(guesser.waitOf("alice")).toBe(0);
  });

  it("do not delay many users who log in at the same time", () => {
    const guesser = new Guesser();
    const admissions = Array.from({ length: 500 }, (_, index) => guesser.admit(`user-${index}`));
    expect(admissions.every(({ waitMs }) => waitMs === 0)).toBe(true);
  });
});

describe("The memory of the throttle", () => {
  it("is bounded (limit: entriesMax)", () => {
    const guesser = new Guesser({ entriesMax: 100 });
    for (let count = 0; count < 1_000; count++) guesser.fail(`user-${count}`, `10.0.${count}.1`);
    expect(guesser.throttle.entries).toBe(200);
  });

  it("does not grow with the length of names", () => {
    const guesser = new Guesser();
    const long = "x".repeat(16_384);
    for (let count = 0; count < 5; count++) guesser.fail(`${long}1`);
    expect(guesser.waitOf(`${long}1`)).toBe(200);
    expect(guesser.waitOf(`${long}2`)).toBe(0);
  });

  it("can not be used to make it forget: inventing names does not push out a delayed one (S26)", () => {
    const guesser = new Guesser({ entriesMax: 100 });
    for (let count = 0; count < 8; count++) guesser.fail("alice");
    for (let count = 0; count < 1_000; count++) guesser.fail(`user-${count}`, `10.0.${count}.1`);
    expect(guesser.throttle.delayedUsers).toBe(1);
    expect(guesser.waitOf("alice")).toBe(1_600);
  });

  it("has room for new ones although it is full of delayed ones", () => {
    const guesser = new Guesser({ entriesMax: 40 });
    for (let count = 0; count < 80; count++) {
      for (let failure = 0; failure < 5; failure++)
        guesser.fail(`user-${count}`, `10.0.${count}.1`);
    }
    const waits = [1, 2, 3, 4, 5, 6].map(() => guesser.fail("alice", "10.9.9.9"));
    expect(waits).toEqual([0, 0, 0, 0, 100, 200]);
  });
});

describe("The settings of the throttle", () => {
  it("off: nothing is counted and nothing is remembered", () => {
    const guesser = new Guesser();
    for (let count = 0; count < 8; count++) guesser.fail();
    const { ticket } = guesser.admit();
    guesser.throttle.configure({ isEnabled: false, maxDelayMs: 10_000 });
    expect(guesser.throttle.admit("alice", "10.0.0.9", guesser.nowMs)).toBeNull();
    guesser.throttle.settle(ticket, "failure", guesser.nowMs);
    expect(guesser.throttle.entries).toBe(0);
  });

  it("the longest delay holds from the next failure on", () => {
    const guesser = new Guesser({}, { isEnabled: true, maxDelayMs: 500 });
    const waits = Array.from({ length: 9 }, () => guesser.fail());
    expect(waits).toEqual([0, 0, 0, 0, 100, 200, 400, 500, 500]);
    guesser.throttle.configure({ isEnabled: true, maxDelayMs: 200 });
    guesser.nowMs += 500;
    expect([guesser.fail(), guesser.fail()]).toEqual([0, 200]);
  });
});
