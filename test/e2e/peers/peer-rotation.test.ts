import { X509Certificate } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createAuthority, issueNodeCertificate } from "../../../packages/cli/src/certs/index.ts";
import type { CertificatePair } from "../../../packages/cli/src/certs/index.ts";
import type { TlsFiles } from "../../../packages/node/src/config/tls-files.ts";
import { withList, writeAuthorities, writeList, writeOwn } from "./changing-files.ts";
import { MessageFlow } from "./message-flow.ts";
import { PeerRoom, freeAddresses } from "./peer-fixture.ts";
import type { NodeChanges, TestNode } from "./peer-fixture.ts";

const NAMES = ["node-1", "node-2", "node-3"];
const DAY_MS = 24 * 60 * 60 * 1000;
/** Certificates end at whole seconds. */
const SHORT_LIFE_MS = 6000;

let room: PeerRoom;
beforeEach(() => {
  room = new PeerRoom();
});
afterEach(async () => {
  await room.close();
});

interface Cluster {
  readonly nodes: readonly TestNode[];
  readonly files: readonly TlsFiles[];
}

/** Connected nodes with the given files; links are renewed at once. */
async function clusterOf(files: readonly TlsFiles[], changes: NodeChanges = {}): Promise<Cluster> {
  const addresses = await freeAddresses(NAMES);
  const nodes: TestNode[] = [];
  for (const [i, own] of files.entries()) {
    const limits = { linkRenewalMs: 50 };
    nodes.push(await room.node(NAMES[i], own, addresses, { limits, ...changes }));
  }
  await Promise.all(nodes.map((node) => node.network.start()));
  await Promise.all(nodes.map((node) => node.network.form()));
  for (const node of nodes) node.network.activate();
  for (const node of nodes) await node.connectedTo(...nodes.filter((other) => other !== node));
  return { nodes, files };
}

async function plainCluster(): Promise<Cluster> {
  const files: TlsFiles[] = [];
  for (const name of NAMES) files.push(await room.nodeFiles(name));
  return clusterOf(files);
}

async function shortLived(name: string): Promise<CertificatePair> {
  const nowMs = Date.now() - DAY_MS + SHORT_LIFE_MS;
  return issueNodeCertificate(await room.authority(), { name, days: 1, nowMs });
}

/**
 * Fulfilled when all links of all nodes were made with these certificates, told apart by their ends: each later than that of
 * the certificate before, as of several the first end is shown.
 */
async function seenEverywhere(
  nodes: readonly TestNode[],
  ends: ReadonlyMap<string, number>,
): Promise<void> {
  await room.happenings.until(() =>
    nodes.every((node) =>
      node.network
        .certificateExpiries()
        .every(({ peer, validUntilMs }) => validUntilMs === ends.get(peer)),
    ),
  );
}

function endOf(pair: CertificatePair): number {
  return new X509Certificate(pair.certificatePem).validToDate.getTime();
}

describe("S33: new certificates while links live", () => {
  it("twice on every node: no message is lost, and every link ends up with the newest", async () => {
    const { nodes, files } = await plainCluster();
    const flow = new MessageFlow(nodes, room.happenings);
    flow.start();
    const ends = new Map<string, number>();
    for (const days of [400, 500]) {
      for (const [i, node] of nodes.entries()) {
        const name = NAMES[i];
        const pair = await issueNodeCertificate(await room.authority(), { name, days });
        ends.set(name, endOf(pair));
        writeOwn(files[i], pair);
        expect(await node.reload()).toMatchObject({ result: "changed" });
      }
      await seenEverywhere(nodes, ends);
    }
    expect(await flow.finish()).toEqual([]);
    expect(flow.refused).toBe(0);
    for (const node of nodes) {
      expect(node.network.counters.linksLost).toBe(0);
      expect(node.network.certificateExpiries()).toHaveLength(2);
      expect(node.refusals).toEqual([]);
    }
  });

  it("that the others do not take: refused and told, and the old links carry on", async () => {
    const { nodes, files } = await plainCluster();
    const [a, b] = nodes as [TestNode, TestNode, TestNode];
    const flow = new MessageFlow(nodes, room.happenings);
    flow.start();
    const foreign = await createAuthority();
    writeAuthorities(files[0], await room.authority(), foreign);
    writeOwn(files[0], await issueNodeCertificate(foreign, { name: "node-1" }));
    expect(await a.reload()).toMatchObject({ result: "changed" });
    await b.refused("untrusted");
    expect(await flow.finish()).toEqual([]);
    expect(a.network.counters.linksRenewed).toBe(0);
    expect(b.network.counters.linksLost + a.network.counters.linksLost).toBe(0);
  });

  it("that are not good: the old ones stay in use", async () => {
    const { nodes, files } = await plainCluster();
    const [a, b] = nodes as [TestNode, TestNode, TestNode];
    const other = await issueNodeCertificate(await room.authority(), { name: "node-2" });
    writeOwn(files[0], other);
    expect(await a.reload()).toMatchObject({ result: "refused" });
    expect(a.network.connected(b.identity.id)).toBe(true);
    expect(a.network.counters.linksRenewed).toBe(0);
  });
});

