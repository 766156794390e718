/**
 * Damaged disks of real nodes (R42, R58): bits flip in logs and snapshots between two starts. What one disk has lost comes
 * back from the others, with every acknowledged write, and nothing is deleted; alone a node refuses, because nobody has it.
 */
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { TestCluster, report, until } from "./harness/cluster.ts";

const WRITES = 300;
/** Of a record of the log, before its body. */
const recordHeaderBytes = 64;
const SETTINGS = { "log-segment-bytes": "1mb" };
/** So that a snapshot is taken long before the last write. */
const WITH_SNAPSHOTS = { ...SETTINGS, "snapshot-log-bytes": "64kb" };

const home = mkdtempSync(join(tmpdir(), "ferrite-damage-"));
const keyFile = join(home, "key-encryption-key");
writeFileSync(keyFile, randomBytes(32).toString("hex"), { mode: 0o600 });
const ENCRYPTED = { ...SETTINGS, "at-rest-encryption": "yes", "at-rest-key-file": keyFile };
const DISKS: readonly [string, Readonly<Record<string, string>>][] = [
  ["a plain disk", SETTINGS],
  ["an encrypted disk", ENCRYPTED],
];

let cluster: TestCluster | null = null;
afterEach(async () => {
  await cluster?.close();
  cluster = null;
});
afterAll(() => {
  rmSync(home, { recursive: true, force: true });
});

async function start(
  nodes: number,
  settings: Readonly<Record<string, string>> = SETTINGS,
): Promise<TestCluster> {
  cluster = await TestCluster.start({ nodes, settings });
  return cluster;
}

function key(number: number): string {
  return `key:${number}`;
}

function valueOf(number: number): string {
  return `<value ${number}>`.padEnd(200, "v");
}

/** Acknowledged writes, numbered from `from` on. */
async function write(
  target: TestCluster,
  node: number,
  from: number,
  count: number,
): Promise<void> {
  const client = await target.client(node);
  for (let at = from; at < from + count; at += 1) {
    expect(await client.call("SET", key(at), valueOf(at))).toBe("OK");
  }
  client.close();
}

/** Numbers of acknowledged writes that a node does not have, or has wrong. */
async function missing(target: TestCluster, node: number, count: number): Promise<number[]> {
  const client = await target.client(node);
  const numbers = Array.from({ length: count }, (_, at) => at + 1);
  const values = (await client.call("MGET", ...numbers.map(key))) as readonly (string | null)[];
  client.close();
  return numbers.filter((number, at) => values[at] !== valueOf(number));
}

/** Every node has applied what the leader has. */
async function settled(target: TestCluster): Promise<void> {
  await until("all nodes have the same log", async () => {
    const facts = await Promise.all(target.nodes.map(({ index }) => target.status(index)));
    const positions = facts.map((each) => `${each.get("last_index")} ${each.get("applied_index")}`);
    return new Set(positions).size === 1;
  });
}

async function killAll(target: TestCluster): Promise<void> {
  await Promise.all(target.nodes.map(({ index }) => target.end(index, "SIGKILL")));
}

async function startAll(target: TestCluster): Promise<void> {
  for (const { index } of target.nodes) target.spawn(index);
  await Promise.all(target.nodes.map(({ index }) => target.ready(index)));
}

function flip(path: string, offset: number): void {
  const bytes = readFileSync(path);
  bytes[offset] ^= 0x20;
  writeFileSync(path, bytes);
}

/** Where the body of the first record behind an offset begins: what lies between records means nothing. */
function bodyOfARecord(path: string, offset: number): number {
  const header = readFileSync(path).indexOf("FREC", offset);
  if (header < 0) throw new Error(`${path} has no record behind ${offset}`);
  return header + recordHeaderBytes;
}

/** Flips a bit in the value of a write in the log. */
function damageLog(target: TestCluster, node: number, number: number): void {
  const directory = join(target.nodes[node].dataDir, "log");
  for (const name of readdirSync(directory).filter((each) => each.endsWith(".log"))) {
    const offset = readFileSync(join(directory, name)).indexOf(`<value ${number}>`);
    if (offset >= 0) return flip(join(directory, name), offset + 20);
  }
  throw new Error(`write ${number} is not in the log of node ${node}`);
}

