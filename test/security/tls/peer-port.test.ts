/**
 * The port between nodes as a stranger meets it: with a client's certificate of the same authority, with none, with those
 * of others. Every refusal is in metric, log and trail, no link is lost for it, and no certificate stops a node (S30 to S32).
 */
import { createSecureContext, type ConnectionOptions } from "node:tls";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  DAY_MS,
  SERVER_AUTH,
  dnsName,
  makeAuthority,
  makeCertificate,
  pem,
} from "../../../packages/node/test/certificates/certificate-maker.ts";
import {
  COMMON_NAME,
  attribute,
  nameOf,
  sequence,
  set,
  utf8,
} from "../../../packages/node/test/certificates/der-maker.ts";
import { until } from "../../e2e/harness/cluster.ts";
import { RawClient } from "../../e2e/harness/raw-client.ts";
import { RawPeer, helloOf } from "../../e2e/peers/raw-peer.ts";
import { attempt } from "./support/attempt.ts";
import type { ClientFiles } from "./support/authority-room.ts";
import { sClient, skipOpenssl } from "./support/openssl.ts";
import { TlsCluster } from "./tls-cluster.ts";

const NODES = [0, 1, 2];
const MUTATIONS = 150;

let cluster: TlsCluster;

beforeAll(async () => {
  cluster = await TlsCluster.start({
    settings: { "audit-repeat-limit": "0", "tls-auth-clients": "optional" },
  });
});
afterAll(async () => {
  await cluster?.close();
});

interface Stranger {
  readonly what: string;
  readonly reason: string;
  readonly make: () => ClientFiles | null;
  readonly words?: readonly string[];
}

const STRANGERS: readonly Stranger[] = [
  { what: "no certificate", reason: "missing", make: () => null },
  {
    what: "a client's certificate of the same authority",
    reason: "wrongUse",
    make: () => cluster.room.client("node1", { dnsNames: ["node1"] }),
  },
  {
    what: "a certificate of the same authority that may be a server only",
    reason: "wrongUse",
    make: () => cluster.room.files(cluster.room.node("node1", { usages: [SERVER_AUTH] })),
  },
  {
    what: "a node's certificate that has expired",
    reason: "expired",
    make: () => cluster.room.files(cluster.room.node("node1", { untilMs: Date.now() - 1000 })),
  },
  {
    what: "a node's certificate that is not valid yet",
    reason: "notYetValid",
    make: () => cluster.room.files(cluster.room.node("node1", { fromMs: Date.now() + DAY_MS })),
  },
  {
    what: "a node's certificate of another cluster",
    reason: "untrusted",
    make: () =>
      cluster.room.files(cluster.room.node("node1", { issuer: makeAuthority("Another cluster") })),
  },
  {
    what: "a node's certificate of another authority with the same name",
    reason: "untrusted",
    make: () =>
      cluster.room.files(cluster.room.node("node1", { issuer: makeAuthority("Test authority") })),
  },
  {
    what: "TLS 1.2, whatever its certificate",
    reason: "tlsVersion",
    make: () => cluster.room.files(cluster.room.node("node1")),
    words: ["-tls1_2"],
  },
];

function refusals(node: number, reason: string): Promise<number> {
  return cluster.metric(node, "ferrite_peer_refusals_total", { reason });
}

async function isTold(node: number, reason: string): Promise<void> {
  await until("the log tells", () =>
    cluster
      .log(node)
      .some((line) => line.msg === "A peer was refused" && line["reason"] === reason),
  );
  await until("the trail tells", () =>
    cluster.audit(node).some(({ action }) => action === `peer.refused.${reason}`),
  );
}

