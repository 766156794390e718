import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import { PEER_FRAME_BYTES_MAX_LEAST } from "../../src/peers/frame.ts";
import { genesisOf } from "../../src/peers/genesis.ts";
import { MEMBERS_MAX } from "../../src/peers/hello.ts";
import { DEFAULT_PEER_LIMITS, checkPeerLimits } from "../../src/peers/limits.ts";
import { checkPeerNetworkOptions } from "../../src/peers/options.ts";
import type { PeerNetworkOptions } from "../../src/peers/options.ts";
import { reconnectDelayMs } from "../../src/peers/reconnect-delay.ts";

describe("the wait before dialing again", () => {
  const limits = { reconnectDelayMinMs: 20, reconnectDelayMaxMs: 1000 };

  it("doubles from the least to the most, with an upper half of chance", () => {
    const least = [1, 2, 3, 4, 5, 6, 7, 8, 1000].map((n) => reconnectDelayMs(n, limits, 0));
    expect(least).toEqual([10, 20, 40, 80, 160, 320, 500, 500, 500]);
    const most = [1, 2, 6, 7, 1000].map((n) => reconnectDelayMs(n, limits, 0.999999));
    expect(most.map(Math.round)).toEqual([20, 40, 640, 1000, 1000]);
  });
});

describe("limits", () => {
  it("have defaults that are legal", () => {
    expect(checkPeerLimits(DEFAULT_PEER_LIMITS)).toBe(DEFAULT_PEER_LIMITS);
  });

  it("are refused by name when they are out of range", () => {
    expect(() => checkPeerLimits({ ...DEFAULT_PEER_LIMITS, queueBytesMax: 0 })).toThrow(
      /queueBytesMax/,
    );
    expect(() => checkPeerLimits({ ...DEFAULT_PEER_LIMITS, stallTimeoutMs: 1.5 })).toThrow(
      /stallTimeoutMs/,
    );
    expect(() => checkPeerLimits({ ...DEFAULT_PEER_LIMITS, reconnectDelayMaxMs: 1 })).toThrow(
      /must not be less than reconnectDelayMinMs/,
    );
    const frameBytesMax = PEER_FRAME_BYTES_MAX_LEAST - 1;
    expect(() => checkPeerLimits({ ...DEFAULT_PEER_LIMITS, frameBytesMax })).toThrow(
      /frameBytesMax/,
    );
  });
});

describe("options", () => {
  const id = randomUUID();
  const options: PeerNetworkOptions = {
    identity: { id, name: "a" },
    clusterToken: "",
    listen: { host: "127.0.0.1", port: 0 },
    announce: null,
    clientAnnounce: "",
    tlsAddress: null,
    featureLevel: 1,
    version: "1.2.3",
    peers: [{ name: "b", address: "127.0.0.1:1" }],
    genesis: null,
    credentials: null,
    policy: () => ({ allowedSan: [], closeExpired: true }),
    limits: DEFAULT_PEER_LIMITS,
    logicalNowMs: () => 0,
    persistGenesis: async () => undefined,
  };
  const problemOf = (changes: Partial<PeerNetworkOptions>): string => {
    try {
      checkPeerNetworkOptions({ ...options, ...changes });
      return "none";
    } catch (error) {
      return String(error);
    }
  };

  it("that are good pass", () => {
    expect(problemOf({})).toBe("none");
  });

  it.each<[string, Partial<PeerNetworkOptions>, RegExp]>([
    ["an id that is no UUID", { identity: { id: "a", name: "a" } }, /is not a UUID/],
    [
      "the own name among the peers",
      { peers: [{ name: "a", address: "h:1" }] },
      /"a" is used twice/,
    ],
    [
      "an address without a port",
      { peers: [{ name: "b", address: "h" }] },
      /"h" of peer "b" is not host:port/,
    ],
    [
      "an address with port 0",
      { peers: [{ name: "b", address: "h:0" }] },
      /"h:0" of peer "b" is not host:port/,
    ],
    [
      "too many peers",
      { peers: Array.from({ length: MEMBERS_MAX }, (_, i) => ({ name: `n${i}`, address: "h:1" })) },
      /65 members are more than 64/,
    ],
    [
      "a data directory of another name",
      { genesis: genesisOf("", [{ id, name: "z", peerAddress: "", clientAddress: "" }]) },
      /lists the id .* as "z", not as "a": was node-name changed/,
    ],
  ])("are refused: %s", (_what, changes, message) => {
    expect(problemOf(changes)).toMatch(message);
  });
});
