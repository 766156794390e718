/**
 * `ferrite certs revoke`: connections of the client end within a second on all nodes, its sessions resume nowhere, and
 * nobody else notices (S35). The same for a node: its links end, and it is no member again before it has a new certificate.
 */
import { copyFileSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { connect, type ConnectionOptions, type TLSSocket } from "node:tls";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FERRITE, report, until } from "../../e2e/harness/cluster.ts";
import { runProgram } from "../../e2e/harness/program.ts";
import type { RespClient } from "../../e2e/harness/resp-client.ts";
import { REFUSED } from "./support/attempt.ts";
import { TlsCluster } from "./tls-cluster.ts";

const NODES = [0, 1, 2];
const VERSIONS = ["TLSv1.2", "TLSv1.3"] as const;
/** S35, from the list's being there to the last connection's end: a second is promised, a busy machine is given longer. */
const CLOSED_WITHIN_MS = 3000;

let cluster: TlsCluster;
let directory: string;

beforeAll(async () => {
  cluster = await TlsCluster.start({
    settings: { "audit-repeat-limit": "0", "tls-auth-clients-user": "CN" },
    before: async (made) => {
      directory = join(made.base.directory, "made-by-ferrite");
      const clients = ["alice", "bob"].flatMap((name) => ["--client", name]);
      await certs("gen", "node1", "node2", "node3", ...clients);
      await certs("crl");
      for (const node of made.nodes) publish(made, node);
    },
    settingsOf: (made, node) => ({
      "tls-cert-file": join(directory, made.name(node), "cert.pem"),
      "tls-key-file": join(directory, made.name(node), "key.pem"),
      "tls-ca-cert-file": join(directory, "ca.pem"),
      "tls-crl-file": made.path(node, "ca.crl"),
      // Peers have the files of clients: what is not set is theirs too.
      "peer-tls-cert-file": "",
      "peer-tls-key-file": "",
      "peer-tls-ca-cert-file": "",
    }),
  });
  for (const name of ["alice", "bob"]) {
    await cluster.admin(0, "ACL", "SETUSER", name, "on", "nopass", "~*", "+@all");
  }
  await until("all nodes know bob", async () => {
    const lists = await Promise.all(NODES.map((node) => cluster.admin(node, "ACL", "USERS")));
    return lists.every((list) => (list as readonly string[]).includes("bob"));
  });
});
afterAll(async () => {
  await cluster?.close();
});

/** `ferrite certs ...` in the directory of the authority. */
async function certs(command: string, ...words: readonly string[]): Promise<string> {
  const arguments_ = [FERRITE, "certs", command, ...words, "--out", directory];
  const result = await runProgram(process.execPath, arguments_);
  expect(result.exitCode, result.errorOutput).toBe(0);
  return result.output;
}

/** Brings a node the list as it is now, whole at once. */
function publish(made: TlsCluster, node: number): void {
  const next = made.write(node, "ca.crl.next", "");
  copyFileSync(join(directory, "ca.crl"), next);
  renameSync(next, made.path(node, "ca.crl"));
}

function optionsOf(name: string): ConnectionOptions {
  const read = (file: string): string => readFileSync(join(directory, file), "utf8");
  return {
    ca: read("ca.pem"),
    servername: "localhost",
    cert: read(`client-${name}/cert.pem`),
    key: read(`client-${name}/key.pem`),
  };
}

/** A session that was made before, which a client may come back with. */
function sessionOf(node: number, options: ConnectionOptions): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket: TLSSocket = connect({
      ...options,
      host: "127.0.0.1",
      port: cluster.tlsPorts[node],
    });
    socket.on("session", (session: Buffer) => {
      resolve(session);
      socket.destroy();
    });
    socket.on("secureConnect", () => socket.write("PING\r\n"));
    socket.on("data", () => undefined);
    socket.on("error", reject);
  });
}

