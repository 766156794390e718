/** Links follow the members (O05, O07, R53): who joins, moves, gets another disk or is removed, over real TLS. */
import { randomUUID } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type {
  JoinRequest,
  LinkedMembers,
} from "../../../packages/node/src/members/membership-ports.ts";
import type { Member } from "../../../packages/node/src/peers/membership.ts";
import type { PeerPayload } from "../../../packages/node/src/replica/transport.ts";
import { PeerRoom, freeAddresses } from "./peer-fixture.ts";
import type { NodeChanges, TestNode } from "./peer-fixture.ts";
import { RawPeer, helloOf } from "./raw-peer.ts";

const NAMES = ["node-1", "node-2", "node-3"];
const limits = { joinAskIntervalMs: 50, reconnectDelayMaxMs: 100, strangerDelayFactor: 1 };
const answer = (requestId: number): PeerPayload => ({ kind: "copiesAnswer", requestId, count: 1 });

let room: PeerRoom;
beforeEach(() => {
  room = new PeerRoom();
});
afterEach(async () => {
  await room.close();
});

interface Trio {
  readonly nodes: readonly [TestNode, TestNode, TestNode];
  readonly addresses: Record<string, string>;
}

async function trio(changes: NodeChanges = {}): Promise<Trio> {
  const { nodes, addresses } = await room.cluster(NAMES, { limits, ...changes });
  return { nodes: nodes as unknown as Trio["nodes"], addresses };
}

function memberOf(node: TestNode): Member {
  const { id, name } = node.identity;
  return { id, name, peerAddress: node.network.address, clientAddress: "" };
}

function linked(members: readonly TestNode[], changes: Partial<LinkedMembers> = {}): LinkedMembers {
  const nobody = { welcome: [], removed: [], featureLevel: 0 };
  return { members: members.map(memberOf), ...nobody, ...changes };
}

/** A node with an empty disk that knows where the first one is. */
async function newcomer(name: string, known: Record<string, string>, changes: NodeChanges = {}) {
  const own = await freeAddresses([name]);
  const files = await room.nodeFiles(name);
  return await room.node(name, files, { ...known, ...own }, { limits, ...changes });
}

function requestsAt(node: TestNode): JoinRequest[] {
  const requests: JoinRequest[] = [];
  node.network.onJoinRequest((request) => {
    requests.push(request);
    room.happenings.happened();
  });
  return requests;
}

const seen = (condition: () => boolean): Promise<void> => room.happenings.until(condition);

/** What is sent arrives, both ways. */
async function talk(a: TestNode, b: TestNode): Promise<void> {
  await a.connectedTo(b);
  await b.connectedTo(a);
  for (const [from, to] of [
    [a, b],
    [b, a],
  ] as const) {
    const before = to.received.length;
    expect(from.network.send(to.identity.id, answer(1))).toBe(true);
    await seen(() => to.received.slice(before).some((each) => each.from === from.identity.id));
  }
}

