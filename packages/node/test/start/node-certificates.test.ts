import { describe, expect, it, onTestFinished } from "vitest";
import type { AuditEvent } from "../../src/audit/audit-trail.ts";
import type { NodeConfig } from "../../src/config/node-config.ts";
import { parseConfig } from "../../src/config/parse-config.ts";
import { NodeCertificates } from "../../src/start/node-certificates.ts";
import { makeCertificate, makeNode, DAY_MS } from "../certificates/certificate-maker.ts";
import { CredentialWorld, NODE_NAME } from "../certificates/credential-world.ts";

class NodeWorld extends CredentialWorld {
  readonly trail: AuditEvent[] = [];

  config(values: Readonly<Record<string, string>> = {}): NodeConfig {
    const all: Record<string, string> = {
      "node-name": NODE_NAME,
      dir: this.directory,
      "tls-cert-file": this.path("node.crt"),
      "tls-key-file": this.path("node.key"),
      "tls-ca-cert-file": this.path("ca.crt"),
      ...values,
    };
    const flags = Object.entries(all)
      .filter(([, value]) => value !== "")
      .map(([name, value]) => ({ name, value, flag: `--${name}` }));
    return parseConfig({ flags }, { hostname: "h", workingDirectory: "/", isTerminal: false })
      .config;
  }

  clustered(values: Readonly<Record<string, string>> = {}): NodeConfig {
    return this.config({ peers: "n2=127.0.0.1:1,n3=127.0.0.1:2", ...values });
  }

  async certificates(config: NodeConfig): Promise<NodeCertificates> {
    const opened = await NodeCertificates.open(config, this.ports);
    onTestFinished(() => opened.close());
    return opened;
  }

  /** What CONFIG SET does. */
  async set(certificates: NodeCertificates, next: NodeConfig): Promise<string | null> {
    const problem = await certificates.prepare(next);
    if (problem === null) certificates.applyConfig(next);
    return problem;
  }
}

