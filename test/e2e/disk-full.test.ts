/** A disk that runs full stops writes, with a clear error, and nothing else; when there is room again they go on. */
import { afterEach, describe, expect, it } from "vitest";
import { TestCluster, report, until } from "./harness/cluster.ts";
import { RespError, type RespClient, type RespValue } from "./harness/resp-client.ts";
import { SmallDisk } from "./harness/small-disk.ts";
import { Load } from "./load/load.ts";

const MEBIBYTE = 1024 ** 2;
const DISK_BYTES = 16 * MEBIBYTE;
const SETTINGS = {
  "log-segment-bytes": "1mb",
  "snapshot-log-bytes": "100mb",
  "proposal-timeout-ms": "2000",
};
const VALUE = "x".repeat(10_000);
/** More than is ever reserved ahead, and less than the disk holds when it is not filled. */
const WRITES = (4 * MEBIBYTE) / VALUE.length;

const canMount = SmallDisk.isPossible();
if (!canMount) report("this user may not mount a tmpfs: the tests of a full disk are skipped");

let cluster: TestCluster | null = null;
let disk: SmallDisk | null = null;
afterEach(async () => {
  await cluster?.close();
  disk?.unmount();
  cluster = null;
  disk = null;
});

/** A cluster whose node1 has its data on the small disk. */
async function start(nodes: number): Promise<{ cluster: TestCluster; disk: SmallDisk }> {
  const mounted = SmallDisk.mount(DISK_BYTES);
  if (mounted === null)
    throw new Error("a tmpfs could be mounted a moment ago, and now it can not");
  disk = mounted;
  cluster = await TestCluster.start({
    nodes,
    settings: SETTINGS,
    dataDir: (name) => (name === "node1" ? mounted.directory : null),
  });
  return { cluster, disk };
}

/** The error, or what came instead of one. */
function textOf(reply: RespValue): string {
  return reply instanceof RespError ? reply.text : `no error: ${JSON.stringify(reply)}`;
}

/** Writes until the first error; how many were acknowledged, and the error. */
async function writeUntilRefused(
  client: RespClient,
  prefix: string,
): Promise<{ written: number; error: string }> {
  for (let written = 0; written < WRITES; written++) {
    const reply = await client.call("SET", `${prefix}:${written}`, VALUE);
    if (reply instanceof RespError) return { written, error: reply.text };
  }
  throw new Error(`${WRITES} writes were taken`);
}

