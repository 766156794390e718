/** Whole nodes that come to a cluster, come back to it with another disk, or all move at once (O05, O07, R53). */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseConfig, startNode, type NodeConfig, type NodeHandle } from "@ferrite/node";
import { afterEach, beforeEach, expect, it } from "vitest";
import { freePorts } from "../harness/free-ports.ts";
import { RespClient, type RespValue } from "../harness/resp-client.ts";
import { PeerRoom, freeAddresses } from "./peer-fixture.ts";

const NAMES = ["node-1", "node-2", "node-3"];
const PATIENCE = { timeout: 60_000, interval: 50 };

let room: PeerRoom;
const started = new Set<NodeHandle>();
beforeEach(() => {
  room = new PeerRoom();
});
afterEach(async () => {
  await Promise.all([...started].map((node) => node.stop()));
  started.clear();
  await room.close();
});

const dataOf = (name: string): string => join(room.directory, name, "data");

async function configuration(
  name: string,
  addresses: Readonly<Record<string, string>>,
  more: Readonly<Record<string, string>> = {},
): Promise<NodeConfig> {
  const files = await room.nodeFiles(name);
  const own = addresses[name];
  const peers = Object.entries(addresses).filter(([other]) => other !== name);
  const values: Record<string, string> = {
    "node-name": name,
    dir: dataOf(name),
    port: "0",
    "http-port": "no",
    peers: peers.map(([other, address]) => `${other}=${address}`).join(","),
    "peer-announce": own,
    "peer-port": own.split(":")[1],
    "peer-tls-cert-file": files.certFile,
    "peer-tls-key-file": files.keyFile,
    "peer-tls-ca-cert-file": files.caFile ?? "",
    ...more,
  };
  const flags = Object.entries(values).map(([key, value]) => ({ name: key, value, flag: key }));
  const { config } = parseConfig(
    { flags, environment: {}, file: null },
    { hostname: "host", workingDirectory: room.directory, isTerminal: false },
  );
  return config;
}

async function start(config: NodeConfig): Promise<NodeHandle> {
  const node = await startNode({ config });
  started.add(node);
  return node;
}

async function stop(node: NodeHandle): Promise<void> {
  started.delete(node);
  await node.stop();
}

async function call(node: NodeHandle, ...words: string[]): Promise<RespValue> {
  const client = await RespClient.connect(Number(node.addresses.resp[0].split(":").at(-1)));
  try {
    return await client.call(...words);
  } finally {
    client.close();
  }
}

/** Retried until it succeeds: what it answers may be that there is no leader yet. */
async function eventually(node: NodeHandle, words: string[], expected: RespValue): Promise<void> {
  await expect.poll(() => call(node, ...words), PATIENCE).toEqual(expected);
}

async function trio(): Promise<{ nodes: NodeHandle[]; addresses: Record<string, string> }> {
  const addresses = await freeAddresses(NAMES);
  const configs = await Promise.all(NAMES.map((name) => configuration(name, addresses)));
  const nodes = await Promise.all(configs.map((config) => start(config)));
  await eventually(nodes[0], ["SET", "k", "1"], "OK");
  return { nodes, addresses };
}

/** Voters by the log of this node. */
function votersOf(node: NodeHandle): string[] {
  const members = node.replica.members();
  return members.filter(({ learner }) => !learner).map(({ id }) => id);
}

it("a new node says why it is not ready, is let in by an operator, has the data, and counts", async () => {
  const { nodes, addresses } = await trio();
  const own = await freeAddresses(["node-4"]);
  const [httpPort] = await freePorts(1);
  const known = { ...own, "node-1": addresses["node-1"] };
  const config = await configuration("node-4", known, { "http-port": String(httpPort) });
  const starting = start(config);
  const readiness = async (): Promise<string> => {
    const answer = await fetch(`http://127.0.0.1:${httpPort}/readyz`).catch(() => null);
    return answer === null ? "" : `${answer.status} ${await answer.text()}`;
  };
  await expect
    .poll(readiness, PATIENCE)
    .toMatch(/^503 \[-\]cluster failed: .*ferrite member add node-4/);
  expect(await (await fetch(`http://127.0.0.1:${httpPort}/livez`)).text()).toBe("ok\n");
  await expect
    .poll(() => call(nodes[1], "FERRITE.MEMBER", "ADD", "node-4"), PATIENCE)
    .not.toHaveProperty("text");
  const joined = await starting;
  expect(joined.clusterId).toBe(nodes[0].clusterId);
  await expect.poll(() => votersOf(joined).length, PATIENCE).toBe(4);
  await eventually(joined, ["GET", "k"], "1");
  await expect.poll(readiness, PATIENCE).toMatch(/^200/);
  // Its genesis does not name it, and is its own: it starts with it again.
  const genesis: unknown = JSON.parse(readFileSync(join(dataOf("node-4"), "genesis.json"), "utf8"));
  expect(genesis).toMatchObject({ owner: joined.nodeId, clusterId: joined.clusterId });
  await stop(joined);
  const again = await start(config);
  await eventually(again, ["SET", "k", "2"], "OK");
  expect(again.nodeId).toBe(joined.nodeId);
});