describe("a new node", () => {
  it("that is not welcome is told how it could be, keeps asking, and takes nothing onto its disk", async () => {
    const { nodes, addresses } = await trio();
    const [a] = nodes;
    const joiner = await newcomer("node-4", { "node-1": addresses["node-1"] });
    await joiner.network.start();
    const forming = joiner.network.form();
    await joiner.logged(/"node-1" does not let this node in: .*ferrite member add node-4/);
    expect(joiner.network.formationProblem).toMatch(/member-join auto/);
    expect(await a.refused("unknownMember")).toMatchObject({ peer: "node-4" });
    expect(joiner.persisted).toEqual([]);
    const requests = requestsAt(a);
    a.network.setMembers(linked(nodes, { welcome: ["node-4"] }));
    await seen(() => requests.length > 0);
    expect(joiner.persisted).toEqual([]);
    await joiner.network.stop();
    await expect(forming).rejects.toThrow(/stopped/);
  });

  it("asks without payload until the members agree, adopts their genesis then, and reaches all of them (O07)", async () => {
    const { nodes, addresses } = await trio();
    const [a] = nodes;
    const requests = requestsAt(a);
    a.network.setMembers(linked(nodes, { welcome: ["node-4"] }));
    const joiner = await newcomer(
      "node-4",
      { "node-1": addresses["node-1"] },
      {
        clientAnnounce: "10.0.0.4:6379",
        tlsAddress: "10.0.0.4:6380",
        featureLevel: 3,
        version: "9.9.9",
      },
    );
    await joiner.network.start();
    const forming = joiner.network.form();
    await seen(() => requests.length >= 2);
    expect(requests[0]).toEqual({
      id: joiner.identity.id,
      name: "node-4",
      peerAddress: joiner.network.address,
      clientAddress: "10.0.0.4:6379",
      tlsAddress: "10.0.0.4:6380",
      featureLevel: 3,
      version: "9.9.9",
    });
    expect(a.network.featureLevelOf(joiner.identity.id)).toBe(3);
    expect(joiner.network.formationProblem).toMatch(
      /Asking to join cluster .*ferrite member add node-4/,
    );
    expect(a.network.connected(joiner.identity.id)).toBe(false);
    expect(joiner.persisted).toEqual([]);
    const all = [...nodes, joiner];
    for (const node of nodes) node.network.setMembers(linked(all));
    expect(await forming).toEqual(a.network.genesis);
    joiner.network.activate();
    // It has heard of two of them only from the one that it knows.
    for (const node of nodes) await talk(joiner, node);
  });

  it("of any name may ask where everybody may", async () => {
    const { nodes, addresses } = await trio();
    const [a] = nodes;
    const requests = requestsAt(a);
    a.network.setMembers(linked(nodes, { welcome: "anybody" }));
    const joiner = await newcomer("node-9", { "node-1": addresses["node-1"] });
    await joiner.network.start();
    await seen(() => requests.some(({ name }) => name === "node-9"));
  });

  it("that says it is active sends in vain as long as it only asks", async () => {
    const { nodes, addresses } = await trio();
    const [a] = nodes;
    a.network.setMembers(linked(nodes, { welcome: ["node-4"] }));
    const peer = await RawPeer.connect(
      addresses["node-1"],
      await room.nodeFiles("node-4"),
      "node-1",
    );
    const genesis = a.network.genesis;
    const id = randomUUID();
    const members = nodes.map(memberOf).map(({ clientAddress: _client, ...hint }) => hint);
    peer.sayHello(helloOf("node-4", id, { genesis, active: true, members }));
    await seen(() => a.logText.includes("A node asks to join"));
    peer.send(answer(5));
    await seen(() => {
      a.network.flush();
      return a.network.counters.framesReceived > 0;
    });
    await expect.poll(() => a.network.counters.droppedInactive).toBe(1);
    expect(a.received).toEqual([]);
    expect(a.network.connected(id)).toBe(false);
    peer.socket.destroy();
  });

  it("is known to lend snapshots when it says so on its link", async () => {
    const { nodes, addresses } = await trio();
    const [a, b] = nodes;
    expect(a.network.lendsSnapshots(b.identity.id)).toBe(true);
    a.network.setMembers(linked(nodes, { welcome: "anybody" }));
    const id = randomUUID();
    expect(a.network.lendsSnapshots(id)).toBe(false);
    const peer = await RawPeer.connect(
      addresses["node-1"],
      await room.nodeFiles("node-4"),
      "node-1",
    );
    peer.sayHello(helloOf("node-4", id, { lendsSnapshots: false }));
    await seen(() => a.logText.includes("A node asks to join"));
    expect(a.network.lendsSnapshots(id)).toBe(false);
    peer.sayHello(helloOf("node-4", id));
    await expect.poll(() => a.network.lendsSnapshots(id)).toBe(true);
    peer.socket.destroy();
  });

  it("is refused when as many as are heard ask already", async () => {
    const { nodes, addresses } = await trio({ limits: { ...limits, askingNodesMax: 1 } });
    const [a] = nodes;
    a.network.setMembers(linked(nodes, { welcome: "anybody" }));
    const peers: RawPeer[] = [];
    for (const name of ["node-4", "node-5"]) {
      const peer = await RawPeer.connect(addresses["node-1"], await room.nodeFiles(name), "node-1");
      peers.push(peer);
      peer.sayHello(helloOf(name, randomUUID()));
      if (name === "node-4") await seen(() => a.logText.includes("A node asks to join"));
    }
    await peers[1].closed;
    expect(peers[1].refusals[0]).toMatchObject({ reason: "tooManyAsking" });
    peers[0].socket.destroy();
  });

  it("joins a cluster of one that has certificates and a port", async () => {
    const { nodes } = await room.cluster(["node-1"], { limits });
    const [a] = nodes;
    const joiner = await newcomer("node-2", { "node-1": a.network.address });
    a.network.setMembers(linked([a], { welcome: ["node-2"] }));
    const requests = requestsAt(a);
    await joiner.network.start();
    const forming = joiner.network.form();
    await seen(() => requests.length > 0);
    a.network.setMembers(linked([a, joiner]));
    expect((await forming).members).toHaveLength(1);
    joiner.network.activate();
    await talk(a, joiner);
  });
});

