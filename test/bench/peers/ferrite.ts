import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { BenchError } from "../errors.ts";
import { freePortBase } from "./free-ports.ts";
import { infoField, waitUntil, type Peer } from "./peer.ts";
import { respCall } from "./resp-call.ts";
import { ServerProcess } from "./server-process.ts";

const START_TIMEOUT_MS = 60_000;
const NODE_OFFSETS = [0, 100, 200];
const TLS_OFFSET = 1;
/** A node's RESP port, and how far above it its TLS, peer and HTTP ports lie in a development cluster. */
const PORT_OFFSETS = [0, TLS_OFFSET, 10_000, 1701];

const root = fileURLToPath(new URL("../../../", import.meta.url));

/**
 * Three nodes as `ferrite dev` starts them: a process each, mutual TLS between them, every write
 * synced by a majority before its OK. The leader comes first in `ports`. `settings`: further ones, as `name=value`.
 */
export async function startFerrite(
  folder: string,
  settings: readonly string[] = [],
): Promise<Peer> {
  const program = join(root, "packages/cli/dist/bin.js");
  if (!existsSync(program)) {
    throw new BenchError("packages/cli is not compiled: run `pnpm build` first");
  }
  const offsets = NODE_OFFSETS.flatMap((node) => PORT_OFFSETS.map((offset) => node + offset));
  const base = await freePortBase(offsets);
  const data = join(folder, "ferrite");
  const args = [program, "dev", "--base-port", String(base), "--data-dir", data];
  for (const setting of settings) args.push("--set", setting);
  const log = join(folder, "ferrite.log");
  const server = new ServerProcess("ferrite dev", process.execPath, args, log);
  const ports = NODE_OFFSETS.map((offset) => base + offset);
  let leaderPort = 0;
  try {
    await waitUntil("start of ferrite", START_TIMEOUT_MS, async () => {
      server.assertRunning();
      leaderPort = await findLeader(ports);
      return leaderPort > 0;
    });
  } catch (error) {
    await server.stop();
    throw error;
  }
  const leaderFirst = [leaderPort, ...ports.filter((port) => port !== leaderPort)];
  return {
    name: "ferrite, 3 nodes, mutual TLS",
    version: ferriteVersion(),
    ports: leaderFirst,
    tlsPorts: leaderFirst.map((port) => port + TLS_OFFSET),
    assertRunning: () => server.assertRunning(),
    stop: () => server.stop(),
  };
}

/** The leader's port once all nodes agree on who leads and answer writes; 0 before. */
async function findLeader(ports: readonly number[]): Promise<number> {
  const leaders: number[] = [];
  for (const port of ports) {
    if ((await infoField(port, "replication", "role")) === "master") {
      leaders.push(port);
    }
    await respCall(port, "SET", "ready", "yes");
  }
  return leaders.length === 1 ? leaders[0] : 0;
}

function ferriteVersion(): string {
  const manifest: { version: string } = JSON.parse(
    readFileSync(join(root, "package.json"), "utf8"),
  );
  return `ferrite ${manifest.version}`;
}
