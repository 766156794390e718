import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PeerError } from "../../src/peers/errors.ts";
import { FrameReader } from "../../src/peers/frame-reader.ts";
import { HANDSHAKE_FRAME_BYTES_MAX, HEADER_BYTES } from "../../src/peers/frame.ts";
import { FrameWriter } from "../../src/peers/frame-writer.ts";
import { clusterTokenHash, genesisOf } from "../../src/peers/genesis.ts";
import { MEMBERS_MAX, readHello, writeHello } from "../../src/peers/hello.ts";
import type { Hello } from "../../src/peers/hello.ts";
import { judgeHello } from "../../src/peers/hello-check.ts";
import type { HelloContext } from "../../src/peers/hello-check.ts";
import { LogLimiter } from "../../src/peers/log-limiter.ts";
import { MemberTable } from "../../src/peers/member-table.ts";
import type { LinkedMembers } from "../../src/members/membership-ports.ts";
import { isNodeId } from "../../src/peers/node-id-bytes.ts";
import { REFUSAL_REASONS, readRefusal, writeRefusal } from "../../src/peers/refusal.ts";

const A = "0f8fad5b-d9cb-469f-a165-70867728950e";
const B = "7c9e6679-7425-40de-944b-e07fc1f90ae7";
const C = "9b2c3e1a-1f7d-4c55-8a8e-5d5f0c1b2a3d";
const member = (name: string, id: string) => ({
  id,
  name,
  peerAddress: `${name}:1`,
  clientAddress: `${name}:2`,
});
const GENESIS = genesisOf("token", [member("a", A), member("b", B)]);
const OTHER = genesisOf("other", [member("a", A), member("b", B)]);

const HELLO: Hello = {
  groupId: 0,
  nodeId: B,
  name: "b",
  tokenHash: clusterTokenHash("token"),
  peerAddress: "b:1",
  clientAddress: "b:2",
  expected: ["a", "b"],
  promise: null,
  genesis: null,
  active: false,
  certificate: null,
  successor: false,
  featureLevel: 1,
  version: "1.2.3",
  tlsAddress: null,
  lendsSnapshots: true,
  members: null,
};

const CONTEXT: HelloContext = {
  selfId: A,
  selfName: "a",
  selfVersion: "1.2.3",
  tokenHash: clusterTokenHash("token"),
  expectedNames: ["a", "b"],
  clusterId: null,
  table: new MemberTable("a", [{ name: "b", address: "b:1" }]),
  dialedName: null,
  identityProblem: (name) => (name === "b" ? null : `not ${name}`),
  isLive: () => false,
};

/** A node of the cluster with what its table says. */
function inCluster(linked: Partial<LinkedMembers> = {}): Partial<HelloContext> {
  const table = new MemberTable("a", []);
  table.set({ members: GENESIS.members, welcome: [], removed: [], featureLevel: 0, ...linked });
  return { clusterId: GENESIS.clusterId, table };
}

function bodyOf(write: (writer: FrameWriter) => void): Buffer {
  const writer = new FrameWriter();
  write(writer);
  return Buffer.concat(writer.take()).subarray(HEADER_BYTES);
}

function readerOf(body: Buffer): FrameReader {
  const reader = new FrameReader();
  reader.open(body, 0, body.length);
  return reader;
}

function helloBody(json: unknown): Buffer {
  const body = bodyOf((writer) => {
    writeHello(writer, json as Hello, 1);
  });
  return body;
}

