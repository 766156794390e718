import { randomBytes, randomUUID } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { genesisOf } from "../../../packages/node/src/peers/genesis.ts";
import type { Genesis } from "../../../packages/node/src/peers/membership.ts";
import type { PeerPayload } from "../../../packages/node/src/replica/transport.ts";
import { PeerRoom, freeAddresses } from "./peer-fixture.ts";
import type { NodeChanges, TestNode } from "./peer-fixture.ts";
import { TcpProxy } from "./tcp-proxy.ts";

let room: PeerRoom;
const proxies: TcpProxy[] = [];
beforeEach(() => {
  room = new PeerRoom();
});
afterEach(async () => {
  await room.close();
  await Promise.all(proxies.splice(0).map((proxy) => proxy.close()));
});

const NAMES = ["node-1", "node-2", "node-3"];
const answer = (requestId: number): PeerPayload => ({ kind: "copiesAnswer", requestId, count: 1 });

async function trio(): Promise<[TestNode, TestNode, TestNode]> {
  return (await room.cluster(NAMES)).nodes as [TestNode, TestNode, TestNode];
}

/** Two connected nodes of a formed cluster; the first reaches the second through a proxy. */
async function proxiedPair(
  changes: NodeChanges = {},
): Promise<{ first: TestNode; second: TestNode; proxy: TcpProxy }> {
  const addresses = await freeAddresses(["node-1", "node-2"]);
  const proxy = await TcpProxy.to(addresses["node-2"]);
  proxies.push(proxy);
  const throughProxy = { ...addresses, "node-2": proxy.address };
  const first = await room.node("node-1", await room.nodeFiles("node-1"), throughProxy, changes);
  const second = await room.node("node-2", await room.nodeFiles("node-2"), addresses, changes);
  await Promise.all([first.network.start(), second.network.start()]);
  await Promise.all([first.network.form(), second.network.form()]);
  first.network.activate();
  second.network.activate();
  await first.connectedTo(second);
  await second.connectedTo(first);
  return { first, second, proxy };
}

describe("a peer network", () => {
  it("forms one cluster, connects each to each and carries payload", async () => {
    const nodes = await trio();
    const [a, b, c] = nodes;
    expect(b.network.genesis).toEqual(a.network.genesis);
    expect(c.network.genesis).toEqual(a.network.genesis);
    expect(a.network.genesis?.members.map((each) => each.name)).toEqual(NAMES);
    for (const node of nodes) {
      expect(node.persisted).toEqual([a.network.genesis]);
      expect(node.changes.filter((change) => change.startsWith("connected"))).toHaveLength(2);
    }
    const ends = { from: a.identity.id, to: b.identity.id };
    const entries = [{ index: 8, term: 3, kind: 0 as const, data: randomBytes(100_000) }];
    const message = {
      kind: "append",
      ...ends,
      term: 3,
      previousIndex: 7,
      previousTerm: 2,
      entries,
      commit: 6,
    } as const;
    expect(a.network.send(b.identity.id, { kind: "raft", message })).toBe(true);
    a.network.flush();
    await b.receivedCount(1);
    expect(b.received[0]).toMatchObject({
      from: a.identity.id,
      payload: { kind: "raft", message },
    });
    expect(c.received).toEqual([]);
  });

  it("carries much of everything in order, small and large, stamped with the sender's time", async () => {
    let timeMs = 5000;
    const { first, second } = await proxiedPair({ logicalNowMs: () => timeMs });
    const sent: PeerPayload[] = [];
    for (let i = 0; i < 500; i++) {
      timeMs = 5000 + i;
      const payload: PeerPayload =
        i % 5 === 0 ? { kind: "forward", batch: randomBytes((i * 97) % 50_000) } : answer(i);
      sent.push(payload);
      expect(first.network.send(second.identity.id, payload)).toBe(true);
      if (i % 7 === 0) {
        first.network.flush();
      }
    }
    await second.receivedCount(sent.length);
    expect(second.received.map((each) => each.payload)).toEqual(sent);
    expect(second.received.map((each) => each.senderTimeMs)).toEqual(sent.map((_, i) => 5000 + i));
  });

  it("sends what was queued in one turn without being asked to, in one write", async () => {
    const [a, b] = await trio();
    const before = a.network.counters.bytesSent;
    for (let i = 0; i < 10; i++) {
      a.network.send(b.identity.id, answer(i));
    }
    expect(a.network.counters.bytesSent).toBe(before);
    await b.receivedCount(10);
    expect(a.network.counters.bytesSent).toBe(before + 10 * 36);
  });

  it("does not send to strangers, to itself, or before it is active", async () => {
    const [a] = await trio();
    expect(a.network.send(randomUUID(), answer(1))).toBe(false);
    expect(a.network.send(a.identity.id, answer(1))).toBe(false);
    expect(a.network.connected(a.identity.id)).toBe(false);
    expect(a.network.counters.droppedNoLink).toBe(2);
  });

  it("shows nothing of what it carries on the wire", async () => {
    const { first, second, proxy } = await proxiedPair();
    const secret = "the-secret-value-of-a-key";
    for (let i = 0; i < 100; i++) {
      first.network.send(second.identity.id, {
        kind: "forward",
        batch: Buffer.from(secret.repeat(50)),
      });
    }
    await second.receivedCount(100);
    const wire = Buffer.concat(proxy.captured);
    expect(wire.length).toBeGreaterThan(100 * secret.length * 50);
    expect(wire.includes(secret)).toBe(false);
    expect(wire.includes(first.identity.id)).toBe(false);
    expect(wire.includes("clusterId")).toBe(false);
  });

  it("of one node needs no certificates and no port, and is formed at once", async () => {
    const node = await room.node("alone", null, {});
    await node.network.start();
    const genesis = await node.network.form();
    node.network.activate();
    expect(genesis.members).toHaveLength(1);
    expect(node.persisted).toEqual([genesis]);
    expect(await node.network.form()).toEqual(genesis);
  });
});

