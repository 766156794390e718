import { describe, expect, it } from "vitest";
import { PreAuthRegistry } from "../../src/security/pre-auth-registry.ts";
import type { ClientPlace } from "../../src/security/pre-auth-registry.ts";

const LOCAL: ClientPlace = { origin: "loopback", address: "127.0.0.1" };
const UNIX: ClientPlace = { origin: "unix", address: null };

function remote(address: string): ClientPlace {
  return { origin: "remote", address };
}

function makeRegistry(limits = { clientsMax: 5, clientsPerAddressMax: 3, timeoutMs: 10_000 }) {
  return { registry: new PreAuthRegistry(() => limits), limits };
}

describe("Connections that have not logged in (S23)", () => {
  it("are so many at most, and so many of one address (limits: unauthenticated-clients-max, ...-per-address-max)", () => {
    const { registry } = makeRegistry();
    for (let id = 1; id <= 3; id++) {
      expect(registry.refusal(remote("10.0.0.9"))).toBeNull();
      registry.add(id, remote("10.0.0.9"), 0);
    }
    expect(registry.refusal(remote("10.0.0.9"))).toBe("address");
    expect(registry.refusal(remote("::ffff:10.0.0.9"))).toBe("address");
    registry.add(4, remote("10.0.0.7"), 0);
    registry.add(5, remote("10.0.0.8"), 0);
    expect(registry.refusal(remote("10.0.0.6"))).toBe("total");
    registry.remove(4);
    expect(registry.refusal(remote("10.0.0.6"))).toBeNull();
    registry.remove(1);
    expect(registry.refusal(remote("10.0.0.9"))).toBeNull();
  });

  it("of one IPv6 network count as one address", () => {
    const { registry } = makeRegistry();
    for (let id = 1; id <= 3; id++) registry.add(id, remote(`2001:db8::${id}`), 0);
    expect(registry.refusal(remote("2001:db8::9"))).toBe("address");
    expect(registry.refusal(remote("2001:db8:0:1::9"))).toBeNull();
  });

  it("can not keep the administrator of this machine out (S26)", () => {
    const { registry } = makeRegistry();
    for (let id = 1; id <= 5; id++) registry.add(id, remote(`10.0.0.${id}`), 0);
    expect(registry.refusal(remote("10.0.0.9"))).toBe("total");
    expect(registry.refusal(LOCAL)).toBeNull();
    expect(registry.refusal(UNIX)).toBeNull();
    for (let id = 6; id <= 20; id++) registry.add(id, LOCAL, 0);
    for (let id = 1; id <= 5; id++) registry.remove(id);
    expect(registry.refusal(remote("10.0.0.9"))).toBeNull();
  });

  it("are counted once each, and forgotten when they log in or leave", () => {
    const { registry } = makeRegistry();
    registry.add(1, remote("10.0.0.9"), 0);
    registry.add(1, remote("10.0.0.9"), 5);
    registry.add(2, LOCAL, 0);
    expect(registry.count).toBe(2);
    registry.remove(1);
    registry.remove(1);
    registry.remove(2);
    registry.remove(99);
    expect(registry.count).toBe(0);
    for (let id = 1; id <= 3; id++) registry.add(id, remote("10.0.0.9"), 0);
    expect(registry.refusal(remote("10.0.0.9"))).toBe("address");
  });

  it("follow changed settings at once", () => {
    const { registry, limits } = makeRegistry();
    registry.add(1, remote("10.0.0.9"), 0);
    limits.clientsPerAddressMax = 1;
    expect(registry.refusal(remote("10.0.0.9"))).toBe("address");
    limits.timeoutMs = 5;
    expect(registry.overdue(5)).toEqual([1]);
  });
});

describe("The deadline for logging in (S23, limit: auth-timeout-ms)", () => {
  it("is the same for all, on this machine too", () => {
    const { registry } = makeRegistry();
    registry.add(1, remote("10.0.0.9"), 1_000);
    registry.add(2, LOCAL, 2_000);
    expect(registry.overdue(10_999)).toEqual([]);
    expect(registry.overdue(11_000)).toEqual([1]);
    expect(registry.overdue(12_000)).toEqual([1, 2]);
    registry.remove(1);
    expect(registry.overdue(12_000)).toEqual([2]);
  });

  it("does not count the time in which a password is checked", () => {
    const { registry } = makeRegistry();
    registry.add(1, remote("10.0.0.9"), 0);
    registry.beginCheck(1, 9_000);
    registry.beginCheck(1, 9_500);
    expect(registry.overdue(60_000)).toEqual([]);
    registry.endCheck(1, 60_000);
    expect(registry.overdue(60_999)).toEqual([]);
    expect(registry.overdue(61_000)).toEqual([1]);
    registry.endCheck(1, 70_000);
    expect(registry.overdue(70_000)).toEqual([1]);
  });

  it("is none when it is 0, and none for those who have logged in", () => {
    const { registry, limits } = makeRegistry();
    registry.add(1, remote("10.0.0.9"), 0);
    limits.timeoutMs = 0;
    expect(registry.overdue(1e9)).toEqual([]);
    limits.timeoutMs = 10;
    registry.remove(1);
    registry.beginCheck(1, 5);
    registry.endCheck(1, 6);
    expect(registry.overdue(1e9)).toEqual([]);
  });
});