it("a member that lost its disk comes back under its name as a new one, and the old disk stays out (O07)", async () => {
  const { nodes, addresses } = await trio();
  const old = nodes[2];
  await stop(old);
  const kept = readFileSync(join(dataOf("node-3"), "identity.json"));
  rmSync(dataOf("node-3"), { recursive: true });
  const config = await configuration("node-3", addresses);
  const renewed = await start(config);
  expect(renewed.nodeId).not.toBe(old.nodeId);
  expect(renewed.clusterId).toBe(old.clusterId);
  await expect.poll(() => votersOf(nodes[0]).includes(renewed.nodeId), PATIENCE).toBe(true);
  await expect.poll(() => votersOf(nodes[0]).includes(old.nodeId), PATIENCE).toBe(false);
  await eventually(renewed, ["GET", "k"], "1");
  // The old disk again, as far as it matters: its identity, and the genesis that named it.
  const { clusterId } = renewed;
  await stop(renewed);
  const founders: unknown = JSON.parse(
    readFileSync(join(dataOf("node-1"), "genesis.json"), "utf8"),
  );
  rmSync(dataOf("node-3"), { recursive: true });
  mkdirSync(dataOf("node-3"), { recursive: true });
  const identity = { ...(JSON.parse(kept.toString()) as object), hasLog: false };
  writeFileSync(join(dataOf("node-3"), "identity.json"), JSON.stringify(identity));
  const file = { ...(founders as object), owner: old.nodeId };
  writeFileSync(join(dataOf("node-3"), "genesis.json"), JSON.stringify(file));
  const back = await start(config);
  expect(back.clusterId).toBe(clusterId);
  const ended = await back.stopped;
  expect(String(ended)).toMatch(/was removed from cluster .* empty data directory/);
});

it("a cluster of one grows to three, and may then be started with peers", async () => {
  const addresses = await freeAddresses(NAMES);
  const alone = await configuration("node-1", addresses, { peers: "" });
  const first = await start(alone);
  expect(first.addresses.peer).toBe(addresses["node-1"]);
  await eventually(first, ["SET", "k", "1"], "OK");
  const nodes = [first];
  for (const name of ["node-2", "node-3"]) {
    const added = call(first, "FERRITE.MEMBER", "ADD", name);
    const known = { [name]: addresses[name], "node-1": addresses["node-1"] };
    nodes.push(await start(await configuration(name, known)));
    await added;
    await expect.poll(() => votersOf(first).length, PATIENCE).toBe(nodes.length);
  }
  await eventually(nodes[2], ["GET", "k"], "1");
  await stop(first);
  const again = await start(await configuration("node-1", addresses));
  await eventually(again, ["SET", "k", "2"], "OK");
  await eventually(nodes[1], ["GET", "k"], "2");
});

it("all nodes move at once, and one address that is right is enough (O05, R53)", async () => {
  const { nodes, addresses } = await trio();
  for (const node of nodes) await stop(node);
  const moved = await freeAddresses(NAMES);
  const again = await Promise.all(
    NAMES.map(async (name) => {
      const known = { ...addresses, "node-1": moved["node-1"], [name]: moved[name] };
      return await start(await configuration(name, known));
    }),
  );
  for (const node of again) {
    await expect
      .poll(() => node.replica.members().every(({ connected }) => connected), PATIENCE)
      .toBe(true);
  }
  await eventually(again[2], ["SET", "k", "2"], "OK");
  // The table says so too, on every node.
  for (const node of again) {
    const known = (): string[] => node.replica.members().map(({ peerAddress }) => peerAddress);
    await expect.poll(known, PATIENCE).toEqual(NAMES.map((name) => moved[name]));
  }
});
