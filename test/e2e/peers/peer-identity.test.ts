import { randomUUID } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { issueNodeCertificate } from "../../../packages/cli/src/certs/index.ts";
import type { TlsFiles } from "../../../packages/node/src/config/tls-files.ts";
import { genesisOf } from "../../../packages/node/src/peers/genesis.ts";
import { PeerRoom, freeAddresses } from "./peer-fixture.ts";
import type { TestNode } from "./peer-fixture.ts";
import { RawPeer, helloOf } from "./raw-peer.ts";

const NAMES = ["node-1", "node-2"];
const ANY = "spiffe://example.org/ferrite/*";

let room: PeerRoom;
beforeEach(() => {
  room = new PeerRoom();
});
afterEach(async () => {
  await room.close();
});

/** A certificate that does not hold the node's name, as platforms issue them. */
async function files(stem: string, ...uris: readonly string[]): Promise<TlsFiles> {
  return room.files(
    stem,
    await issueNodeCertificate(await room.authority(), { name: "workload", uris }),
  );
}

const id = (segment: string): string => `spiffe://example.org/ferrite/${segment}`;

describe("S31: peer-allowed-san", () => {
  let allowedSan: readonly string[];
  const policy = () => ({ allowedSan, closeExpired: true });

  async function pair(first: TlsFiles, second: TlsFiles): Promise<[TestNode, TestNode]> {
    const addresses = await freeAddresses(NAMES);
    const nodes = [
      await room.node("node-1", first, addresses, { policy }),
      await room.node("node-2", second, addresses, { policy }),
    ] as const;
    await Promise.all(nodes.map((node) => node.network.start()));
    return [...nodes];
  }

  async function connect(nodes: readonly TestNode[]): Promise<void> {
    await Promise.all(nodes.map((node) => node.network.form()));
    for (const node of nodes) node.network.activate();
    for (const node of nodes) await node.connectedTo(...nodes.filter((other) => other !== node));
  }

  it("lets nodes in whose certificates have a name that it allows, each with its own", async () => {
    allowedSan = [ANY];
    await connect(await pair(await files("a", id("a")), await files("b", id("b"))));
  });

  it("with a placeholder lets each node in by its own name only", async () => {
    allowedSan = ["spiffe://example.org/ferrite/{name}"];
    const addresses = await freeAddresses(NAMES);
    const own = await files("a", id("node-1"));
    await expect(
      room.node("node-1", await files("b", id("node-2")), addresses, { policy }),
    ).rejects.toThrow(/is not this node's, .*peer-allowed-san allows/);
    const nodes = await pair(own, await files("c", id("node-2")));
    await connect(nodes);
  });

  it("does not let two nodes share one name, as either could speak for the other", async () => {
    allowedSan = [ANY];
    const [a, b] = await pair(await files("a", id("same")), await files("b", id("same")));
    expect((await a.refused("wrongIdentity")).text).toMatch(/is this node's own: every node needs/);
    await b.refused("wrongIdentity");
    expect(a.network.counters.linksOpened + a.network.counters.linksAccepted).toBe(0);
  });

  it("does not tell which of several names is the node: such a certificate is refused at the start", async () => {
    allowedSan = [ANY];
    const addresses = await freeAddresses(NAMES);
    await expect(
      room.node("node-1", await files("a", id("a"), id("b")), addresses, { policy }),
    ).rejects.toThrow(/2 names that peer-allowed-san allows/);
  });

  it("that becomes narrower ends the links it does not allow any more", async () => {
    allowedSan = [ANY];
    const nodes = await pair(await files("a", id("a")), await files("b", id("b")));
    await connect(nodes);
    const [a, b] = nodes;
    allowedSan = [id("a")];
    a.network.reviewLinks();
    await a.changed(`disconnected ${b.identity.id}`);
    await b.changed(`disconnected ${a.identity.id}`);
    expect(await a.refused("wrongIdentity")).toMatchObject({ peer: "node-2" });
    allowedSan = [ANY];
    await a.connectedTo(b);
    await b.connectedTo(a);
  });

  it("S32: a node that it allows can not speak for another one", async () => {
    allowedSan = [ANY];
    const addresses = await freeAddresses([...NAMES, "node-3"]);
    const ids = [...NAMES, "node-3"].map((name) => ({ name, id: randomUUID() }));
    const genesis = genesisOf(
      "token",
      ids.map((each) => ({ ...each, peerAddress: "127.0.0.1:1", clientAddress: "" })),
    );
    const options = { policy, genesis, identity: ids[0] };
    const node = await room.node("node-1", await files("a", id("a")), addresses, options);
    await node.network.start();
    const address = addresses["node-1"];
    const hello = (i: number) => helloOf(ids[i].name, ids[i].id, { genesis, active: true });
    const second = await RawPeer.connect(address, await files("b", id("b")), "localhost");
    second.sayHello(hello(1));
    await room.happenings.until(() => node.network.counters.linksAccepted === 1);
    const third = await RawPeer.connect(address, await files("c", id("c")), "localhost");
    third.sayHello(hello(1));
    await third.closed;
    expect(third.refusals[0]).toMatchObject({ reason: "wrongCertificate" });
    expect(third.refusals[0].text).toMatch(/"node-2" was known by the name uri:.*\/b .* \/?.*c/);
    const again = await RawPeer.connect(address, await files("b", id("b")), "localhost");
    again.sayHello(hello(2));
    await again.closed;
    expect(again.refusals[0].text).toMatch(/is that of "node-2", and "node-3" comes with it/);
    expect(node.network.counters.linksAccepted).toBe(1);
    expect(node.refusals.map((refusal) => refusal.reason)).toContain("wrongCertificate");
    second.socket.destroy();
  });
});