describe.skipIf(!canMount)("a full disk", () => {
  it("makes a cluster of one refuse writes and go on reading, and writes go on by themselves when there is room", async () => {
    const { cluster, disk } = await start(1);
    const client = await cluster.client(0);
    expect(await client.call("SET", "first", "1")).toBe("OK");
    disk.fill();
    const { written, error } = await writeUntilRefused(client, "w");
    report(`${written} writes fitted into the space that was reserved; then: ${error}`);
    expect(error).toMatch(/^(NOSPACE|UNKNOWNOUTCOME) /);
    await until("writes are refused because of the disk", async () => {
      return textOf(await client.call("SET", "refused", "1")).startsWith("NOSPACE ");
    });
    expect(await client.call("GET", "first")).toBe("1");
    expect(await client.call("EXISTS", "refused")).toBe(0);
    const ready = await fetch(`http://127.0.0.1:${cluster.nodes[0].httpPort}/readyz`);
    expect(ready.status).toBe(503);
    expect(await ready.text()).toContain("[-]disk failed");
    expect(cluster.log(0)).toContain("no room on the disk");

    disk.relieve();
    await until(
      "writes are taken again",
      async () => (await client.call("SET", "again", "1")) === "OK",
    );
    await cluster.ready(0);
    expect(await client.call("EXISTS", "refused")).toBe(0);
    for (let at = 0; at < written; at++)
      expect(await client.call("STRLEN", `w:${at}`)).toBe(VALUE.length);
    client.close();

    await cluster.end(0, "SIGKILL");
    cluster.spawn(0);
    await cluster.ready(0);
    expect(await cluster.call(0, "MGET", "first", "again", "refused")).toEqual(["1", "1", null]);
    for (let at = 0; at < written; at++) {
      expect(await cluster.call(0, "STRLEN", `w:${at}`)).toBe(VALUE.length);
    }
  });

  it("can be met by kill -9 as well: what was acknowledged is there when the node starts with room again", async () => {
    const { cluster, disk } = await start(1);
    const client = await cluster.client(0);
    disk.fill();
    const { written } = await writeUntilRefused(client, "w");
    client.close();
    await cluster.end(0, "SIGKILL");
    cluster.spawn(0);
    await until("the node can not start, and says why", () => {
      return !cluster.isRunning(0) && cluster.log(0).includes("there is no room on the disk");
    });
    disk.relieve();
    cluster.spawn(0);
    await cluster.ready(0);
    for (let at = 0; at < written; at++) {
      expect(await cluster.call(0, "STRLEN", `w:${at}`)).toBe(VALUE.length);
    }
  });

  it("of a follower does not stop the cluster, and the follower catches up by itself when there is room", async () => {
    const { cluster, disk } = await start(3);
    const leader = await leaderBesidesFirst(cluster);
    disk.fill();
    const client = await cluster.client(leader);
    for (let written = 0; written < WRITES; written++) {
      expect(await client.call("SET", `w:${written}`, VALUE)).toBe("OK");
    }
    await until("the follower says that its disk is full", () =>
      cluster.log(0).includes("no room on the disk"),
    );
    const full = await cluster.client(0);
    expect(textOf(await full.call("SET", "through-the-full", "1"))).toMatch(/^NOSPACE /);
    expect(await full.call("STRLEN", "w:0")).toBe(VALUE.length);
    expect(await cluster.leader()).toBe(leader);

    disk.relieve();
    await client.call("SET", "last", "1");
    expect(await client.call("WAIT", "2", "10000")).toBe(2);
    await until(
      "the follower takes writes",
      async () => (await full.call("INCR", "through")) === 1,
    );
    for (let at = 0; at < WRITES; at++)
      expect(await full.call("STRLEN", `w:${at}`)).toBe(VALUE.length);
    full.close();
    client.close();
  });

  it("of the leader does not stop the cluster either: another node leads, and no client of the others gets an error", async () => {
    const { cluster, disk } = await start(3);
    await makeFirstLead(cluster);
    const load = new Load(cluster, { name: "full-leader", nodes: [1, 2] });
    await load.start();
    await load.acknowledged(20);
    load.mark();
    disk.fill();
    const client = await cluster.client(1);
    for (let written = 0; written < WRITES; written++) {
      expect(await client.call("SET", `w:${written}`, VALUE)).toBe("OK");
    }
    await load.acknowledged(20);
    const gapMs = load.longestGapMs();
    await load.stop();
    client.close();
    expect(cluster.log(0)).toContain("no room on the disk");
    report(
      `the leader's disk ran full: longest pause of a client on another node ${Math.round(gapMs)} ms`,
    );
    expect(await cluster.leader()).not.toBe(0);
    expect(load.count("refused") + load.count("unknown")).toBe(0);
    disk.relieve();
    await cluster.ready(0);
    expect(await load.violations(0)).toEqual([]);
  });
});

/** The leader, which is not the node with the small disk. */
async function leaderBesidesFirst(cluster: TestCluster): Promise<number> {
  if ((await cluster.leader()) === 0) await restart(cluster, 0);
  const leader = await cluster.leader();
  expect(leader).not.toBe(0);
  return leader;
}

/** Stops that go on hand-overs which may each end at either of two nodes: so many rounds may be needed. */
const LEAD_TIMEOUT_MS = 150_000;

/** A planned stop of each other leader hands leadership on, until it comes to the node with the small disk. */
async function makeFirstLead(cluster: TestCluster): Promise<void> {
  const condition = async (): Promise<boolean> => {
    const leader = await cluster.leader();
    if (leader !== 0) await restart(cluster, leader);
    return leader === 0;
  };
  await until("node1 leads", condition, LEAD_TIMEOUT_MS);
}

async function restart(cluster: TestCluster, node: number): Promise<void> {
  await cluster.end(node, "SIGTERM");
  cluster.spawn(node);
  await cluster.ready(node);
}
