/** Nothing that clients write can be read on the wire between the nodes, and a password nowhere at all. */
import { randomBytes } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TestCluster, report } from "./harness/cluster.ts";
import { RecordingProxy } from "./harness/recording-proxy.ts";
import { RespClient, RespError } from "./harness/resp-client.ts";

const PAIRS = 500;
const PASSWORD = `password-${randomBytes(12).toString("hex")}`;
const CLUSTER_TOKEN = `token-${randomBytes(12).toString("hex")}`;

let cluster: TestCluster;
let clientProxy: RecordingProxy;
const peerProxies: RecordingProxy[] = [];
const keys = Array.from({ length: PAIRS }, () => `key-${randomBytes(9).toString("hex")}`);
const values = Array.from({ length: PAIRS }, () => `value-${randomBytes(24).toString("hex")}`);

beforeAll(async () => {
  cluster = await TestCluster.start({
    environment: { FERRITE_REQUIREPASS: PASSWORD, FERRITE_CLUSTER_TOKEN: CLUSTER_TOKEN },
    settings: { loglevel: "trace", "snapshot-log-bytes": "64kb" },
    peerAddress: async (node) => {
      const proxy = await RecordingProxy.before(node.peerPort);
      peerProxies.push(proxy);
      return `127.0.0.1:${proxy.port}`;
    },
  });
  for (const node of cluster.nodes) await writeThrough(node.port, node.index);
  // Catching up sends the data once more.
  await cluster.end(0, "SIGKILL");
  await writeThrough(cluster.nodes[1].port, 0);
  cluster.spawn(0);
  await cluster.ready(0);
  clientProxy = await RecordingProxy.before(cluster.nodes[0].port);
  await writeThrough(clientProxy.port, 0);
  await readThrough(cluster.nodes[0].port);
});
afterAll(async () => {
  await cluster?.close();
  await clientProxy?.close();
  await Promise.all(peerProxies.map((proxy) => proxy.close()));
});

async function connect(port: number): Promise<RespClient> {
  const client = await RespClient.connect(port);
  expect(await client.call("AUTH", PASSWORD)).toBe("OK");
  return client;
}

/** Writes every third pair. */
async function writeThrough(port: number, offset: number): Promise<void> {
  const client = await connect(port);
  const commands = keys.flatMap((key, at) => (at % 3 === offset ? [["SET", key, values[at]]] : []));
  const replies = await Promise.all(client.pipeline(commands));
  expect(new Set(replies)).toEqual(new Set(["OK"]));
  client.close();
}

async function readThrough(port: number): Promise<void> {
  const client = await connect(port);
  await client.call("FERRITE.CONSISTENCY", "linearizable");
  expect(await client.call("MGET", ...keys)).toEqual(values);
  client.close();
}

function found(bytes: Buffer, texts: readonly string[]): string[] {
  return texts.filter((text) => bytes.includes(text));
}

function filesBelow(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

describe("the wire between the nodes", () => {
  it("shows no key, no value, no password and no cluster token", () => {
    const payloadBytes = [...keys, ...values].reduce((sum, text) => sum + text.length, 0);
    const recorded = Buffer.concat(peerProxies.map((proxy) => proxy.recorded));
    report(
      `${recorded.length} bytes recorded between the nodes, for ${payloadBytes} bytes of keys and values`,
    );
    // All of it went over these proxies: to two other nodes, at least once.
    expect(recorded.length).toBeGreaterThan(2 * payloadBytes);
    for (const proxy of peerProxies) expect(proxy.recorded.length).toBeGreaterThan(0);
    expect(found(recorded, [...keys, ...values, PASSWORD, CLUSTER_TOKEN])).toEqual([]);
  });

  it("would be caught: the same search finds all of it between a client and its node", () => {
    const { recorded } = clientProxy;
    const written = keys.filter((_, at) => at % 3 === 0);
    expect(found(recorded, written)).toEqual(written);
    expect(found(recorded, [PASSWORD])).toEqual([PASSWORD]);
  });
});

describe("the password", () => {
  it("is refused when it is wrong, and stands in no log line and in no file, even at the finest log level", async () => {
    const client = await cluster.client(1);
    const wrong = `wrong-${randomBytes(12).toString("hex")}`;
    const refused = await client.call("AUTH", wrong);
    expect(refused).toBeInstanceOf(RespError);
    const hello = await client.call("HELLO", "3", "AUTH", "default", wrong);
    expect(hello).toBeInstanceOf(RespError);
    client.close();
    for (const node of cluster.nodes) {
      const log = cluster.log(node.index);
      expect(log).toContain('"starting"');
      expect(found(Buffer.from(log), [PASSWORD, CLUSTER_TOKEN, wrong])).toEqual([]);
      for (const file of filesBelow(node.dataDir)) {
        expect(found(readFileSync(file), [PASSWORD, CLUSTER_TOKEN, wrong]), file).toEqual([]);
      }
    }
  });

  it("set by CONFIG SET stands in no log line and in no file", async () => {
    const changed = `changed-${randomBytes(12).toString("hex")}`;
    const client = await connect(cluster.nodes[2].port);
    expect(await client.call("CONFIG", "SET", "requirepass", changed)).toBe("OK");
    expect(await client.call("CONFIG", "GET", "requirepass")).not.toContain(changed);
    client.close();
    const { dataDir, index } = cluster.nodes[2];
    expect(found(Buffer.from(cluster.log(index)), [changed])).toEqual([]);
    for (const file of filesBelow(dataDir))
      expect(found(readFileSync(file), [changed])).toEqual([]);
  });
});
