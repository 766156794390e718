/** A follower that was away for longer than the log goes back catches up by a snapshot, while writes go on. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { TestCluster, report, until } from "./harness/cluster.ts";
import { digest } from "./harness/digest.ts";
import { GatedProxy } from "./harness/gated-proxy.ts";
import { RespError, type RespClient } from "./harness/resp-client.ts";
import { Load } from "./load/load.ts";

const WRITES = 200_000;
const KEYS = 50_000;
const PIPELINE_DEPTH = 500;
const TIMEOUT_MS = 300_000;

let cluster: TestCluster;
/** Before each node's peer port. */
const proxies: GatedProxy[] = [];
beforeAll(async () => {
  cluster = await TestCluster.start({
    peerAddress: async (node) => {
      const proxy = await GatedProxy.before(node.peerPort);
      proxies.push(proxy);
      return `127.0.0.1:${proxy.port}`;
    },
    settings: {
      "log-segment-bytes": "1mb",
      "snapshot-log-bytes": "1mb",
      "log-cache-bytes": "1mb",
      // Longer than a test waits: what is answered is answered for another reason.
      "proposal-timeout-ms": "120000",
    },
  });
});
afterAll(async () => {
  await cluster?.close();
  await Promise.all(proxies.map((proxy) => proxy.close()));
});

async function writeAll(client: RespClient, count: number = WRITES): Promise<void> {
  for (let first = 0; first < count; first += PIPELINE_DEPTH) {
    const commands = Array.from({ length: PIPELINE_DEPTH }, (_, position) => {
      const write = first + position;
      return ["SET", `lag:${write % KEYS}`, `value ${write}`];
    });
    for (const reply of await Promise.all(client.pipeline(commands))) {
      if (reply instanceof RespError) throw new Error(reply.text);
    }
  }
}

function logFiles(node: number): string[] {
  return readdirSync(join(cluster.nodes[node].dataDir, "log")).filter((name) =>
    name.endsWith(".log"),
  );
}

/** Bytes of snapshots that others got from a node. */
async function snapshotBytesSent(node: number): Promise<number> {
  return Number((await cluster.info(node, "raft")).get("raft_snapshot_bytes_sent"));
}

async function number(node: number, fact: string): Promise<number> {
  return Number((await cluster.status(node)).get(fact));
}

it(
  "catches up by snapshot after 200,000 writes while others go on, and then holds what the leader holds",
  async () => {
    const leader = await cluster.leader();
    const follower = (leader + 1) % 3;
    const witness = (leader + 2) % 3;
    const oldFiles = logFiles(leader);
    await cluster.end(follower, "SIGKILL");
    const lastBefore = await number(leader, "last_index");

    const startedAtMs = performance.now();
    const writer = await cluster.client(witness);
    await writeAll(writer);
    const writesMs = performance.now() - startedAtMs;
    // The log that the follower would need is gone, in memory and on disk.
    expect(await number(leader, "snapshot_index")).toBeGreaterThan(lastBefore);
    expect(await number(leader, "first_index")).toBeGreaterThan(lastBefore + 1);
    const files = logFiles(leader);
    expect(oldFiles.length).toBeGreaterThan(0);
    expect(oldFiles.filter((file) => files.includes(file))).toEqual([]);

    const load = new Load(cluster, { name: "meanwhile", nodes: [leader, witness] });
    await load.start();
    await load.acknowledged(20);
    load.mark();
    const spawnedAtMs = performance.now();
    cluster.spawn(follower);
    await until("the follower has installed a snapshot", () =>
      cluster.log(follower).includes("installed a snapshot"),
    );
    await until("the follower has applied what the leader has", async () => {
      const applied = await number(leader, "applied_index");
      return (await number(follower, "applied_index")) >= applied;
    });
    const catchUpMs = performance.now() - spawnedAtMs;
    const longestGapMs = load.longestGapMs();
    await load.acknowledged(20);
    await load.stop();
    writer.close();

    expect(load.count("refused") + load.count("unknown")).toBe(0);
    expect(await number(follower, "snapshot_index")).toBeGreaterThan(lastBefore);
    expect(await load.violations(follower)).toEqual([]);
    const applied = await number(leader, "applied_index");
    await until("every node has applied the last write", async () => {
      const behind = [follower, witness].map((node) => number(node, "applied_index"));
      return (await Promise.all(behind)).every((index) => index >= applied);
    });
    // The leader has better things to do: the other follower sent it.
    const sentBytes = await snapshotBytesSent(witness);
    expect(sentBytes).toBeGreaterThan(0);
    expect(await snapshotBytesSent(leader)).toBe(0);
    const expected = await digest(cluster, leader);
    expect(expected.keys).toBeGreaterThanOrEqual(KEYS);
    expect(await digest(cluster, follower)).toEqual(expected);
    expect(await digest(cluster, witness)).toEqual(expected);
    report(
      `${WRITES} writes in ${Math.round(writesMs)} ms; the follower was level ${Math.round(catchUpMs)} ms after its ` +
        `start, clients paused at most ${Math.round(longestGapMs)} ms meanwhile; ${expected.keys} keys compared; ` +
        `the other follower sent ${sentBytes} bytes of snapshots, the leader none`,
    );
  },
  TIMEOUT_MS,
);

it(
  "answers a write of its own whose reply a snapshot has swallowed as unknown, and takes the next one at once",
  async () => {
    const leader = await cluster.leader();
    const follower = (leader + 1) % 3;
    const installed = cluster.log(follower).split("installed a snapshot").length;
    const client = await cluster.client(follower);
    expect(await client.call("SET", "deaf", "0")).toBe("OK");
    // The write reaches the leader and is agreed; the follower hears nothing of that.
    proxies[follower].lose();
    const swallowed = client.call("INCR", "deaf");
    await until(
      "the write is agreed",
      async () => (await cluster.call(leader, "GET", "deaf")) === "1",
    );
    const writer = await cluster.client(leader);
    await writeAll(writer, WRITES / 2);
    writer.close();
    proxies[follower].pass();
    await until("the follower has installed a snapshot", () => {
      return cluster.log(follower).split("installed a snapshot").length > installed;
    });
    const startedAtMs = performance.now();
    const reply = await swallowed;
    expect(reply).toBeInstanceOf(RespError);
    expect((reply as RespError).text).toMatch(/^UNKNOWNOUTCOME /);
    expect(await client.call("INCR", "deaf")).toBe(2);
    client.close();
    report(
      `the next write was acknowledged ${Math.round(performance.now() - startedAtMs)} ms after the snapshot`,
    );
  },
  TIMEOUT_MS,
);