function damageSnapshot(target: TestCluster, node: number): void {
  const directory = join(target.nodes[node].dataDir, "snapshots");
  const name = readdirSync(directory).findLast((each) => /^snapshot-\d+-\d+$/.test(each))!;
  flip(join(directory, name), 2000);
}

/** All but the lock, which goes with a process that ends by itself. */
function filesOf(target: TestCluster, node: number): string[] {
  const { dataDir } = target.nodes[node];
  const names = readdirSync(dataDir, { recursive: true, encoding: "utf8" });
  return names.filter((name) => name !== "lock").toSorted();
}

async function snapshotTaken(target: TestCluster, node: number): Promise<void> {
  await until("a snapshot was taken", async () => {
    return Number((await target.info(node, "raft")).get("raft_snapshot_index")) > 0;
  });
}

/** It is whole again: the log is as far as it was, and it may lead. */
async function whole(target: TestCluster, node: number): Promise<void> {
  await until(`node ${node} is whole again`, async () => {
    return (await target.status(node)).get("disk_missing_up_to") === null;
  });
}

describe("one damaged disk of three", () => {
  it("an encrypted one comes back with a record that does not open, and has all acknowledged writes again (S40, R58)", async () => {
    const target = await start(3, ENCRYPTED);
    const leader = await target.leader();
    const node = (leader + 1) % 3;
    await write(target, leader, 1, WRITES);
    await settled(target);
    await target.end(node, "SIGKILL");
    const log = join(target.nodes[node].dataDir, "log");
    const name = readdirSync(log).find((each) => each.endsWith(".log"))!;
    flip(join(log, name), bodyOfARecord(join(log, name), 20_000));
    target.spawn(node);
    await target.ready(node);
    await whole(target, node);
    expect(target.log(node)).toContain("the disk is damaged");
    expect(await missing(target, node, WRITES)).toEqual([]);
  });

  it.each(["a follower", "the old leader"])(
    "%s comes back with a bit flipped in its log, and has all acknowledged writes again (R42, R58)",
    async (who) => {
      const target = await start(3);
      const leader = await target.leader();
      const node = who === "a follower" ? (leader + 1) % 3 : leader;
      const other = (node + 1) % 3;
      await write(target, other, 1, WRITES);
      await settled(target);
      await target.end(node, "SIGKILL");
      await write(target, other, WRITES + 1, 20);
      damageLog(target, node, 150);
      target.spawn(node);
      await target.ready(node);
      expect(target.log(node)).toContain("the disk is damaged");
      expect(target.log(node)).toMatch(/"file":"[^"]+\.log","offsetBytes":\d+/);
      await whole(target, node);
      await until("it says so", () => target.log(node).includes("the damaged disk is whole again"));
      expect(await missing(target, node, WRITES + 20)).toEqual([]);
      expect(filesOf(target, node).some((name) => name.endsWith(".log.damaged-1"))).toBe(true);
      expect(filesOf(target, node)).not.toContain("repair");
      const facts = await target.status(node);
      expect(Number(facts.get("disk_damages"))).toBeGreaterThan(0);
      const audit = await target.call(node, "FERRITE.AUDIT", "RECENT", "200");
      expect(JSON.stringify(audit)).toContain("disk.repaired");
      // It counts again: with another node gone it is needed for every write.
      await target.end(other, "SIGKILL");
      await write(target, node, WRITES + 21, 5);
      expect(await missing(target, node, WRITES + 25)).toEqual([]);
    },
  );

  it("a damaged snapshot is put aside, and the state comes from the others (R42)", async () => {
    const target = await start(3, WITH_SNAPSHOTS);
    const leader = await target.leader();
    const node = (leader + 1) % 3;
    await write(target, leader, 1, WRITES);
    await snapshotTaken(target, node);
    await settled(target);
    await target.end(node, "SIGKILL");
    damageSnapshot(target, node);
    target.spawn(node);
    await target.ready(node);
    await whole(target, node);
    expect(await missing(target, node, WRITES)).toEqual([]);
    expect(filesOf(target, node).some((name) => /snapshot-\d+-\d+\.damaged-1$/.test(name))).toBe(
      true,
    );
  });

  it("is not repaired when repair-damaged-disk is no: the start is refused with file and offset", async () => {
    const target = await start(3);
    const node = ((await target.leader()) + 1) % 3;
    await write(target, node, 1, WRITES);
    await settled(target);
    await target.end(node, "SIGKILL");
    damageLog(target, node, 150);
    const before = filesOf(target, node);
    target.spawn(node, { "repair-damaged-disk": "no" });
    await until("it has ended", () => !target.isRunning(node));
    expect(target.log(node)).toMatch(/ferrite: .*\.log, byte offset \d+/);
    expect(filesOf(target, node)).toEqual(before);
  });

  it.each(DISKS)(
    "on %s goes on as a new node when nobody can say what it has voted for, and takes its own old place (O07, R58)",
    async (_, settings) => {
      const target = await start(3, settings);
      const leader = await target.leader();
      const node = (leader + 1) % 3;
      await target.call(node, "ACL", "SAVE");
      await write(target, leader, 1, WRITES);
      await settled(target);
      const before = (await target.status(node)).get("id");
      await target.end(node, "SIGKILL");
      const { dataDir } = target.nodes[node];
      const log = join(dataDir, "log");
      const last = readdirSync(log).findLast((name) =>
        readFileSync(join(log, name)).some(Boolean),
      )!;
      flip(join(log, last), 3);
      flip(join(dataDir, "votes"), 20);
      flip(join(dataDir, "votes"), 532);
      target.spawn(node);
      await target.ready(node);
      const after = (await target.status(node)).get("id");
      expect(after).not.toBe(before);
      expect(target.log(node)).toContain("goes on under a new id");
      await until("it is a voter in its old place", async () => {
        const members = JSON.stringify(await target.call(leader, "FERRITE.MEMBER", "LIST"));
        return members.includes(`"id","${String(after)}","role","voter"`);
      });
      expect(await missing(target, node, WRITES)).toEqual([]);
      expect(filesOf(target, node)).toContain("votes.damaged-1");
    },
  );
});

