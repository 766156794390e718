import { join } from "node:path";

import { freePortBase } from "./free-ports.ts";
import { waitUntil, type Peer } from "./peer.ts";
import { versionOf } from "./programs.ts";
import { EtcdClient } from "../load/etcd-client.ts";
import { ServerProcess } from "./server-process.ts";

const START_TIMEOUT_MS = 30_000;
const NODE_COUNT = 3;

/**
 * Three members of one etcd cluster, without TLS (which spares them work that Ferrite does), data
 * synced as etcd does by default.
 */
export async function startEtcd(folder: string): Promise<Peer> {
  const base = await freePortBase([0, 1, 2, 3, 4, 5]);
  const members = Array.from({ length: NODE_COUNT }, (_, index) => ({
    name: `member${index}`,
    clientPort: base + index,
    peerUrl: `http://127.0.0.1:${base + NODE_COUNT + index}`,
  }));
  const cluster = members.map((member) => `${member.name}=${member.peerUrl}`).join(",");
  const servers = members.map(({ name, clientPort, peerUrl }) => {
    const clientUrl = `http://127.0.0.1:${clientPort}`;
    const args = [
      ["--name", name],
      ["--data-dir", join(folder, `etcd-${name}`)],
      ["--listen-peer-urls", peerUrl],
      ["--initial-advertise-peer-urls", peerUrl],
      ["--listen-client-urls", clientUrl],
      ["--advertise-client-urls", clientUrl],
      ["--initial-cluster", cluster],
      ["--initial-cluster-state", "new"],
      ["--log-level", "error"],
      // The history of old values is Ferrite's business as little as Redis'; let etcd drop it too.
      ["--auto-compaction-mode", "revision"],
      ["--auto-compaction-retention", "10000"],
    ].flat();
    return new ServerProcess(`etcd ${name}`, "etcd", args, join(folder, `etcd-${name}.log`));
  });
  const assertRunning = (): void => {
    for (const server of servers) server.assertRunning();
  };
  const stop = async (): Promise<void> => {
    await Promise.all(servers.map((server) => server.stop()));
  };
  let leaderPort = 0;
  try {
    await waitUntil("start of etcd", START_TIMEOUT_MS, async () => {
      assertRunning();
      leaderPort = await findLeader(members.map((member) => member.clientPort));
      return leaderPort > 0;
    });
  } catch (error) {
    await stop();
    throw error;
  }
  const ports = members.map((member) => member.clientPort);
  return {
    name: "etcd, 3 nodes",
    version: versionOf("etcd") ?? "unknown",
    ports: [leaderPort, ...ports.filter((port) => port !== leaderPort)],
    assertRunning,
    stop,
  };
}

/** The port of the member that leads; puts go there, as a good client would. */
async function findLeader(ports: readonly number[]): Promise<number> {
  for (const port of ports) {
    const client = await EtcdClient.connect(port);
    try {
      await client.put("ready", "yes");
      const { memberId, leaderId } = await client.status();
      if (memberId === leaderId) {
        return port;
      }
    } finally {
      client.close();
    }
  }
  return 0;
}
