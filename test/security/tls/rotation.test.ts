/**
 * New certificates as they really come: a link that Kubernetes turns over, two files that Vault's agent writes one after
 * the other, and HTTP with the same pair. New connections show the new one, old ones live on (S33, F76, F77, F84).
 */
import { mkdirSync, renameSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  makeAuthority,
  type Made,
} from "../../../packages/node/test/certificates/certificate-maker.ts";
import { pause, until } from "../../e2e/harness/cluster.ts";
import { RawClient } from "../../e2e/harness/raw-client.ts";
import { attempt } from "./support/attempt.ts";
import { AuthorityRoom, writeSecret, type ClientFiles } from "./support/authority-room.ts";
import { fingerprintOf, shownBy } from "./support/shown-certificate.ts";
import { getOverTls, TlsCluster } from "./tls-cluster.ts";

const NODES = [0, 1, 2];
/** Between the two files of a rotation: longer than what is taken for one change, shorter than what raises an alarm. */
const BETWEEN_FILES_MS = 700;

/** A directory as Kubernetes mounts a secret: names are links through `..data`, which is turned over in one step. */
class MountedSecret {
  readonly #directory: string;
  #version = 0;

  constructor(directory: string) {
    this.#directory = directory;
    mkdirSync(directory, { recursive: true });
  }