describe("two damaged disks of three, in different places", () => {
  it.each([
    ["the old leader is whole", 0],
    ["a follower is whole", 1],
  ])("lose no acknowledged write when %s (R58)", async (_, wholeOne) => {
    const target = await start(3);
    const leader = await target.leader();
    await write(target, leader, 1, WRITES);
    await settled(target);
    await killAll(target);
    const damaged = [0, 1, 2].filter((at) => at !== wholeOne).map((at) => (leader + at) % 3);
    damageLog(target, damaged[0], 60);
    damageLog(target, damaged[1], 240);
    const startedMs = Date.now();
    await startAll(target);
    report(`two damaged of three: all ready after ${Date.now() - startedMs} ms`);
    for (const { index } of target.nodes) {
      await whole(target, index);
      expect(await missing(target, index, WRITES)).toEqual([]);
    }
    await write(target, damaged[0], WRITES + 1, 10);
    await settled(target);
    expect(await missing(target, damaged[1], WRITES + 10)).toEqual([]);
  });
});

describe("a damaged disk of a cluster of one", () => {
  it("is refused with file, offset and what to do, and nothing is changed", async () => {
    const target = await start(1);
    await write(target, 0, 1, WRITES);
    await target.end(0, "SIGKILL");
    damageLog(target, 0, 150);
    const before = filesOf(target, 0);
    target.spawn(0);
    await until("it has ended", () => !target.isRunning(0));
    expect(target.log(0)).toMatch(/ferrite: .*Nothing was changed.*\.log, byte offset \d+/);
    expect(filesOf(target, 0)).toEqual(before);
  });

  it("loses nothing when only a snapshot is damaged and the log still says all of it", async () => {
    const target = await start(1, { ...SETTINGS, "snapshot-log-bytes": "64kb" });
    await write(target, 0, 1, WRITES);
    await snapshotTaken(target, 0);
    await target.end(0, "SIGKILL");
    damageSnapshot(target, 0);
    target.spawn(0);
    await target.ready(0);
    expect(await missing(target, 0, WRITES)).toEqual([]);
    expect(target.log(0)).toContain("nothing that this node has acknowledged is missing");
  });
});