describe("another disk under a member's name", () => {
  it("waits while the old one is connected, may ask when it is gone, and takes its place (O07)", async () => {
    const { nodes, addresses } = await trio();
    const [a, b, c] = nodes;
    const requests = requestsAt(a);
    const renewed = await newcomer("node-3", { "node-1": addresses["node-1"] });
    await renewed.network.start();
    const forming = renewed.network.form();
    await renewed.logged(/two nodes have one name/);
    expect(requests).toEqual([]);
    expect(a.network.connected(c.identity.id)).toBe(true);
    await c.network.stop();
    await seen(() => requests.length > 0);
    expect(requests[0]).toMatchObject({ id: renewed.identity.id, name: "node-3" });
    const now = linked([a, b, renewed], { removed: [c.identity.id] });
    a.network.setMembers(now);
    b.network.setMembers(now);
    expect(await forming).toEqual(a.network.genesis);
    renewed.network.activate();
    await talk(renewed, a);
    await talk(renewed, b);
  });

  it("is told so for good when it is the old one that comes back, by members of its own cluster only", async () => {
    const { nodes, addresses } = await trio();
    const [a, b, c] = nodes;
    const told: string[] = [];
    c.network.onRemoved((text) => {
      told.push(text);
      room.happenings.happened();
    });
    const now = linked([a, b], { removed: [c.identity.id] });
    a.network.setMembers(now);
    await seen(() => told.length > 0);
    b.network.setMembers(now);
    expect(told[0]).toMatch(/"node-1" says: .* was removed from cluster .* empty data directory/);
    await c.network.stop();
    const back = await room.node("node-3", await room.nodeFiles("node-3"), addresses, {
      limits,
      identity: c.identity,
      genesis: c.network.genesis,
    });
    const again: string[] = [];
    back.network.onRemoved((text) => {
      again.push(text);
      room.happenings.happened();
    });
    await back.network.start();
    await back.network.form();
    back.network.activate();
    await seen(() => again.length > 0);
    expect(again).toHaveLength(1);
    expect(a.network.connected(c.identity.id)).toBe(false);
    // Whoever listens late hears it too.
    back.network.onRemoved((text) => again.push(text));
    expect(again[1]).toBe(again[0]);
  });

  it("that is said to be removed by somebody who is not of its cluster goes on", async () => {
    const { nodes, addresses } = await trio();
    const [a] = nodes;
    const told: string[] = [];
    a.network.onRemoved((text) => told.push(text));
    const peer = await RawPeer.connect(
      addresses["node-1"],
      await room.nodeFiles("node-2"),
      "node-1",
    );
    peer.refuse({ reason: "removed", text: "you are out" });
    await a.logged(/A peer refuses this node.*"reason":"removed"/);
    await peer.closed;
    expect(told).toEqual([]);
  });
});

