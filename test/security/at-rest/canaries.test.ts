/** What clients store is in no file of any node, also not for a moment (S40). */
import { copyFileSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { until } from "../../e2e/harness/cluster.ts";
import {
  atRestStatus,
  encrypted,
  failedStart,
  fill,
  filesWith,
  namesIn,
  prepareCluster,
  type AtRestCluster,
  textOf,
} from "./disk-world.ts";

const NODES = [0, 1, 2];
const KEY = "canary-key-5e1f";
const VALUE = "canary-value-77ab";
const USER = "canary-user-91cd";
const PATTERN = "canary-pattern-08aa";

let world: AtRestCluster;

beforeAll(async () => {
  world = await prepareCluster(3, {
    settings: { "acl-auto-save": "yes", "audit-keys": "hash", "log-cache-bytes": "1mb" },
  });
  await world.start();
});

afterAll(() => world.cluster.close());

describe("three nodes that encrypt what they keep", () => {
  it("hold no key, value, user or pattern in any file, while they write and snapshot (S40)", async () => {
    const { cluster } = world;
    await cluster.call(0, "ACL", "SETUSER", USER, "on", ">pw-of-nobody", `~${PATTERN}:*`, "+get");
    const found: string[] = [];
    const load = { isWriting: true };
    const looking = (async () => {
      while (load.isWriting) {
        // Segments that are being filled and snapshots that are being written are looked at, too.
        for (const word of [KEY, VALUE]) found.push(...filesWith(cluster.directory, word));
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    })();
    try {
      await fill(cluster, 0, { prefix: KEY, text: VALUE, count: 3000 });
    } finally {
      load.isWriting = false;
      await looking;
    }
    for (const node of NODES) {
      expect(await cluster.call(node, "ACL", "SAVE")).toBe("OK");
      await until(
        "a snapshot",
        async () => (await cluster.status(node)).get("snapshot_index") !== 0,
      );
    }
    for (const word of [KEY, VALUE]) expect(filesWith(cluster.directory, word)).toEqual([]);
    expect(found).toEqual([]);
    // Who may do what is told by the audit trail, which is there to be read; it has no keys and no values.
    for (const word of [USER, PATTERN]) {
      const places = filesWith(cluster.directory, word);
      expect(
        places.filter((path) => !/\/audit\/|\.log$/.test(path) || /\/log\//.test(path)),
      ).toEqual([]);
    }
  });

  it("say so in FERRITE.ATREST STATUS, FERRITE.STATUS, INFO and metrics", async () => {
    const { cluster } = world;
    for (const node of NODES) {
      const facts = await atRestStatus(cluster, node);
      expect(facts.get("enabled")).toBe(1);
      expect(facts.get("source")).toBe("file");
      expect(facts.get("plain_files")).toBe(0);
      expect(facts.get("outdated_files")).toBe(0);
      expect(facts.get("encrypted_files")).toBeGreaterThan(2);
      expect(facts.get("node_keys")).toEqual([1]);
      expect((await cluster.status(node)).get("at_rest")).toBe("encrypted");
      const info = await cluster.info(node, "persistence");
      expect(info.get("at_rest_encryption")).toBe("1");
      expect(info.get("at_rest_plain_bytes")).toBe("0");
      const { httpPort } = cluster.nodes[node];
      const metrics = await (await fetch(`http://127.0.0.1:${httpPort}/metrics`)).text();
      expect(metrics).toContain("\nferrite_at_rest_encryption 1\n");
      expect(metrics).toContain('\nferrite_at_rest_bytes{state="plain"} 0\n');
      expect(metrics).toContain("\nferrite_at_rest_key_usable 1\n");
    }
  });

  it("give a node that fell behind a snapshot, which it encrypts with keys of its own (S40)", async () => {
    const { cluster } = world;
    await cluster.end(2, "SIGKILL");
    // More than the log that is kept for nodes that lag behind.
    await fill(cluster, 0, { prefix: `${KEY}:more`, text: VALUE, count: 3000 });
    cluster.spawn(2, encrypted(world.keyFile));
    await cluster.ready(2);
    await until("the node has caught up", async () => (await cluster.call(2, "DBSIZE")) === 6000);
    expect(cluster.log(2)).toContain("installed a snapshot");
    for (const word of [KEY, VALUE]) expect(filesWith(cluster.directory, word)).toEqual([]);
    expect((await atRestStatus(cluster, 2)).get("plain_files")).toBe(0);
  });

  it("come back with all of it after being killed", async () => {
    const { cluster } = world;
    await Promise.all(NODES.map((node) => cluster.end(node, "SIGKILL")));
    await world.start();
    for (const node of NODES) {
      expect(textOf(await cluster.call(node, "GET", `${KEY}:2999`))).toContain(VALUE);
      expect(textOf(await cluster.call(node, "ACL", "LIST"))).toContain(PATTERN);
    }
  });

  it("do not read each other's files, though they share the key-encryption key (S40)", async () => {
    const { cluster, keyFile } = world;
    await world.stop();
    const theirs = namesIn(cluster, 0, "log").at(-1)!;
    const ours = namesIn(cluster, 1, "log").at(-1)!;
    const path = join(cluster.nodes[1].dataDir, "log", ours);
    const kept = readFileSync(path);
    // Under the name and number that the file has on the other node, in case they are not the same.
    copyFileSync(
      join(cluster.nodes[0].dataDir, "log", theirs),
      join(cluster.nodes[1].dataDir, "log", theirs),
    );
    const { code, said } = await failedStart(world, 1, encrypted(keyFile));
    expect(code).not.toBe(0);
    expect(said).toMatch(/made for another node|is another one/);
    if (theirs !== ours) rmSync(join(cluster.nodes[1].dataDir, "log", theirs));
    writeFileSync(path, kept);
    await world.start();
    expect(await cluster.call(1, "DBSIZE")).toBe(6000);
  });
});