describe("a hello", () => {
  it("comes out as it went in", () => {
    for (const hello of [
      HELLO,
      { ...HELLO, genesis: GENESIS, active: true, promise: GENESIS.clusterId },
    ]) {
      expect(readHello(readerOf(helloBody(hello)))).toEqual(hello);
    }
  });

  it("of the largest cluster fits into a handshake frame, and one beyond the limit is refused", () => {
    const names = Array.from({ length: MEMBERS_MAX }, (_, i) => `${"n".repeat(250)}${i}`);
    const members = names.map((name) => ({
      id: A,
      name,
      peerAddress: "h".repeat(300),
      clientAddress: "h".repeat(300),
    }));
    const hints = members.map(({ id, name, peerAddress }) => ({ id, name, peerAddress }));
    const genesis = { clusterId: A, members };
    const hello: Hello = { ...HELLO, expected: names, genesis, members: hints };
    const body = helloBody(hello);
    expect(HEADER_BYTES + body.length).toBeLessThanOrEqual(HANDSHAKE_FRAME_BYTES_MAX);
    expect(readHello(readerOf(body))).toEqual(hello);
    const tooMany = helloBody({ ...HELLO, expected: [...names, "one-more"] });
    expect(() => readHello(readerOf(tooMany))).toThrow(/does not fit its schema/);
    expect(() => helloBody({ ...HELLO, name: "x".repeat(HANDSHAKE_FRAME_BYTES_MAX) })).toThrow(
      PeerError,
    );
  });

  it("of another version is refused loudly, with both versions", () => {
    const body = helloBody(HELLO);
    body.writeUInt16LE(5, 4);
    expect(() => readHello(readerOf(body))).toThrow(
      /speaks version 5 of the peer protocol, this node 4/,
    );
  });

  it("of something else is no Ferrite node", () => {
    for (const text of ["", "GET / HTTP/1.1\r\n\r\n", "*1\r\n$4\r\nPING\r\n"]) {
      expect(() => readHello(readerOf(Buffer.from(text)))).toThrow(/not those of a Ferrite node/);
    }
  });

  it.each([
    ["an id that is no UUID", { nodeId: "b" }],
    ["an id in upper case", { nodeId: B.toUpperCase() }],
    ["a name with a line break", { name: "b\nforged" }],
    ["an empty name", { name: "" }],
    ["a token instead of its hash", { tokenHash: "token" }],
    ["active without a cluster", { active: true }],
    ["a missing field", { expected: undefined }],
    [
      "a member with a strange field",
      { genesis: { clusterId: A, members: [{ ...member("a", A), x: 1 }] } },
    ],
    ["no members", { genesis: { clusterId: A, members: [] } }],
  ])("with %s is malformed", (_what, change) => {
    const body = helloBody({ ...HELLO, ...change });
    expect(() => readHello(readerOf(body))).toThrow(/does not fit its schema/);
  });

  it("of a version that says less of itself supports no feature level", () => {
    const { featureLevel, version, tlsAddress, members, ...old } = HELLO;
    expect(readHello(readerOf(helloBody(old)))).toEqual({
      ...old,
      featureLevel: 0,
      version: "",
      tlsAddress: null,
      lendsSnapshots: true,
      members: null,
    });
    expect([featureLevel, version, tlsAddress, members]).toEqual([1, "1.2.3", null, null]);
  });

  it("of a version that does not say whether it lends snapshots does not", () => {
    const { lendsSnapshots: _, ...older } = HELLO;
    expect(readHello(readerOf(helloBody(older))).lendsSnapshots).toBe(false);
  });

  it("may say more than this version knows", () => {
    expect(readHello(readerOf(helloBody({ ...HELLO, later: 1 })))).toEqual(HELLO);
  });

  it("of random JSON or bytes never crashes", () => {
    const head = helloBody(HELLO).subarray(0, 8);
    const any = fc.oneof(
      fc.json().map((text) => Buffer.from(text)),
      fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes)),
    );
    fc.assert(
      fc.property(any, (tail) => {
        expect(() => readHello(readerOf(Buffer.concat([head, tail])))).toThrow(PeerError);
      }),
      { numRuns: 300 },
    );
  });
});

