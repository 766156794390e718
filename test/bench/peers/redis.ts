import { mkdirSync } from "node:fs";
import { join } from "node:path";

import { freePortBase } from "./free-ports.ts";
import { infoField, waitUntil, type Peer } from "./peer.ts";
import { makeCertificate } from "./make-certificate.ts";
import { versionOf } from "./programs.ts";
import { respCall } from "./resp-call.ts";
import { ServerProcess } from "./server-process.ts";

const START_TIMEOUT_MS = 20_000;
const REPLICA_COUNT = 2;

/** Nothing is saved behind our back, and nobody else is let in. */
const COMMON = ["--bind", "127.0.0.1", "--save", "", "--protected-mode", "yes"];

/**
 * One master and two replicas, each with an append-only file that is synced before a write is
 * answered. With WAIT 1 a client gets what Ferrite gives without asking: a second machine has it.
 */
export async function startReplicatedRedis(folder: string): Promise<Peer> {
  const base = await freePortBase([0, 1, 2]);
  const durable = ["--appendonly", "yes", "--appendfsync", "always"];
  const servers = [startServer(folder, base, durable)];
  for (let index = 1; index <= REPLICA_COUNT; index++) {
    const replica = [...durable, "--replicaof", "127.0.0.1", String(base)];
    servers.push(startServer(folder, base + index, replica));
  }
  const peer = redisPeer("redis, 3 nodes, AOF always", [base], servers);
  await ready(peer, async () => {
    const online = await infoField(base, "replication", "connected_slaves");
    const states = [
      await infoField(base, "replication", "slave0"),
      await infoField(base, "replication", "slave1"),
    ];
    return (
      online === String(REPLICA_COUNT) && states.every((state) => state.includes("state=online"))
    );
  });
  return peer;
}

/** One server that writes nothing to disk: the fastest Redis there is. */
export async function startMemoryRedis(folder: string): Promise<Peer> {
  const port = await freePortBase([0]);
  const servers = [startServer(folder, port, ["--appendonly", "no"])];
  const peer = redisPeer("redis, 1 node, no persistence", [port], servers);
  await ready(peer, async () => (await respCall(port, "PING")) === "PONG");
  return peer;
}

/** The same over TLS, with a certificate of the kind that Ferrite has. Clients may show one and need not, as with `ferrite dev`. */
export async function startTlsRedis(folder: string): Promise<Peer> {
  const port = await freePortBase([0, 1]);
  const directory = join(folder, "certs");
  const { authority, certificate, key } = makeCertificate(directory);
  const settings = {
    appendonly: "no",
    "tls-port": String(port + 1),
    "tls-auth-clients": "optional",
    "tls-cert-file": certificate,
    "tls-key-file": key,
    "tls-ca-cert-file": authority,
  };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
  const servers = [startServer(folder, port, args)];
  const peer = redisPeer("redis, 1 node, TLS, no persistence", [port], servers);
  await ready(peer, async () => (await respCall(port, "PING")) === "PONG");
  return { ...peer, tlsPorts: [port + 1] };
}

function startServer(folder: string, port: number, args: readonly string[]): ServerProcess {
  const data = join(folder, `redis-${port}`);
  mkdirSync(data, { recursive: true, mode: 0o700 });
  return new ServerProcess(
    `redis-server on port ${port}`,
    "redis-server",
    ["--port", String(port), "--dir", data, ...COMMON, ...args],
    join(data, "log"),
  );
}

function redisPeer(
  name: string,
  ports: readonly number[],
  servers: readonly ServerProcess[],
): Peer {
  return {
    name,
    version: versionOf("redis-server") ?? "unknown",
    ports,
    assertRunning: () => {
      for (const server of servers) server.assertRunning();
    },
    stop: async () => {
      await Promise.all(servers.map((server) => server.stop()));
    },
  };
}

async function ready(peer: Peer, check: () => Promise<boolean>): Promise<void> {
  try {
    await waitUntil(`start of ${peer.name}`, START_TIMEOUT_MS, async () => {
      peer.assertRunning();
      return await check();
    });
  } catch (error) {
    await peer.stop();
    throw error;
  }
}
