import { randomBytes, randomUUID } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Message } from "@ferrite/raft";
import { CutFrame } from "../../../packages/node/src/peers/fragment.ts";
import { FRAGMENT_BYTES, HEADER_BYTES } from "../../../packages/node/src/peers/frame.ts";
import { FrameWriter } from "../../../packages/node/src/peers/frame-writer.ts";
import { payloadBodyBytes, writePayload } from "../../../packages/node/src/peers/payload-codec.ts";
import type { Genesis } from "../../../packages/node/src/peers/membership.ts";
import type { PeerPayload } from "../../../packages/node/src/replica/transport.ts";
import { PeerRoom, freeAddresses } from "./peer-fixture.ts";
import type { Received, TestNode } from "./peer-fixture.ts";
import { RawPeer, helloOf } from "./raw-peer.ts";
import { TcpProxy } from "./tcp-proxy.ts";

const MEBIBYTE = 1024 * 1024;
const PEER = randomUUID();
const SELF = randomUUID();
const GENESIS: Genesis = {
  clusterId: randomUUID(),
  members: [
    { id: SELF, name: "node-1", peerAddress: "127.0.0.1:1", clientAddress: "" },
    { id: PEER, name: "node-2", peerAddress: "127.0.0.1:1", clientAddress: "" },
  ],
};

let room: PeerRoom;
const proxies: TcpProxy[] = [];
beforeEach(() => {
  room = new PeerRoom();
});
afterEach(async () => {
  await room.close();
  await Promise.all(proxies.splice(0).map((proxy) => proxy.close()));
});

/** Two connected nodes; the first reaches the second over a line that carries so much. */
async function slowPair(bytesPerMs: number): Promise<readonly [TestNode, TestNode]> {
  const names = ["node-1", "node-2"];
  const addresses = await freeAddresses(names);
  const proxy = await TcpProxy.to(addresses["node-2"], { bytesPerMs });
  proxies.push(proxy);
  const seen = [{ ...addresses, "node-2": proxy.address }, addresses];
  const nodes: TestNode[] = [];
  for (const [i, name] of names.entries()) {
    nodes.push(await room.node(name, await room.nodeFiles(name), seen[i]));
  }
  await Promise.all(nodes.map((node) => node.network.start()));
  await Promise.all(nodes.map((node) => node.network.form()));
  for (const node of nodes) node.network.activate();
  const [first, second] = nodes as [TestNode, TestNode];
  await first.connectedTo(second);
  await second.connectedTo(first);
  return [first, second];
}

function heartbeat(readRound: number): PeerPayload {
  const message: Message = {
    kind: "heartbeat",
    from: SELF,
    to: PEER,
    term: 1,
    commit: 0,
    readRound,
  };
  return { kind: "raft", message };
}

function isHeartbeat({ payload }: Received): boolean {
  return payload.kind === "raft" && payload.message.kind === "heartbeat";
}