describe("a refusal", () => {
  it("comes out as it went in, without control characters, cut to its limit", () => {
    for (const reason of REFUSAL_REASONS) {
      const body = bodyOf((writer) => {
        writeRefusal(writer, { reason, text: `no\u001b[2J\n${"x".repeat(2000)}` }, 1);
      });
      const refusal = readRefusal(readerOf(body));
      expect(refusal.reason).toBe(reason);
      expect(refusal.text).toMatch(/^no \[2J x+$/);
      expect(refusal.text.length).toBeLessThanOrEqual(1024);
    }
  });

  it("with an unknown reason or too long a text is malformed", () => {
    expect(() => readRefusal(readerOf(Buffer.of(200)))).toThrow(/reason is 200/);
    expect(() => readRefusal(readerOf(Buffer.alloc(1026)))).toThrow(/too long/);
  });
});

describe("a peer is", () => {
  const verdictOf = (hello: Partial<Hello>, context: Partial<HelloContext> = {}): string => {
    const verdict = judgeHello({ ...HELLO, ...hello }, { ...CONTEXT, ...context });
    return verdict.kind === "refused" ? verdict.refusal.reason : verdict.kind;
  };
  const textOf = (hello: Partial<Hello>, context: Partial<HelloContext>): string => {
    const verdict = judgeHello({ ...HELLO, ...hello }, { ...CONTEXT, ...context });
    return verdict.kind === "refused" ? verdict.refusal.text : "";
  };
  const cut = { identityProblem: () => null };

  it("accepted while both form the same cluster, in whatever order the names stand", () => {
    expect(verdictOf({})).toBe("member");
    expect(verdictOf({ expected: ["b", "a"] }, { dialedName: "b" })).toBe("member");
  });

  it("accepted when both are members, or one still has to learn that it is", () => {
    expect(verdictOf({ genesis: GENESIS }, inCluster())).toBe("member");
    expect(verdictOf({}, inCluster())).toBe("member");
    expect(verdictOf({ genesis: GENESIS })).toBe("member");
  });

  it("heard when its cluster is formed and this node has no place in it yet", () => {
    expect(verdictOf({ genesis: GENESIS }, { selfId: C })).toBe("member");
    expect(verdictOf({ genesis: genesisOf("token", [member("b", B)]) })).toBe("member");
  });

  it("let to ask when its name is invited, when everybody is, and on a new disk of a member (O07)", () => {
    const others = { members: [member("a", A)] };
    expect(verdictOf({}, inCluster({ ...others, welcome: ["b"] }))).toBe("asking");
    expect(verdictOf({}, inCluster({ ...others, welcome: "anybody" }))).toBe("asking");
    expect(verdictOf({ nodeId: C }, inCluster())).toBe("asking");
    // It has the genesis already, and no place: it is no member by what it says itself.
    const joiner = { nodeId: C, genesis: GENESIS };
    expect(verdictOf(joiner, inCluster())).toBe("asking");
  });

  it("refused on a new disk while the old one is connected: two nodes have one name", () => {
    const live = { ...inCluster(), isLive: (id: string) => id === B };
    expect(verdictOf({ nodeId: C }, live)).toBe("replacedDisk");
    expect(textOf({ nodeId: C }, live)).toMatch(/two nodes have one name/);
  });

  it("told that its disk was removed, whatever else it says", () => {
    const removed = inCluster({ members: [member("a", A), member("b", C)], removed: [B] });
    expect(verdictOf({ genesis: GENESIS }, removed)).toBe("removed");
    expect(verdictOf({ genesis: GENESIS, featureLevel: 0 }, removed)).toBe("removed");
    expect(textOf({}, removed)).toMatch(/empty data directory/);
  });

  it("refused below the cluster's feature level, with the version to run (O13)", () => {
    const raised = inCluster({ featureLevel: 2 });
    expect(verdictOf({ genesis: GENESIS }, raised)).toBe("featureLevel");
    expect(textOf({ genesis: GENESIS, version: "0.9.0" }, raised)).toMatch(
      /version 0\.9\.0 of "b" .* run version 1\.2\.3 or a later one/,
    );
    expect(verdictOf({ genesis: GENESIS, featureLevel: 2 }, raised)).toBe("member");
  });

  it("told how to get in when it is neither a member nor welcome", () => {
    const alone = inCluster({ members: [member("a", A)] });
    expect(textOf({}, alone)).toMatch(/`ferrite member add b`, or set member-join auto/);
  });

  it("believed to be a member by its own word under a name that is trusted: this node may lag behind", () => {
    const members = [member("a", A), member("b", C)];
    const claim = { nodeId: C, genesis: GENESIS, members };
    expect(verdictOf(claim, inCluster())).toBe("member");
    const stranger = { ...claim, name: "c", members: [member("c", C)] };
    expect(verdictOf(stranger, { ...inCluster(), ...cut })).toBe("unknownMember");
    const { table } = inCluster() as { table: MemberTable };
    table.vouch("b", [member("c", C)]);
    expect(verdictOf(stranger, { ...inCluster(), ...cut, table })).toBe("member");
  });

  it.each<[string, Partial<Hello>, Partial<HelloContext>, string]>([
    ["its certificate does not cover its name", { name: "c" }, {}, "wrongCertificate"],
    ["another name was dialed", {}, { dialedName: "c" }, "wrongName"],
    ["it has this node's id", { nodeId: A }, {}, "sameNode"],
    ["it has this node's name", { name: "a" }, { identityProblem: () => null }, "sameNode"],
    ["its group is not known", { groupId: 1 }, {}, "wrongGroup"],
    ["its token differs", { tokenHash: clusterTokenHash("else") }, {}, "wrongToken"],
    [
      "its token differs though the cluster is the same",
      { tokenHash: clusterTokenHash("else"), genesis: GENESIS },
      inCluster(),
      "wrongToken",
    ],
    ["it is of another cluster", { genesis: OTHER }, inCluster(), "wrongCluster"],
    ["it expects other members", { expected: ["a", "b", "c"] }, {}, "expectedMembers"],
    [
      "it does not expect itself",
      { expected: ["a", "c"] },
      { expectedNames: ["a", "c"] },
      "expectedMembers",
    ],
    ["nobody named it", { name: "c" }, { identityProblem: () => null }, "unknownMember"],
    [
      "it is no member",
      {},
      inCluster({ members: [member("a", A), member("c", C)] }),
      "unknownMember",
    ],
    [
      "it has the disk of a member of another name",
      { genesis: GENESIS },
      inCluster({ members: [member("a", A), member("c", B)] }),
      "unknownMember",
    ],
  ])("refused when %s", (_what, hello, context, reason) => {
    expect(verdictOf(hello, context)).toBe(reason);
  });
});

describe("a cluster id", () => {
  it("does not depend on the order or the addresses of the members", () => {
    const moved = genesisOf("token", [
      { ...member("b", B), peerAddress: "elsewhere:1" },
      member("a", A),
    ]);
    expect(moved.clusterId).toBe(GENESIS.clusterId);
    expect(moved.members.map((each) => each.name)).toEqual(["a", "b"]);
    expect(isNodeId(GENESIS.clusterId)).toBe(true);
    expect(GENESIS.clusterId.charAt(14)).toBe("8");
    expect("89ab").toContain(GENESIS.clusterId.charAt(19));
  });

  it("depends on the token, each name and each disk", () => {
    const ids = [
      GENESIS,
      OTHER,
      genesisOf("token", [member("a", A), member("b", C)]),
      genesisOf("token", [member("a", A), member("c", B)]),
      genesisOf("token", [member("a", A)]),
      genesisOf("token1", [member("a", A), member("b", B)]),
    ].map((genesis) => genesis.clusterId);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe("repeated complaints", () => {
  it("are held back for the interval and counted", () => {
    const limiter = new LogLimiter(100);
    expect(limiter.pass("a", 0)).toEqual({ suppressed: 0 });
    expect(limiter.pass("a", 50)).toBeNull();
    expect(limiter.pass("a", 99)).toBeNull();
    expect(limiter.pass("b", 99)).toEqual({ suppressed: 0 });
    expect(limiter.pass("a", 100)).toEqual({ suppressed: 2 });
    expect(limiter.pass("a", 99)).toEqual({ suppressed: 0 });
  });
});