describe("a client that is revoked (S35)", () => {
  it("loses its connections on all nodes within a second, and comes back nowhere, also not on a session; others stay (S35)", async () => {
    const [alice, bob] = [optionsOf("alice"), optionsOf("bob")];
    const connectAll = async (options: ConnectionOptions): Promise<RespClient[]> => {
      const clients = NODES.flatMap((node) =>
        VERSIONS.map((maxVersion) => cluster.connect(node, { ...options, maxVersion })),
      );
      return await Promise.all(clients);
    };
    const [ofAlice, ofBob] = [await connectAll(alice), await connectAll(bob)];
    for (const client of [...ofAlice, ...ofBob]) expect(await client.call("PING")).toBe("PONG");
    const sessions = new Map<string, Buffer>();
    for (const node of NODES) {
      for (const maxVersion of VERSIONS) {
        const session = await sessionOf(node, { ...alice, maxVersion });
        sessions.set(`${node} ${maxVersion}`, session);
        const again = await cluster.attempt(node, { ...alice, maxVersion, session });
        expect(again).toBe("+PONG");
      }
    }

    expect(await certs("revoke", "client-alice", "--reason", "keyCompromise")).toContain("Revoked");
    const beganMs = performance.now();
    for (const node of NODES) publish(cluster, node);
    await until("alice's connections end", () => ofAlice.every((client) => !client.isOpen));
    const tookMs = performance.now() - beganMs;
    report(`${ofAlice.length} connections on 3 nodes ended ${tookMs.toFixed(0)} ms after the list`);
    expect(tookMs).toBeLessThan(CLOSED_WITHIN_MS);

    for (const client of ofBob) {
      expect(await client.call("ACL", "WHOAMI")).toBe("bob");
      client.close();
    }
    for (const node of NODES) {
      for (const maxVersion of VERSIONS) {
        expect(await cluster.attempt(node, { ...alice, maxVersion })).toMatch(REFUSED);
        const session = sessions.get(`${node} ${maxVersion}`)!;
        expect(await cluster.attempt(node, { ...alice, maxVersion, session })).toMatch(REFUSED);
      }
      expect(await cluster.attempt(node, bob)).toBe("+PONG");
      await isTold(node);
    }
  });

  async function isTold(node: number): Promise<void> {
    const reason = { reason: "revoked" };
    expect(await cluster.metric(node, "ferrite_tls_handshake_failures_total", reason)).toBe(4);
    expect(await cluster.metric(node, "ferrite_tls_certificates_closed_total")).toBe(2);
    await until("the trail has both ends", () => {
      const closed = cluster.audit(node).filter(({ action }) => action === "connection.revoked");
      return closed.length === 2 && closed.every(({ client }) => client?.cert_serial !== null);
    });
    const refused = cluster
      .audit(node)
      .filter(({ action }) => action === "connection.refused.certificate");
    expect(refused).toHaveLength(4);
    expect(JSON.stringify(refused)).toContain("revoked");
  }
});

describe("a node that is revoked (S35, S31)", () => {
  const REVOKED = 2;
  const OTHERS = [0, 1];

  it("loses its links, is refused whatever it does, also after a restart, and the others serve on (S35, S31)", async () => {
    await cluster.admin(0, "SET", "before", "1");
    await certs("revoke", "node3");
    // The node itself does not get the list: it is the others that have to keep it out.
    for (const node of OTHERS) publish(cluster, node);
    await until("node3 knows no leader", async () => !(await isReady(REVOKED)));
    for (const node of OTHERS) {
      await until("its links are refused", async () => {
        const labels = { reason: "revoked" };
        return (await cluster.metric(node, "ferrite_peer_refusals_total", labels)) > 0;
      });
      await until("the log tells", () =>
        cluster
          .log(node)
          .some((line) => line["reason"] === "revoked" && line["side"] !== undefined),
      );
      await until("the trail tells", () => JSON.stringify(cluster.audit(node)).includes("revoked"));
    }
    await until("the others serve", async () => {
      const answer = await cluster.base.call(OTHERS[0], "SET", "while", "2").catch(() => null);
      return answer === "OK";
    });
    expect(await cluster.base.end(REVOKED, "SIGTERM")).toBe(0);
    cluster.spawn(REVOKED);
    const refusals = await refusalsOf(0);
    await until("it was refused anew", async () => (await refusalsOf(0)) > refusals);
    expect(await isReady(REVOKED)).toBe(false);
  });

  it("is a member again with a new certificate, while it runs, and has what it missed (S35, S33)", async () => {
    await certs("node", "node3", "--force");
    await cluster.ready(REVOKED);
    await until("it has what it missed", async () => {
      return (await cluster.base.call(REVOKED, "GET", "while")) === "2";
    });
  });

  async function isReady(node: number): Promise<boolean> {
    const answer = await cluster.http(node, "/readyz").catch(() => null);
    return answer?.status === 200;
  }

  function refusalsOf(node: number): Promise<number> {
    return cluster.metric(node, "ferrite_peer_refusals_total", { reason: "revoked" });
  }
});