describe("when a peer goes away", () => {
  it("the others are told at once that nobody listens there, and again when it is back", async () => {
    const { nodes, addresses } = await room.cluster(NAMES);
    const [a, b, c] = nodes as [TestNode, TestNode, TestNode];
    await c.network.stop();
    await a.changed(`refused ${c.identity.id}`);
    await b.changed(`refused ${c.identity.id}`);
    expect(a.changes.filter((change) => change === `disconnected ${c.identity.id}`)).toHaveLength(
      1,
    );
    expect(a.network.connected(c.identity.id)).toBe(false);
    expect(a.network.send(c.identity.id, answer(1))).toBe(false);
    expect(a.network.connected(b.identity.id)).toBe(true);
    a.changes.length = 0;
    const again = await room.node("node-3", await room.nodeFiles("node-3"), addresses, {
      identity: c.identity,
      genesis: c.network.genesis,
    });
    await again.network.start();
    expect(await again.network.form()).toEqual(a.network.genesis);
    again.network.activate();
    await again.connectedTo(a, b);
    await a.connectedTo(again);
    expect(a.changes.at(-1)).toBe(`connected ${c.identity.id}`);
    a.network.send(c.identity.id, answer(7));
    await again.receivedCount(1);
  });

  it("a reset link is dialed anew at once and carries on", async () => {
    const { first, second, proxy } = await proxiedPair();
    for (let round = 1; round <= 3; round++) {
      first.changes.length = 0;
      proxy.cut();
      await first.changed(`disconnected ${second.identity.id}`);
      await first.changed(`connected ${second.identity.id}`);
      expect(first.changes).not.toContain(`refused ${second.identity.id}`);
      first.network.send(second.identity.id, answer(round));
      await second.receivedCount(round);
    }
    expect(first.network.counters.linksLost).toBe(3);
    expect(first.network.counters.linksOpened).toBe(4);
  });

  it("queued frames are sent before a planned stop", async () => {
    const [a, b] = await trio();
    for (let i = 0; i < 100; i++) {
      a.network.send(b.identity.id, answer(i));
    }
    await a.network.stop();
    await b.receivedCount(100);
    expect(b.received.at(-1)?.payload).toEqual(answer(99));
  });

  it("stops while it is still waiting for its cluster", async () => {
    const addresses = await freeAddresses(NAMES);
    const node = await room.node("node-1", await room.nodeFiles("node-1"), addresses);
    await node.network.start();
    const forming = node.network.form();
    await node.network.stop();
    await expect(forming).rejects.toThrow(/stopped before its cluster was formed/);
  });
});

