/**
 * Nobody notices a rotation: while clients work at a fixed rate over mutual TLS on all nodes, every leaf certificate is
 * exchanged twice, the authority by overlapping bundles, and one client is revoked (S33, S34, S35). Only the revoked one's
 * operations fail, and it is gone from all nodes within a second.
 *
 * FERRITE_ROTATION_SECONDS and FERRITE_ROTATION_RATE make it as long and as fast as wanted.
 */
import type { ConnectionOptions } from "node:tls";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TestCluster, pause, report, until } from "../../e2e/harness/cluster.ts";
import { freePorts } from "../../e2e/harness/free-ports.ts";
import { RespClient, RespError } from "../../e2e/harness/resp-client.ts";
import { Deployment } from "./deployment.ts";
import { SteadyClient } from "./steady-client.ts";

const SECONDS = Number(process.env["FERRITE_ROTATION_SECONDS"] ?? 20);
const OPERATIONS_PER_SECOND = Number(process.env["FERRITE_ROTATION_RATE"] ?? 3_000);
const NODES = [0, 1, 2];
const CLIENTS_PER_NODE = 5;
const INTERVAL_MS = 50;
/** Every second client connects again and again: new connections are what sees a certificate first. */
const PIPELINES_PER_CONNECTION = 20;
/** As it is printed. */
const PONG = '"PONG"';
/** A second is promised, and what it took is told; a machine that does other work is given longer. */
const REVOKED_WITHIN_MS = 3_000;

let cluster: TestCluster;
let deployment: Deployment;
let tlsPorts: number[];
/** How a client connected before the first rotation. */
let old: ConnectionOptions;

beforeAll(async () => {
  tlsPorts = await freePorts(NODES.length);
  cluster = await TestCluster.prepare({ settings: { "tls-reload-interval": "2" } });
  deployment = new Deployment(cluster.directory);
  const names = cluster.nodes.map((node) => node.name);
  await deployment.newAuthority("first");
  deployment.trust(["first"], names);
  for (const name of names) await deployment.deployNode(name);
  for (const user of ["worker", "victim"]) await deployment.issueClient(user);
  for (const { index, name } of cluster.nodes) {
    cluster.spawn(index, { ...deployment.settingsOf(name), "tls-port": String(tlsPorts[index]) });
  }
  await Promise.all(NODES.map((node) => cluster.ready(node)));
  for (const user of ["worker", "victim"]) {
    const rules = ["on", "nopass", "~*", "+@all"];
    expect(await cluster.call(0, "ACL", "SETUSER", user, ...rules)).toBe("OK");
  }
});
afterAll(async () => {
  await cluster?.close();
});

function clientOf(user: string, node: number, number: number): SteadyClient {
  const { name } = cluster.nodes[node];
  const perClient = OPERATIONS_PER_SECOND / (NODES.length * CLIENTS_PER_NODE);
  return new SteadyClient({
    name: `${user}-${name}-${number}`,
    connect: () => RespClient.connectTls(tlsPorts[node], deployment.connection(user, name)),
    operationsPerPipeline: Math.max(3, Math.round((perClient * INTERVAL_MS) / 1000)),
    intervalMs: INTERVAL_MS,
    pipelinesPerConnection: number % 2 === 0 ? PIPELINES_PER_CONNECTION : 0,
  });
}

/** What PING is answered over TLS, or why it is not. In TLS 1.3 a client is refused after its own handshake is done. */
async function pingOver(port: number, options: ConnectionOptions): Promise<string> {
  try {
    const client = await RespClient.connectTls(port, options);
    const answer = await client.call("PING");
    client.close();
    return answer instanceof RespError ? answer.text : JSON.stringify(answer);
  } catch (error) {
    return String(error);
  }
}

/** Serial numbers of what each node serves, as it says itself. */
async function serials(): Promise<string[]> {
  return await Promise.all(
    NODES.map(async (node) => {
      const info = JSON.stringify(await cluster.call(node, "INFO", "certificates"));
      return /tls_clients_serial:(\w+)/.exec(info)?.[1] ?? info;
    }),
  );
}

