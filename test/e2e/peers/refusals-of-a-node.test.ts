/** What an operator sees of a visitor at the peer port: in the metrics and in the audit trail of a whole node. */
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { connect } from "node:tls";
import { parseConfig, startNode, type NodeConfig, type NodeHandle } from "@ferrite/node";
import { afterEach, beforeEach, expect, it } from "vitest";
import { issueClientCertificate } from "../../../packages/cli/src/certs/index.ts";
import type { TlsFiles } from "../../../packages/node/src/config/tls-files.ts";
import { PeerRoom, freeAddresses } from "./peer-fixture.ts";

const NAMES = ["node-1", "node-2", "node-3"];

let room: PeerRoom;
const started: NodeHandle[] = [];
beforeEach(() => {
  room = new PeerRoom();
});
afterEach(async () => {
  await Promise.all(started.splice(0).map((node) => node.stop()));
  await room.close();
});

function configuration(name: string, files: TlsFiles, peers: string): NodeConfig {
  const values: Record<string, string> = {
    "node-name": name,
    dir: join(room.directory, name, "data"),
    port: "0",
    "http-port": "0",
    peers,
    "peer-tls-cert-file": files.certFile,
    "peer-tls-key-file": files.keyFile,
    "peer-tls-ca-cert-file": files.caFile ?? "",
  };
  const flags = Object.entries(values).map(([key, value]) => ({ name: key, value, flag: key }));
  const { config } = parseConfig(
    { flags, environment: {}, file: null },
    { hostname: "host", workingDirectory: room.directory, isTerminal: false },
  );
  return config;
}

function visit(address: string, files: TlsFiles): Promise<void> {
  const [host, port] = address.split(":");
  return new Promise((resolve) => {
    const socket = connect({
      host,
      port: Number(port),
      cert: readFileSync(files.certFile),
      key: readFileSync(files.keyFile),
      rejectUnauthorized: false,
    });
    socket.on("error", () => undefined);
    socket.on("data", () => undefined);
    socket.on("close", () => {
      resolve();
    });
  });
}

/** All records of a node's trail. */
function trailOf(name: string): string {
  const directory = join(room.directory, name, "data", "audit");
  return readdirSync(directory)
    .filter((file) => file.endsWith(".jsonl") || file.endsWith(".log"))
    .map((file) => readFileSync(join(directory, file), "utf8"))
    .join("");
}

it("S31: a client of the same authority at the peer port is in log, metric and trail, also from before there is a cluster", async () => {
  const addresses = await freeAddresses(NAMES);
  const peers = NAMES.map((name) => `${name}=${addresses[name]}`).join(",");
  const client = await room.files(
    "client",
    await issueClientCertificate(await room.authority(), { name: "node-2" }),
  );
  const starting = [];
  for (const name of NAMES) {
    const config = configuration(name, await room.nodeFiles(name), peers);
    starting.push(startNode({ config }));
    // The first node can form nothing yet, so it has no trail.
    if (name === "node-1") await visitWhenOpen(addresses["node-1"], client);
  }
  started.push(...(await Promise.all(starting)));
  const [node] = started;
  const metrics = await fetch(`http://${node.addresses.http}/metrics`);
  const text = await metrics.text();
  expect(text).toMatch(/^ferrite_peer_refusals_total\{reason="wrongUse"\} [1-9]/m);
  for (const name of ["node-2", "node-3"]) {
    const line = new RegExp(
      `^ferrite_peer_certificate_expiry_timestamp_seconds\\{peer="${name}"\\} (\\d+)`,
      "m",
    );
    expect(Number(line.exec(text)?.[1]) * 1000).toBeGreaterThan(Date.now());
  }
  await node.stop();
  const record = trailOf("node-1")
    .split("\n")
    .find((line) => line.includes("peer.refused.wrongUse"));
  expect(JSON.parse(record ?? "{}")).toMatchObject({
    category: "connection",
    outcome: "failure",
    client: { addr: expect.stringContaining("127.0.0.1:") as string },
    reason: expect.stringContaining("serverAuth") as string,
  });
});

/** The port opens soon after the start was begun. */
async function visitWhenOpen(address: string, files: TlsFiles): Promise<void> {
  const [host, port] = address.split(":");
  for (let open = false; !open;) {
    open = await new Promise<boolean>((resolve) => {
      const socket = connect({ host, port: Number(port), rejectUnauthorized: false });
      socket.on("error", () => {
        resolve(false);
      });
      socket.on("secureConnect", () => {
        socket.destroy();
        resolve(true);
      });
    });
  }
  await visit(address, files);
}