describe("The certificates of a node", () => {
  it("are none without files, and only for clients in a cluster of one", async () => {
    const world = new NodeWorld();
    const none = await world.certificates(
      world.config({ "tls-cert-file": "", "tls-key-file": "", "tls-ca-cert-file": "" }),
    );
    expect([none.clients, none.peers, none.health(), none.warnings()]).toEqual([
      null,
      null,
      [],
      [],
    ]);
    const alone = await world.certificates(world.config());
    expect(alone.peers).toBeNull();
    expect(alone.health().map(({ use }) => use)).toEqual(["clients"]);
  });

  it("are those of clients for peers too, unless these have their own", async () => {
    const world = new NodeWorld();
    const shared = await world.certificates(world.clustered());
    expect(shared.health().map(({ use, serial }) => [use, serial])).toEqual([
      ["clients", shared.clients?.current().certificate.serialNumber],
      ["peers", shared.clients?.current().certificate.serialNumber],
    ]);
    const peer = makeNode(NODE_NAME, world.authority);
    const own = await world.certificates(
      world.clustered({
        "peer-tls-cert-file": world.write("peer.crt", peer.pem),
        "peer-tls-key-file": world.write("peer.key", peer.keyPem),
      }),
    );
    expect(BigInt(`0x${own.peers?.current().certificate.serialNumber}`)).toBe(peer.serial);
  });

  it("stop the start when those for peers are not a node's, by the name of the setting to mend", async () => {
    const world = new NodeWorld();
    world.writePair(makeCertificate({ issuer: world.authority }));
    await expect(world.certificates(world.clustered())).rejects.toThrow(
      /^tls-cert-file .* does not allow serverAuth and clientAuth/,
    );
    const config = world.clustered({
      "peer-tls-cert-file": world.path("node.crt"),
      "peer-tls-key-file": world.path("node.key"),
    });
    await expect(world.certificates(config)).rejects.toThrow(/^peer-tls-cert-file /);
  });

  it("keep to peer-allowed-san, also when it is changed", async () => {
    const world = new NodeWorld();
    world.writePair(makeNode("n1.ferrite.example", world.authority));
    await expect(world.certificates(world.clustered())).rejects.toThrow(/is not this node's/);
    const allowed = world.clustered({ "peer-allowed-san": "*.ferrite.example" });
    const certificates = await world.certificates(allowed);
    const other = world.clustered({ "peer-allowed-san": "*.other.example" });
    expect(await world.set(certificates, other)).toMatch(/is not this node's/);
    const named = world.clustered({ "peer-allowed-san": "{name}.ferrite.example" });
    expect(await world.set(certificates, named)).toBeNull();
  });

  it("can not be given to or taken from a node that runs", async () => {
    const world = new NodeWorld();
    const bare = { "tls-cert-file": "", "tls-key-file": "", "tls-ca-cert-file": "" };
    const without = await world.certificates(world.config(bare));
    expect(await without.prepare(world.config())).toMatch(/can not be given to a node that runs/);
    const certificates = await world.certificates(world.config());
    expect(await certificates.prepare(world.config(bare))).toMatch(/can not be taken away/);
  });

  it("are all or none with CONFIG SET: what one use refuses does not serve the other", async () => {
    const world = new NodeWorld();
    const certificates = await world.certificates(world.clustered());
    const before = certificates.clients?.current();
    const client = makeCertificate({ issuer: world.authority, usages: ["1.3.6.1.5.5.7.3.1"] });
    const next = world.clustered({
      "tls-cert-file": world.write("server.crt", client.pem),
      "tls-key-file": world.write("server.key", client.keyPem),
    });
    expect(await world.set(certificates, next)).toMatch(/does not allow clientAuth/);
    expect(certificates.clients?.current()).toBe(before);
  });

  it("tell the trail what happened, also what did before there was one", async () => {
    const world = new NodeWorld();
    world.writePair(makeNode(NODE_NAME, world.authority, { untilMs: Date.now() + 5 * DAY_MS }));
    const certificates = await world.certificates(world.config());
    certificates.attachAudit({ record: (event) => void world.trail.push(event) });
    world.writePair(makeNode(NODE_NAME, world.authority));
    await certificates.reload("signal");
    world.writePair(makeNode(NODE_NAME, world.authority, { untilMs: Date.now() - 1000 }));
    await certificates.reload("signal");
    world.clock.advance(91 * DAY_MS);
    expect(world.trail.map(({ category, action }) => [category, action])).toEqual([
      ["certificate", "certificate.expiring"],
      ["certificate", "certificate.reloaded"],
      ["certificate", "certificate.refused"],
      // Leaf and authority, at 30, 7 and 1 days.
      ...Array.from({ length: 6 }, () => ["certificate", "certificate.expiring"]),
      ["certificate", "certificate.expired"],
      ["certificate", "certificate.expired"],
    ]);
    expect(world.trail[1]).toMatchObject({
      reason: "clients: identity (signal)",
      before: expect.stringContaining("CN=n1") as string,
    });
    expect(JSON.stringify(world.trail)).not.toContain("PRIVATE KEY");
  });

  it("are warned of in readiness without a path or a name in it", async () => {
    const world = new NodeWorld();
    const certificates = await world.certificates(world.config());
    expect(certificates.warnings()).toEqual([]);
    world.writePair(makeNode(NODE_NAME, world.authority, { untilMs: Date.now() - 1000 }));
    await certificates.reload("signal");
    world.clock.advance(85 * DAY_MS);
    expect(certificates.warnings()).toEqual([
      "the files for clients are not good, those from before serve (see the log)",
      "the certificate for clients ends within a week",
    ]);
    world.clock.advance(6 * DAY_MS);
    expect(certificates.warnings()).toContain("the certificate for clients has ended");
  });
});
