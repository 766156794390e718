import { randomBytes, randomUUID } from "node:crypto";
import { connect as connectTcp } from "node:net";
import type { Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { TlsFiles } from "../../../packages/node/src/config/tls-files.ts";
import { HANDSHAKE_FRAME_BYTES_MAX } from "../../../packages/node/src/peers/frame.ts";
import { clusterTokenHash, genesisOf } from "../../../packages/node/src/peers/genesis.ts";
import type { Hello } from "../../../packages/node/src/peers/hello.ts";
import type { Genesis } from "../../../packages/node/src/peers/membership.ts";
import type { RefusalReason } from "../../../packages/node/src/peers/refusal.ts";
import type { PeerPayload } from "../../../packages/node/src/replica/transport.ts";
import { PeerRoom, freeAddresses } from "./peer-fixture.ts";
import type { NodeChanges, TestNode } from "./peer-fixture.ts";
import { RawPeer, helloOf } from "./raw-peer.ts";

const SELF = randomUUID();
const PEER = randomUUID();
const member = (name: string, id: string) => ({
  id,
  name,
  peerAddress: "127.0.0.1:1",
  clientAddress: "",
});
const GENESIS: Genesis = genesisOf("token", [member("node-1", SELF), member("node-2", PEER)]);

let room: PeerRoom;
let addresses: Record<string, string>;
let peerFiles: TlsFiles;
beforeEach(async () => {
  room = new PeerRoom();
  addresses = await freeAddresses(["node-1", "node-2"]);
  peerFiles = await room.nodeFiles("node-2");
});
afterEach(async () => {
  await room.close();
});

async function startNode(genesis: Genesis | null, limits: NodeChanges = {}): Promise<TestNode> {
  const options = { identity: { id: SELF, name: "node-1" }, genesis, ...limits };
  const node = await room.node("node-1", await room.nodeFiles("node-1"), addresses, options);
  await node.network.start();
  return node;
}

function rawPeer(files = peerFiles): Promise<RawPeer> {
  return RawPeer.connect(addresses["node-1"], files, "node-1");
}

const formed = (changes: Partial<Hello> = {}): Hello =>
  helloOf("node-2", PEER, { genesis: GENESIS, active: true, ...changes });

const timeoutNow = (from: string): PeerPayload => ({
  kind: "raft",
  message: { kind: "timeoutNow", from, to: SELF, term: 5 },
});

describe("S31, S32: a peer with a good certificate is refused, told why, logged and counted", () => {
  it.each<[string, Genesis | null, Hello, RefusalReason]>([
    ["as another node", null, helloOf("node-3", PEER), "wrongCertificate"],
    ["under this node's own id", null, helloOf("node-2", SELF), "sameNode"],
    [
      "with another token",
      null,
      helloOf("node-2", PEER, { tokenHash: clusterTokenHash("x") }),
      "wrongToken",
    ],
    ["for another group", null, helloOf("node-2", PEER, { groupId: 7 }), "wrongGroup"],
    [
      "expecting other members",
      null,
      helloOf("node-2", PEER, { expected: ["node-2"] }),
      "expectedMembers",
    ],
    [
      "of another cluster",
      GENESIS,
      formed({ genesis: { ...GENESIS, clusterId: randomUUID() } }),
      "wrongCluster",
    ],
    ["with another member's id", GENESIS, formed({ nodeId: SELF }), "sameNode"],
  ])("%s", async (_what, genesis, hello, reason) => {
    const node = await startNode(genesis);
    const peer = await rawPeer();
    peer.sayHello(hello);
    await peer.closed;
    expect(peer.refusals.map((refusal) => refusal.reason)).toEqual([reason]);
    expect(peer.hellos).toEqual([]);
    expect(node.network.counters.refusalsSent[reason]).toBe(1);
    expect(await node.refused(reason)).toMatchObject({ side: "accepted", peer: hello.name });
    expect(node.network.refusals[reason]).toBe(1);
    expect(node.logText).toMatch(new RegExp(`A peer was refused .*"reason":"${reason}"`));
  });

  it("with another version of the protocol", async () => {
    const node = await startNode(null);
    const peer = await rawPeer();
    const hello = Buffer.alloc(28);
    hello.writeUInt32LE(24, 0);
    hello.writeUInt32LE(1, 4);
    hello.write("FERR", 20, "latin1");
    hello.writeUInt16LE(9, 24);
    peer.write(hello);
    await peer.closed;
    expect(peer.refusals[0]).toMatchObject({ reason: "protocolVersion" });
    expect(peer.refusals[0]?.text).toContain("speaks version 9");
    expect(node.network.counters.protocolErrors).toBe(1);
  });

  it("that says it is a third node on an open link", async () => {
    await startNode(GENESIS);
    const peer = await rawPeer();
    peer.sayHello(formed());
    peer.sayHello(formed({ nodeId: randomUUID() }));
    await peer.closed;
    expect(peer.refusals[0]).toMatchObject({ reason: "badFrame" });
  });

  it("S32: can not speak for another node, whatever it writes", async () => {
    const node = await startNode(GENESIS);
    node.network.activate();
    const peer = await rawPeer();
    peer.sayHello(formed());
    peer.send(timeoutNow(randomUUID()));
    await node.receivedCount(1);
    expect(node.received[0]).toMatchObject({ from: PEER, payload: timeoutNow(PEER) });
    peer.socket.destroy();
  });
});

describe("a TLS session", () => {
  it("is not resumed: every link is a full handshake against the certificates of today", async () => {
    await startNode(GENESIS);
    const first = await rawPeer();
    const sessions: Buffer[] = [];
    first.socket.on("session", (session) => {
      sessions.push(session);
    });
    first.sayHello(formed());
    first.write(Buffer.alloc(20));
    await first.closed;
    const session = sessions.at(-1);
    const second = await RawPeer.connect(addresses["node-1"], peerFiles, "node-1", session);
    expect(second.socket.isSessionReused()).toBe(false);
    second.socket.destroy();
  });
});

describe("a link ends, and nothing else does, after", () => {
  const forward: PeerPayload = { kind: "forward", batch: Buffer.alloc(HANDSHAKE_FRAME_BYTES_MAX) };
  it.each<[string, (peer: RawPeer) => void, RegExp]>([
    ["payload before the hello", (peer) => peer.send(timeoutNow(PEER)), /before the hello/],
    [
      "a large frame before the hello",
      (peer) => peer.send(forward),
      /larger than the limit of 131072/,
    ],
    [
      "bytes of another protocol",
      (peer) => peer.write(Buffer.from("GET / HTTP/1.1\r\n\r\n")),
      /larger than the limit/,
    ],
    [
      "an oversized frame",
      (peer) => {
        peer.sayHello(formed());
        peer.send({ kind: "forward", batch: Buffer.alloc(300_000) });
      },
      /larger than the limit of 200000/,
    ],
    [
      "an unknown frame",
      (peer) => {
        peer.sayHello(formed());
        const frame = Buffer.alloc(20);
        frame.writeUInt32LE(16, 0);
        frame.writeUInt8(99, 4);
        peer.write(frame);
      },
      /of kind 99/,
    ],
    [
      "a frame for another group",
      (peer) => {
        peer.sayHello(formed());
        const frame = Buffer.alloc(20);
        frame.writeUInt32LE(16, 0);
        frame.writeUInt8(26, 4);
        frame.writeUInt32LE(3, 8);
        peer.write(frame);
      },
      /for group 3/,
    ],
  ])("%s", async (_what, misbehave, text) => {
    const node = await startNode(GENESIS, { limits: { frameBytesMax: 200_000 } });
    node.network.activate();
    const peer = await rawPeer();
    misbehave(peer);
    await peer.closed;
    expect(peer.refusals).toHaveLength(1);
    expect(peer.refusals[0]?.text).toMatch(text);
    expect(node.network.counters.protocolErrors).toBe(1);
    expect(node.received).toEqual([]);
    const good = await rawPeer();
    good.sayHello(formed());
    good.send(timeoutNow(PEER));
    await node.receivedCount(1);
    good.socket.destroy();
  });

  it("garbage, of which the node survives any amount", async () => {
    const node = await startNode(GENESIS);
    node.network.activate();
    for (let round = 0; round < 20; round++) {
      const peer = await rawPeer();
      if (round % 2 === 0) {
        peer.sayHello(formed());
      }
      // A length that is allowed, so that the garbage behind it is looked at.
      const garbage = randomBytes(2000);
      garbage.writeUInt32LE(500, 0);
      peer.write(garbage);
      await peer.closed;
    }
    expect(node.network.counters.protocolErrors).toBe(20);
    expect(node.received).toEqual([]);
  });
});

describe("payload before this node is active", () => {
  it("is dropped and counted, and flows afterwards", async () => {
    const node = await startNode(GENESIS);
    const peer = await rawPeer();
    peer.sayHello(formed());
    peer.send(timeoutNow(PEER));
    // Whoever breaks a rule is refused, in order: by then the payload was looked at.
    peer.write(Buffer.alloc(20));
    await peer.closed;
    expect(node.network.counters.droppedInactive).toBe(1);
    expect(node.received).toEqual([]);
    node.network.activate();
    const again = await rawPeer();
    again.sayHello(formed());
    again.send(timeoutNow(PEER));
    await node.receivedCount(1);
    again.socket.destroy();
  });
});

describe("strangers", () => {
  function dialTcp(): Promise<{ socket: Socket; closed: Promise<void> }> {
    const [host, port] = addresses["node-1"].split(":") as [string, string];
    const socket = connectTcp({ host, port: Number(port) });
    socket.on("error", () => undefined);
    const closed = new Promise<void>((resolve) => {
      socket.on("close", () => {
        resolve();
      });
      socket.resume();
    });
    return new Promise((resolve) => {
      socket.on("connect", () => {
        resolve({ socket, closed });
      });
    });
  }

  it("that say nothing are cut off when the handshake time is over, before TLS and before the hello", async () => {
    const node = await startNode(GENESIS, { limits: { handshakeTimeoutMs: 150 } });
    const silentTcp = await dialTcp();
    const silentTls = await rawPeer();
    await Promise.all([silentTcp.closed, silentTls.closed]);
    await room.happenings.until(() => node.network.counters.handshakesFailed >= 2);
    expect(node.network.counters).toMatchObject({ handshakesFailed: 2, linksAccepted: 0 });
    await room.happenings.until(() => node.network.refusals.handshakeTimeout === 2);
  });

  it("beyond the limit of pending handshakes are closed unread, and there is room again afterwards", async () => {
    const node = await startNode(GENESIS, { limits: { pendingHandshakesMax: 3 } });
    node.network.activate();
    const pending = [await dialTcp(), await dialTcp(), await dialTcp()];
    await (
      await dialTcp()
    ).closed;
    expect(node.network.counters.handshakesRefused).toBe(1);
    for (const each of pending) {
      each.socket.destroy();
      await each.closed;
    }
    await room.happenings.until(() => node.network.counters.handshakesFailed === 3);
    // Members that are let in do not count: one link after another fits.
    const peers: RawPeer[] = [];
    for (let i = 0; i < 5; i++) {
      const peer = await rawPeer();
      peer.sayHello(formed());
      peer.send(timeoutNow(PEER));
      await node.receivedCount(i + 1);
      peers.push(peer);
    }
    // The newest link of a peer replaces the one before.
    await Promise.all(peers.slice(0, -1).map((peer) => peer.closed));
    expect(node.network.counters.handshakesRefused).toBe(1);
    peers.at(-1)?.socket.destroy();
  });
});