  path(file: string): string {
    return join(this.#directory, file);
  }

  write(files: Readonly<Record<string, string>>): void {
    const version = `..2026_11_22_${++this.#version}`;
    for (const [name, content] of Object.entries(files)) {
      writeSecret(join(this.#directory, version, name), content);
      if (this.#version === 1) symlinkSync(join("..data", name), join(this.#directory, name));
    }
    symlinkSync(version, join(this.#directory, "..data_tmp"));
    renameSync(join(this.#directory, "..data_tmp"), join(this.#directory, "..data"));
  }

  writePair(made: Made, authority: Made): void {
    this.write({ "tls.crt": made.pem, "tls.key": made.keyPem, "ca.crt": authority.pem });
  }
}

let cluster: TlsCluster;
let alice: ClientFiles;
const secrets = new Map<number, MountedSecret>();

beforeAll(async () => {
  cluster = await TlsCluster.start({
    settings: { "http-tls": "yes" },
    before: (made) => {
      for (const node of made.nodes) {
        const secret = new MountedSecret(made.path(node, "secret"));
        secret.writePair(made.room.node(made.name(node)), made.room.authority);
        secrets.set(node, secret);
      }
    },
    settingsOf: (made, node) => ({
      "tls-cert-file": made.path(node, "secret/tls.crt"),
      "tls-key-file": made.path(node, "secret/tls.key"),
      "tls-ca-cert-file": made.path(node, "secret/ca.crt"),
    }),
  });
  alice = cluster.room.client("alice");
});
afterAll(async () => {
  await cluster?.close();
});

function renewed(node: number): Made {
  return cluster.room.node(cluster.name(node));
}

describe("a secret of Kubernetes that is turned over (S33, F76, F84)", () => {
  it("is shown by every node to new connections, for clients and HTTPS, and open connections go on (S33, F76, F84)", async () => {
    const open = await Promise.all(NODES.map((node) => cluster.connect(node, alice.options)));
    for (let turn = 0; turn < 2; turn++) {
      const made = NODES.map(renewed);
      for (const node of NODES) secrets.get(node)!.writePair(made[node], cluster.room.authority);
      for (const node of NODES) {
        const wanted = fingerprintOf(made[node].pem);
        await until("clients are shown it", async () => {
          return (await shownBy(cluster.tlsPorts[node])) === wanted;
        });
        expect(await shownBy(cluster.base.nodes[node].httpPort)).toBe(wanted);
        expect(await cluster.attempt(node, alice.options)).toBe("+PONG");
      }
    }
    for (const client of open) {
      expect(await client.call("SET", "rotated", "1")).toBe("OK");
      client.close();
    }
    for (const node of NODES) {
      const info = await cluster.base.info(node, "certificates");
      expect(info.get("tls_clients_reloads")).toBe("2");
      expect(info.get("tls_clients_reloads_refused")).toBe("0");
      expect(info.get("tls_clients_generation")).toBe("3");
      await until("the trail has both", () => {
        const reloaded = cluster.audit(node).filter(({ action, reason }) => {
          return action === "certificate.reloaded" && reason?.startsWith("clients: identity");
        });
        return reloaded.length === 2;
      });
    }
  });

  it("with another authority in it ends who is trusted no more, and lets in who is (S33, S34)", async () => {
    const secret = secrets.get(0)!;
    const open = await cluster.connect(0, alice.options);
    const directory = join(cluster.base.directory, "other");
    const other = new AuthorityRoom(directory, makeAuthority("Another authority"));
    const bob = other.client("bob");
    const made = renewed(0);
    secret.write({
      "tls.crt": made.pem,
      "tls.key": made.keyPem,
      "ca.crt": cluster.room.authority.pem + other.authority.pem,
    });
    const { ca } = alice.options;
    await until("the new authority counts", async () => {
      return (await cluster.attempt(0, { ...bob.options, ca })) === "+PONG";
    });
    expect(await open.call("PING")).toBe("PONG");
    secret.writePair(made, other.authority);
    await until("the connection of the old one ends", () => !open.isOpen);
    expect(await cluster.attempt(0, alice.options)).not.toBe("+PONG");
    expect(await cluster.attempt(0, { ...bob.options, ca })).toBe("+PONG");
    secret.writePair(made, cluster.room.authority);
    await until("alice is back", async () => {
      return (await cluster.attempt(0, alice.options)) === "+PONG";
    });
  });
});

describe("two files that are written one after the other, as Vault's agent does (S33, F84)", () => {
  it.each([
    ["the key first", ["key", "crt"]],
    ["the certificate first", ["crt", "key"]],
  ] as const)(
    "are taken when both are there, and not before, without an alarm: %s (S33, F77, F84)",
    async (_name, order) => {
      const open = await Promise.all(NODES.map((node) => cluster.connect(node, alice.options)));
      const refusedBefore = await refusals();
      const made = NODES.map(renewed);
      const before = await Promise.all(NODES.map((node) => shownByPeerPort(node)));
      const contents = (node: number, what: "key" | "crt"): string =>
        what === "key" ? made[node].keyPem : made[node].pem;
      for (const node of NODES) cluster.write(node, `peer.${order[0]}`, contents(node, order[0]));
      await pause(BETWEEN_FILES_MS);
      // Half of it is there: the old pair serves.
      for (const node of NODES) expect(await shownByPeerPort(node)).toBe(before[node]);
      for (const node of NODES) cluster.write(node, `peer.${order[1]}`, contents(node, order[1]));
      for (const node of NODES) {
        await until("the new pair is shown", async () => {
          return (await shownByPeerPort(node)) === fingerprintOf(made[node].pem);
        });
      }
      expect(await refusals()).toEqual(refusedBefore);
      for (const client of open) {
        expect(await client.call("INCR", "counter")).toBeGreaterThan(0);
        client.close();
      }
      for (const node of NODES) {
        expect(await cluster.metric(node, "ferrite_peer_links_lost_total")).toBe(0);
      }
    },
  );

  function shownByPeerPort(node: number): Promise<string> {
    return shownBy(cluster.base.nodes[node].peerPort);
  }

  function refusals(): Promise<number[]> {
    const labels = { use: "peers", result: "refused" };
    return Promise.all(
      NODES.map((node) => cluster.metric(node, "ferrite_certificate_reloads_total", labels)),
    );
  }
});

describe("HTTP over TLS (S33, S38)", () => {
  it.each(["/readyz", "/livez", "/health", "/metrics"])(
    "answers %s on every node, without asking for a certificate",
    async (path) => {
      for (const node of NODES) {
        const { httpPort } = cluster.base.nodes[node];
        const answer = await getOverTls(httpPort, path, cluster.room.anonymous);
        expect(answer.status).toBe(200);
        if (path === "/metrics") expect(answer.text).toContain("ferrite_certificate_expiry");
      }
    },
  );

  it("proves who it is: a client with another authority gives up", async () => {
    const { httpPort } = cluster.base.nodes[0];
    await expect(getOverTls(httpPort, "/readyz", { servername: "localhost" })).rejects.toThrow(
      /self-signed|unable to (verify|get)/,
    );
  });

  it("tells nothing to who asks in the clear (S38)", async () => {
    for (const node of NODES) {
      const client = await RawClient.connect(cluster.base.nodes[node].httpPort);
      await client.send("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
      await client.isClosedByServer();
      expect(client.received).not.toContain("ferrite_");
      expect(client.received).not.toMatch(/^HTTP\/1\.1 2/);
    }
  });

  it("speaks no TLS below 1.2 (F83, S36)", async () => {
    const outcome = await attempt(cluster.base.nodes[0].httpPort, {
      ...cluster.room.anonymous,
      minVersion: "TLSv1",
      maxVersion: "TLSv1.1",
      ciphers: "DEFAULT:@SECLEVEL=0",
    });
    expect(outcome).toMatch(/PROTOCOL_VERSION/);
  });
});