/** Deploys a new pair on one node after the other, in this order, and waits until each serves it. */
async function rotateLeaves(order: readonly number[]): Promise<void> {
  for (const node of order) {
    const [before] = [(await serials())[node]];
    await deployment.deployNode(cluster.nodes[node].name);
    await until(
      `${cluster.nodes[node].name} serves the new pair`,
      async () => (await serials())[node] !== before,
    );
  }
}

describe("while clients work over mutual TLS on all nodes", () => {
  it("leaves rotate twice, the authority once, one client is revoked, and no other operation fails (S33, S34, S35)", async () => {
    const workers = NODES.flatMap((node) =>
      Array.from({ length: CLIENTS_PER_NODE }, (_, number) => clientOf("worker", node, number)),
    );
    const victims = NODES.map((node) => clientOf("victim", node, 1));
    old = deployment.connection("worker", cluster.nodes[0].name);
    for (const client of [...workers, ...victims]) await client.start();
    const startedMs = performance.now();
    const leftMs = (): number => startedMs + SECONDS * 1000 - performance.now();
    const names = cluster.nodes.map((node) => node.name);
    const first = await serials();

    await rotateLeaves([0, 1, 2]);
    await pause(Math.max(0, leftMs() * 0.2));
    await rotateLeaves([2, 0, 1]);

    // The authority: both are trusted, then everybody shows one of the new, then the old one is dropped.
    await deployment.newAuthority("second");
    for (const name of names.toReversed()) deployment.trust(["first", "second"], [name]);
    await pause(Math.max(3_000, leftMs() * 0.2));
    await rotateLeaves([1, 2, 0]);
    for (const user of ["worker", "victim"]) await deployment.issueClient(user);
    const connectionsBefore = [...workers, ...victims].map((client) => client.connections);
    for (const client of [...workers, ...victims]) client.reconnect();
    await until("all clients show new certificates", () =>
      [...workers, ...victims].every(
        (client, at) => client.connections > connectionsBefore[at] || client.failures.length > 0,
      ),
    );
    deployment.trust(["second"], names);
    await pause(Math.max(3_000, leftMs() * 0.3));

    const revokedAtMs = performance.now();
    await deployment.revokeClient("victim", names);
    const deployedAtMs = performance.now();
    await until("the revoked client is gone", () =>
      victims.every((victim) => victim.failures.length > 0),
    );
    const goneMs = Math.max(...victims.map((victim) => victim.lastAnswerAtMs)) - deployedAtMs;
    await pause(Math.max(1_000, leftMs()));
    const seconds = (performance.now() - startedMs) / 1000;
    for (const client of [...workers, ...victims]) await client.stop();

    const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);
    const answered = sum(workers.map((client) => client.answered));
    report(
      `${answered} operations in ${seconds.toFixed(0)} s (${Math.round(answered / seconds)}/s) over ` +
        `${sum(workers.map((client) => client.connections))} connections, slowest pipeline ` +
        `${Math.round(Math.max(...workers.map((client) => client.slowestMs)))} ms; last answer to the revoked client ` +
        `${Math.round(goneMs)} ms after its list was there (made in ${Math.round(deployedAtMs - revokedAtMs)} ms)`,
    );
    expect(workers.flatMap((client) => client.failures)).toEqual([]);
    expect(goneMs).toBeLessThan(REVOKED_WITHIN_MS);
    // Nothing was lost or done twice.
    for (const client of [...workers, ...victims]) {
      const counted = Number(await cluster.call(0, "GET", client.counterKey));
      expect(counted).toBeGreaterThanOrEqual(client.increments);
      expect(counted).toBeLessThanOrEqual(client.increments + client.failures.length);
    }
    const last = await serials();
    expect(last.every((serial, node) => serial !== first[node])).toBe(true);
  });

  it("the revoked client does not come in again, on no node, and what the first authority has signed neither", async () => {
    for (const node of NODES) {
      for (const [user, connection] of [["victim", null] as const, ["worker", old] as const]) {
        // It trusts the node: what is refused is its own certificate.
        const today = deployment.connection(user, cluster.nodes[node].name);
        const options = {
          ...today,
          ...connection,
          ca: today.ca,
          servername: today.servername,
        };
        expect(await pingOver(tlsPorts[node], options)).not.toBe(PONG);
      }
      const options = deployment.connection("worker", cluster.nodes[node].name);
      expect(await pingOver(tlsPorts[node], options)).toBe(PONG);
    }
  });
});