describe("a member", () => {
  it("that is removed loses its links, and the others keep theirs", async () => {
    const { nodes } = await trio();
    const [a, b, c] = nodes;
    const now = linked([a, b], { removed: [c.identity.id] });
    a.network.setMembers(now);
    b.network.setMembers(now);
    await a.changed(`disconnected ${c.identity.id}`);
    await b.changed(`disconnected ${c.identity.id}`);
    expect(a.network.send(c.identity.id, answer(1))).toBe(false);
    await talk(a, b);
    expect(a.network.counters.linksOpened).toBe(2);
  });

  it("below the cluster's feature level is refused with the version to run (O13)", async () => {
    const { nodes } = await trio();
    const [a, b, c] = nodes;
    a.network.setMembers(linked(nodes, { featureLevel: 2 }));
    await a.changed(`disconnected ${b.identity.id}`);
    await b.logged(/reached feature level 2.*run version 1\.2\.3 or a later one/);
    expect(a.network.featureLevelOf(a.identity.id)).toBe(1);
    expect(b.network.featureLevelOf(c.identity.id)).toBe(1);
  });

  it("that was away while all others were replaced hears those whom the operator names", async () => {
    const { nodes } = await trio();
    const [a, b, c] = nodes;
    // The table of the first one is old: it still names the disks that are gone.
    await b.network.stop();
    await c.network.stop();
    const own = await freeAddresses(["node-2"]);
    const renewed = await room.node(
      "node-2",
      await room.nodeFiles("node-2"),
      { ...own, "node-1": a.network.address },
      { limits, genesis: a.network.genesis },
    );
    await renewed.network.start();
    await renewed.network.form();
    renewed.network.setMembers(linked([a, renewed], { removed: [b.identity.id, c.identity.id] }));
    renewed.network.activate();
    await talk(a, renewed);
    expect(a.network.connected(b.identity.id)).toBe(false);
  });
});

describe("addresses", () => {
  it("may all change at one start: one that is right is enough to find all others (O05, R53)", async () => {
    const { nodes, addresses } = await trio();
    const genesis = nodes[0].network.genesis;
    await Promise.all(nodes.map((node) => node.network.stop()));
    // Everybody moves. The configuration of all is right about the first one only; the genesis about nobody.
    const moved = await freeAddresses(NAMES);
    const known = { ...addresses, "node-1": moved["node-1"] };
    const again: TestNode[] = [];
    for (const [i, name] of NAMES.entries()) {
      const { identity } = nodes[i];
      const seenBy = { ...known, [name]: moved[name] };
      const files = await room.nodeFiles(name);
      again.push(await room.node(name, files, seenBy, { limits, identity, genesis }));
    }
    await Promise.all(again.map((node) => node.network.start()));
    await Promise.all(again.map((node) => node.network.form()));
    for (const node of again) node.network.activate();
    const [a, b, c] = again as [TestNode, TestNode, TestNode];
    await talk(a, b);
    await talk(b, c);
    await talk(c, a);
  });

  it("of the table are taken from it, also when a member moves while all run", async () => {
    const { nodes } = await trio();
    const [a, b, c] = nodes;
    await c.network.stop();
    const own = await freeAddresses(["node-3"]);
    const back = await room.node("node-3", await room.nodeFiles("node-3"), own, {
      limits,
      identity: c.identity,
      genesis: c.network.genesis,
    });
    // It knows nobody but from its genesis, whose addresses are still right.
    await back.network.start();
    await back.network.form();
    back.network.activate();
    await talk(back, a);
    await talk(back, b);
  });
});