describe("while a large value is on its way", () => {
  it("heartbeats go on, and what is ordered waits behind it", async () => {
    const [first, second] = await slowPair(48 * 1024);
    const large = randomBytes(48 * MEBIBYTE);
    const to = second.identity.id;
    expect(first.network.send(to, { kind: "forward", batch: large })).toBe(true);
    expect(first.network.send(to, { kind: "copiesAnswer", requestId: 7, count: 1 })).toBe(true);
    first.network.flush();
    // One after another: each is sent when the one before has arrived.
    let round = 0;
    const isThere = (): boolean =>
      second.received.some(({ payload }) => payload.kind === "forward");
    while (!isThere()) {
      round++;
      expect(first.network.send(to, heartbeat(round))).toBe(true);
      first.network.flush();
      await room.happenings.until(
        () => second.received.filter(isHeartbeat).length === round || isThere(),
      );
    }
    // Each waits for what the socket and the buffers of the system hold, some 4 MiB; not for the value.
    expect(round).toBeGreaterThan(5);
    await room.happenings.until(() => second.received.length === round + 2);
    const ordered = second.received.filter((received) => !isHeartbeat(received));
    expect(ordered.map(({ payload }) => payload.kind)).toEqual(["forward", "copiesAnswer"]);
    const { payload } = ordered[0];
    expect(payload.kind === "forward" && large.equals(payload.batch)).toBe(true);
    const pieces = Math.ceil((large.length + HEADER_BYTES) / (FRAGMENT_BYTES - 28));
    expect(first.network.counters.fragmentsSent).toBe(pieces);
    expect(second.network.counters.fragmentsReceived).toBe(pieces);
  });

  it("a planned stop still delivers all of it", async () => {
    const [first, second] = await slowPair(64 * 1024);
    const large = randomBytes(8 * MEBIBYTE);
    first.network.send(second.identity.id, { kind: "forward", batch: large });
    first.network.send(second.identity.id, { kind: "copiesAnswer", requestId: 7, count: 1 });
    await first.network.stop();
    await second.receivedCount(2);
    const { payload } = second.received[0];
    expect(payload.kind === "forward" && large.equals(payload.batch)).toBe(true);
  });
});

describe("a peer that breaks the rules of pieces", () => {
  let node: TestNode;
  beforeEach(async () => {
    const addresses = await freeAddresses(["node-1", "node-2"]);
    const identity = { id: SELF, name: "node-1" };
    const changes = { identity, genesis: GENESIS };
    node = await room.node("node-1", await room.nodeFiles("node-1"), addresses, changes);
    await node.network.start();
    await node.network.form();
    node.network.activate();
  });

  async function rawPeer(): Promise<RawPeer> {
    return RawPeer.connect(node.network.address, await room.nodeFiles("node-2"), "node-1");
  }

  async function member(): Promise<RawPeer> {
    const peer = await rawPeer();
    peer.sayHello(helloOf("node-2", PEER, { genesis: GENESIS, active: true }));
    return peer;
  }

  function frame(): { readonly parts: Uint8Array[]; readonly bytes: number } {
    const writer = new FrameWriter();
    const payload: PeerPayload = { kind: "forward", batch: randomBytes(MEBIBYTE) };
    writePayload(writer, payload, 1, payloadBodyBytes(payload));
    return { bytes: writer.pendingBytes, parts: writer.take() };
  }

  function pieces(): Uint8Array[][] {
    const { parts, bytes } = frame();
    const cut = new CutFrame(parts, bytes);
    const all: Uint8Array[][] = [];
    while (cut.remainingBytes > 0) all.push(cut.next(1));
    return all;
  }

  async function isRefused(peer: RawPeer, text: RegExp): Promise<void> {
    await peer.closed;
    expect(peer.refusals[0]).toMatchObject({ reason: "badFrame" });
    expect(peer.refusals[0].text).toMatch(text);
    expect(node.received).toEqual([]);
    expect(node.network.counters.protocolErrors).toBe(1);
  }

  it("before its hello", async () => {
    const peer = await rawPeer();
    // No longer than a frame of the handshake may be.
    const [head, data] = pieces()[0];
    const short = Buffer.concat([head, data]).subarray(0, 1000);
    short.writeUInt32LE(short.length - 4, 0);
    peer.write(short);
    await isRefused(peer, /came where none may come/);
  });

  it("with a piece that does not follow", async () => {
    const peer = await member();
    const all = pieces();
    peer.write(...all[0], ...all[2]);
    await isRefused(peer, /a piece begins at/);
  });

  it("with a long frame that is not cut", async () => {
    const peer = await member();
    peer.write(...frame().parts);
    await isRefused(peer, /is larger than the limit of 262144/);
  });

  it("and one that does not break them is heard", async () => {
    const peer = await member();
    for (const piece of pieces()) peer.write(...piece);
    await node.receivedCount(1);
    expect(node.received[0].payload.kind).toBe("forward");
    peer.socket.destroy();
  });
});
