import { describe, expect, it } from "vitest";
import { peerListenAddress, systemAddresses } from "../../src/peers/listen-address.ts";
import type { MachineAddresses } from "../../src/peers/listen-address.ts";

const NAMES: Readonly<Record<string, readonly string[]>> = {
  "node-1.example": ["10.0.0.5"],
  "both.example": ["127.0.1.1", "10.0.0.5"],
  "elsewhere.example": ["192.0.2.7"],
  localhost: ["::1", "127.0.0.1"],
};

const machine: MachineAddresses = {
  own: () => ["127.0.0.1", "10.0.0.5", "fd00::5", "::1"],
  resolve: async (host) => {
    const found = NAMES[host];
    if (found === undefined) throw new Error(`getaddrinfo ENOTFOUND ${host}`);
    return found;
  },
};

const REMOTE = ["10.0.0.6:16379"];

describe("the interface of the peer port, when peer-bind is not set, is", () => {
  it.each([
    ["10.0.0.5:16379", "10.0.0.5"],
    ["node-1.example:16379", "10.0.0.5"],
    ["both.example:16379", "10.0.0.5"],
    ["[fd00:0:0::5]:16379", "fd00:0:0::5"],
  ])("the own address that the others dial: %s", async (announced, host) => {
    const found = await peerListenAddress(null, announced, REMOTE, machine);
    expect(found).toEqual({ host, warning: null });
  });

  it("loopback in a cluster on one machine, without a word", async () => {
    const peers = ["127.0.0.1:7002", "localhost:7003", "[::1]:7004"];
    const found = await peerListenAddress(null, "127.0.0.1:7001", peers, machine);
    expect(found).toEqual({ host: "127.0.0.1", warning: null });
    expect((await peerListenAddress(null, "localhost:7001", peers, machine)).host).toBe("::1");
  });

  it.each(["192.0.2.7:16379", "elsewhere.example:16379"])(
    "loopback and never all interfaces when %s is none of this machine, and says so",
    async (announced) => {
      const found = await peerListenAddress(null, announced, REMOTE, machine);
      expect(found.host).toBe("127.0.0.1");
      expect(found.warning).toContain(`as ${announced}, which the other nodes dial, is not`);
    },
  );

  it("refused when the name that the others dial has no address", async () => {
    await expect(peerListenAddress(null, "nowhere.example:1", REMOTE, machine)).rejects.toThrow(
      /nowhere\.example, which the other nodes dial.*set peer-bind/,
    );
  });
});

describe("peer-bind", () => {
  it("goes before everything: all interfaces only when it says so", async () => {
    for (const asked of ["0.0.0.0", "::", "10.9.9.9"]) {
      const found = await peerListenAddress(asked, "nowhere.example:1", REMOTE, machine);
      expect(found).toEqual({ host: asked, warning: null });
    }
  });

  it("on loopback with nodes on other machines is said to be a mistake", async () => {
    const found = await peerListenAddress("127.0.0.1", "10.0.0.5:1", REMOTE, machine);
    expect(found.host).toBe("127.0.0.1");
    expect(found.warning).toMatch(/nodes on other machines can not reach it/);
  });
});

describe("the addresses of this machine", () => {
  it("hold its loopback, by number and by name", async () => {
    expect(systemAddresses.own()).toContain("127.0.0.1");
    const found = await systemAddresses.resolve("localhost");
    expect(found.some((each) => each === "127.0.0.1" || each === "::1")).toBe(true);
  });
});
