import { describe, expect, it } from "vitest";
import { addressGroup, originOfAddress } from "../../src/security/client-origin.ts";

describe("Where a client is", () => {
  it.each([
    "127.0.0.1",
    "127.0.0.2",
    "127.255.255.254",
    "::1",
    "0:0:0:0:0:0:0:1",
    "::ffff:127.0.0.1",
    "::FFFF:127.9.9.9",
    "::ffff:7f00:1",
    "0:0:0:0:0:ffff:127.0.0.1",
    "::1%lo",
  ])("%s is this machine (S24, F67, F71, F72)", (address) => {
    expect(originOfAddress(address)).toBe("loopback");
  });

  it.each([
    "128.0.0.1",
    "126.255.255.255",
    "10.0.0.1",
    "172.17.0.1",
    "192.168.65.1",
    "::",
    "::2",
    "1::1",
    "::ffff:10.0.0.1",
    "::ffff:128.0.0.1",
    "::127.0.0.1",
    "::fffe:127.0.0.1",
    "fe80::1%eth0",
    "127.0.0.1.example.com",
    "localhost",
    "127.1",
    "",
  ])("%j is not (S24)", (address) => {
    expect(originOfAddress(address)).toBe("remote");
  });

  it("is elsewhere when it is not known (F71)", () => {
    expect(originOfAddress(null)).toBe("remote");
    expect(originOfAddress(undefined)).toBe("remote");
  });
});

describe("An address is counted", () => {
  it("as itself when it is IPv4, in whatever form it is written", () => {
    expect(addressGroup("10.1.2.3")).toBe("10.1.2.3");
    expect(addressGroup("::ffff:10.1.2.3")).toBe("10.1.2.3");
    expect(addressGroup("::ffff:a01:203")).toBe("10.1.2.3");
  });

  it("with all that share its IPv6 network", () => {
    expect(addressGroup("2001:db8:0:7::1")).toBe("2001:db8:0:7::/64");
    expect(addressGroup("2001:db8:0:7:ffff:1:2:3")).toBe(addressGroup("2001:0db8:0000:7::9"));
    expect(addressGroup("2001:db8:0:8::1")).not.toBe(addressGroup("2001:db8:0:7::1"));
    expect(addressGroup("fe80::1%eth0")).toBe("fe80:0:0:0::/64");
  });

  it("with all that have none, when it has none", () => {
    expect(addressGroup(null)).toBe("unknown");
  });
});