describe("a peer that does not read", () => {
  it("costs a bounded queue: then frames are refused, and flow again when it reads", async () => {
    const { first, second, proxy } = await proxiedPair({ limits: { queueBytesMax: 1_000_000 } });
    proxy.hold();
    const batch = randomBytes(100_000);
    let taken = 0;
    while (first.network.send(second.identity.id, { kind: "forward", batch })) {
      taken++;
      first.network.flush();
      await new Promise((resolve) => setImmediate(resolve));
      expect(first.network.queuedBytes(second.identity.id)).toBeLessThanOrEqual(1_000_000);
    }
    expect(first.network.counters.droppedQueueFull).toBe(1);
    expect(first.network.connected(second.identity.id)).toBe(true);
    proxy.release();
    await second.receivedCount(taken);
    while (!first.network.send(second.identity.id, answer(1))) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    await second.receivedCount(taken + 1);
  });

  it("gets one frame larger than the queue, but none larger than a frame may be", async () => {
    const limits = { queueBytesMax: 1000, frameBytesMax: 300_000 };
    const { first, second } = await proxiedPair({ limits });
    expect(
      first.network.send(second.identity.id, { kind: "forward", batch: Buffer.alloc(200_000) }),
    ).toBe(true);
    expect(first.network.send(second.identity.id, answer(1))).toBe(false);
    await second.receivedCount(1);
    expect(
      first.network.send(second.identity.id, { kind: "forward", batch: Buffer.alloc(300_000) }),
    ).toBe(false);
    expect(first.network.counters.droppedTooLarge).toBe(1);
  });

  it("for too long loses its link", async () => {
    const { first, second, proxy } = await proxiedPair({ limits: { stallTimeoutMs: 100 } });
    proxy.hold();
    for (let i = 0; i < 20; i++) {
      first.network.send(second.identity.id, { kind: "forward", batch: randomBytes(1_000_000) });
    }
    await first.changed(`disconnected ${second.identity.id}`);
    expect(first.network.counters.linksStalled).toBe(1);
    expect(first.logText).toMatch(/took nothing for 100 ms/);
  });
});

describe("O06: forming", () => {
  it("waits for every expected node and says for whom", async () => {
    const addresses = await freeAddresses(NAMES);
    const nodes: TestNode[] = [];
    for (const name of NAMES) {
      nodes.push(await room.node(name, await room.nodeFiles(name), addresses));
    }
    const [a, b, c] = nodes as [TestNode, TestNode, TestNode];
    await Promise.all([a.network.start(), b.network.start()]);
    const forming = Promise.all([a.network.form(), b.network.form()]);
    await a.logged(/Waiting for node-3 to form the cluster/);
    expect(a.network.formationProblem).toMatch(/Waiting for/);
    expect(a.network.genesis).toBeNull();
    await c.network.start();
    const late = await c.network.form();
    const [one, two] = await forming;
    expect(one).toEqual(late);
    expect(two).toEqual(late);
    expect(a.network.formationProblem).toBeNull();
  });

  it("gives a late node the cluster that lists it", async () => {
    const { nodes, addresses } = await room.cluster(NAMES);
    const [a, , c] = nodes as [TestNode, TestNode, TestNode];
    await c.network.stop();
    // It died before its disk had the cluster.
    const late = await room.node("node-3", await room.nodeFiles("node-3"), addresses, {
      identity: c.identity,
    });
    await late.network.start();
    expect(await late.network.form()).toEqual(a.network.genesis);
    expect(late.persisted).toEqual([a.network.genesis]);
  });

  it("joins neither of two clusters it is shown", async () => {
    const addresses = await freeAddresses(NAMES);
    const ids = NAMES.map(() => randomUUID());
    const members = NAMES.map((name, i) => ({
      id: ids[i] as string,
      name,
      peerAddress: addresses[name],
      clientAddress: "",
    }));
    const clusters: (Genesis | null)[] = [
      null,
      genesisOf("token", members),
      { ...genesisOf("token", members), clusterId: randomUUID() },
    ];
    const nodes: TestNode[] = [];
    for (const [i, name] of NAMES.entries()) {
      const identity = { id: ids[i] as string, name };
      const genesis = clusters[i] ?? null;
      nodes.push(
        await room.node(name, await room.nodeFiles(name), addresses, { identity, genesis }),
      );
    }
    const [a, b, c] = nodes as [TestNode, TestNode, TestNode];
    // The one that would join hears both before it decides.
    await Promise.all(nodes.map((node) => node.network.start()));
    await room.happenings.until(() => a.network.counters.linksAccepted === 2);
    const forming = a.network.form();
    await a.logged(/The peers belong to different clusters/);
    await b.logged(/"reason":"wrongCluster"/);
    expect(b.network.connected(c.identity.id)).toBe(false);
    expect(a.network.genesis).toBeNull();
    await a.network.stop();
    await expect(forming).rejects.toThrow(/stopped/);
  });

  it("fails with the disk, and says nothing of a cluster that is not durable", async () => {
    const addresses = await freeAddresses(NAMES.slice(0, 2));
    const broken = await room.node("node-1", await room.nodeFiles("node-1"), addresses, {
      persistGenesis: async () => {
        throw new Error("the disk is gone");
      },
    });
    const good = await room.node("node-2", await room.nodeFiles("node-2"), addresses);
    await Promise.all([broken.network.start(), good.network.start()]);
    const others = good.network.form();
    await expect(broken.network.form()).rejects.toThrow("the disk is gone");
    // The other one may form: this node promised, and will find itself listed when its disk is well again.
    expect((await others).members).toHaveLength(2);
    expect(broken.network.genesis).toBeNull();
    expect(() => {
      broken.network.activate();
    }).toThrow(/before its cluster is formed/);
  });
});