describe("S34: a new authority", () => {
  it("by overlap, node by node, in mixed order: no message is lost", async () => {
    const { nodes, files } = await plainCluster();
    const old = await room.authority();
    const fresh = await createAuthority();
    const flow = new MessageFlow(nodes, room.happenings);
    const ends = new Map<string, number>();
    flow.start();
    const change = async (i: number, write: (files: TlsFiles) => void): Promise<void> => {
      write(files[i]);
      expect(await nodes[i]?.reload()).toMatchObject({ result: "changed" });
    };
    for (const i of [2, 0, 1]) {
      await change(i, (own) => {
        writeAuthorities(own, old, fresh);
      });
    }
    for (const i of [1, 2, 0]) {
      const name = NAMES[i];
      const pair = await issueNodeCertificate(fresh, { name, days: 400 + i });
      ends.set(name, endOf(pair));
      await change(i, (own) => {
        writeOwn(own, pair);
      });
    }
    await seenEverywhere(nodes, ends);
    for (const i of [0, 2, 1]) {
      await change(i, (own) => {
        writeAuthorities(own, fresh);
      });
    }
    const before = flow.sent;
    await room.happenings.until(() => flow.sent > before + 20);
    expect(await flow.finish()).toEqual([]);
    expect(flow.refused).toBe(0);
    for (const node of nodes) {
      expect(node.refusals).toEqual([]);
      expect(node.network.counters.linksLost).toBe(0);
    }
  });
});

describe("S34: a node whose certificate is revoked", () => {
  it("loses its links in both directions within a second, and gets them back when the list lets it", async () => {
    const authority = await room.authority();
    const pairs: CertificatePair[] = [];
    const files: (TlsFiles & { readonly crlFile: string })[] = [];
    for (const name of NAMES) {
      const pair = await issueNodeCertificate(authority, { name });
      pairs.push(pair);
      const stem = `${room.directory}/${name}`;
      files.push(await withList(stem, await room.files(name, pair), authority));
    }
    const { nodes } = await clusterOf(files);
    const [a, b, c] = nodes as [TestNode, TestNode, TestNode];
    for (const i of [0, 1]) {
      await writeList(files[i], authority, [pairs[2]]);
    }
    const beganMs = Date.now();
    await Promise.all([a.reload(), b.reload()]);
    for (const node of [a, b]) {
      await node.changed(`disconnected ${c.identity.id}`);
      expect(await node.refused("revoked")).toMatchObject({ peer: "node-3" });
      expect(node.network.connected(c.identity.id)).toBe(false);
    }
    await c.changed(`disconnected ${a.identity.id}`);
    await c.changed(`disconnected ${b.identity.id}`);
    expect(Date.now() - beganMs).toBeLessThan(3000);
    expect(c.logText).toMatch(/A peer refuses this node .*wrongCertificate/);
    // New links do not come about either, whoever dials.
    await room.happenings.until(() => a.network.refusals.revoked >= 4);
    expect(a.network.connected(b.identity.id)).toBe(true);
    expect(a.network.counters.linksLost).toBe(1);
    for (const i of [0, 1]) await writeList(files[i], authority, []);
    await Promise.all([a.reload(), b.reload()]);
    await a.connectedTo(c);
    await c.connectedTo(a, b);
  });
});

describe("a certificate that ends while a link lives", () => {
  async function withShortLife(changes: NodeChanges = {}): Promise<Cluster> {
    const files: TlsFiles[] = [];
    for (const name of NAMES.slice(0, 2)) files.push(await room.nodeFiles(name));
    files.push(await room.files("node-3", await shortLived("node-3")));
    return clusterOf(files, changes);
  }

  it("ends the link on both sides, and the node says that it can dial nobody", async () => {
    const { nodes } = await withShortLife();
    const [a, b, c] = nodes as [TestNode, TestNode, TestNode];
    await Promise.all([
      a.changed(`disconnected ${c.identity.id}`),
      b.changed(`disconnected ${c.identity.id}`),
      c.changed(`disconnected ${a.identity.id}`),
    ]);
    expect(await c.refused("ownExpired")).toMatchObject({ text: /./ });
    await c.logged(/no peer can be dialed until there is a new one/);
    expect(a.network.connected(b.identity.id)).toBe(true);
    await a.refused("expired");
  });

  it("ends nothing when it was renewed before", async () => {
    const { nodes, files } = await withShortLife({
      limits: { linkRenewalMs: 10_000 },
    });
    const [a, , c] = nodes as [TestNode, TestNode, TestNode];
    const flow = new MessageFlow(nodes, room.happenings);
    flow.start();
    const pair = await issueNodeCertificate(await room.authority(), { name: "node-3" });
    writeOwn(files[2], pair);
    expect(await c.reload()).toMatchObject({ result: "changed" });
    const endMs = Date.now() + SHORT_LIFE_MS;
    await room.happenings.until(() => Date.now() > endMs);
    expect(await flow.finish()).toEqual([]);
    expect(flow.refused).toBe(0);
    expect(a.network.certificateExpiries()).toContainEqual({
      peer: "node-3",
      validUntilMs: endOf(pair),
    });
    for (const node of nodes) expect(node.refusals).toEqual([]);
  });

  it("does not end the link when tls-close-expired says so", async () => {
    const policy = () => ({ allowedSan: [], closeExpired: false });
    const { nodes } = await withShortLife({ policy });
    const [a, , c] = nodes as [TestNode, TestNode, TestNode];
    const flow = new MessageFlow(nodes, room.happenings);
    flow.start();
    const endMs = Date.now() + SHORT_LIFE_MS + 1500;
    await room.happenings.until(() => Date.now() > endMs);
    expect(await flow.finish()).toEqual([]);
    expect(a.network.connected(c.identity.id)).toBe(true);
  });
});