describe("a stranger at the peer port (S31)", () => {
  it.skipIf(skipOpenssl).each(STRANGERS)(
    "with $what is refused by every node, and metric, log and trail say why (S31)",
    async ({ reason, make, words = [] }) => {
      const client = make();
      for (const node of NODES) {
        const before = await refusals(node, reason);
        const { text } = await sClient(cluster.base.nodes[node].peerPort, {
          client,
          words,
          input: "PING\r\n",
        });
        expect(text).not.toContain("PONG");
        await until("it is counted", async () => (await refusals(node, reason)) === before + 1);
        await isTold(node, reason);
      }
    },
  );

  it("with a good certificate of one member may not speak for another (S32, S31)", async () => {
    const files = cluster.room.files(cluster.room.node("node2"));
    const { peerPort } = cluster.base.nodes[0];
    const peer = await RawPeer.connect(`127.0.0.1:${peerPort}`, files, "localhost");
    peer.sayHello(helloOf("node3", "11111111-1111-4111-8111-111111111111"));
    await peer.closed;
    expect(peer.refusals.map(({ reason }) => reason)).toEqual(["wrongCertificate"]);
    expect(peer.hellos).toEqual([]);
    expect(await refusals(0, "wrongCertificate")).toBe(1);
    await isTold(0, "wrongCertificate");
  });

  it("with a good certificate of a member and another disk is no member (S31)", async () => {
    const files = cluster.room.files(cluster.room.node("node2"));
    const { peerPort } = cluster.base.nodes[0];
    const peer = await RawPeer.connect(`127.0.0.1:${peerPort}`, files, "localhost");
    peer.sayHello(helloOf("node2", "11111111-1111-4111-8111-111111111111"));
    await peer.closed;
    expect(peer.refusals).toHaveLength(1);
    expect(peer.hellos).toEqual([]);
  });

  it("in the clear gets nothing, and is counted as what it is (S38)", async () => {
    for (const node of NODES) {
      const client = await RawClient.connect(cluster.base.nodes[node].peerPort);
      await client.send("PING\r\n");
      await client.isClosedByServer();
      expect(client.received).not.toContain("PONG");
      await until("it is counted", async () => (await refusals(node, "notTls")) === 1);
    }
  });
});

describe("no certificate stops a node (S30)", () => {
  const hostile: readonly (readonly [string, () => ConnectionOptions])[] = [
    [
      "no subject and no issuer",
      () => {
        const made = makeCertificate({ subject: sequence() });
        return { cert: made.pem, key: made.keyPem };
      },
    ],
    [
      "no subject, of the right authority",
      () => cluster.room.files(cluster.room.node("node1", { subject: sequence() })).options,
    ],
    [
      "names full of control characters",
      () => {
        const subject = sequence(set(attribute(COMMON_NAME, utf8('a\0\r\n"},{\u202e'))));
        const made = makeCertificate({ subject, dnsNames: ["node1\0.evil", "a\r\nb"] });
        return { cert: made.pem, key: made.keyPem };
      },
    ],
    [
      "thousands of names",
      () => {
        const names = Array.from({ length: 3000 }, (_, at) => dnsName(`n${at}`));
        const made = makeCertificate({ alternativeNames: sequence(...names) });
        return { cert: made.pem, key: made.keyPem };
      },
    ],
    [
      "a time that never was",
      () => {
        const made = makeCertificate({ subject: nameOf("x"), untilMs: 253_402_300_799_000 });
        return { cert: made.pem, key: made.keyPem };
      },
    ],
  ];

  /** At every port of the node that looks at certificates. */
  async function knocks(node: number, options: ConnectionOptions): Promise<void> {
    for (const port of [cluster.tlsPorts[node], cluster.base.nodes[node].peerPort]) {
      await attempt(port, { ...options, rejectUnauthorized: false });
    }
  }

  it.each(hostile)("with %s, at any port (S30)", async (_what, make) => {
    for (const node of NODES) {
      await knocks(node, make());
      expect(cluster.base.isRunning(node)).toBe(true);
      expect(await cluster.admin(node, "PING")).toBe("PONG");
    }
  });

  it("with any byte of it changed, at any port (S30)", async () => {
    const made = cluster.room.client("alice", { dnsNames: ["alice"] }).made;
    let shown = 0;
    for (let at = 0; at < MUTATIONS; at++) {
      const bytes = Buffer.from(made.der);
      const position = Math.floor((at * bytes.length) / MUTATIONS);
      bytes[position] ^= 1 << (at % 8);
      const options = { cert: pem("CERTIFICATE", bytes), key: made.keyPem };
      if (!isLoadable(options)) continue;
      shown++;
      await knocks(at % NODES.length, options);
    }
    // The others OpenSSL does not even send.
    expect(shown).toBeGreaterThan(MUTATIONS / 4);
    for (const node of NODES) {
      expect(cluster.base.isRunning(node)).toBe(true);
      expect(await cluster.admin(node, "PING")).toBe("PONG");
    }
  });

  function isLoadable(options: { readonly cert: string; readonly key: string }): boolean {
    try {
      createSecureContext(options);
      return true;
    } catch {
      return false;
    }
  }
});

it("after all of that the cluster is whole: no link was lost, and writes reach every node (S31)", async () => {
  await cluster.admin(0, "SET", "whole", "yes");
  for (const node of NODES) {
    expect(await cluster.admin(node, "GET", "whole")).toBe("yes");
    expect(await cluster.metric(node, "ferrite_peer_links_lost_total")).toBe(0);
  }
});
