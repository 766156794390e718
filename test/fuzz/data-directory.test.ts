/**
 * The data directory of a real node, damaged between two starts: the node either refuses to start, with the name of a
 * file and every byte as it was, or comes up with a prefix of what it had acknowledged. A node alone is the hard case: no
 * other node could give back what it has lost.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { report, TestCluster, until } from "../e2e/harness/cluster.ts";
import { damageFiles, hasLostBytes, readFiles, writeFiles } from "./file-damage.ts";
import type { Damage, Files } from "./file-damage.ts";
import { announceSeed, roundName, roundRandom, rounds } from "./fuzz-seed.ts";

const ROUNDS = rounds(40);
const WRITES = 400;
const VALUE_BYTES = 3000;
const READY_TIMEOUT_MS = 20_000;
const POLL_MS = 20;

/** A value that tells its key, so that a wrong one is seen. */
function valueOf(number: number): string {
  return `value ${number} `.padEnd(VALUE_BYTES, String(number));
}

const home = mkdtempSync(join(tmpdir(), "ferrite-fuzz-data-"));
const dataDir = join(home, "data");

/** What a start of the node came to. */
type Outcome =
  | { readonly kind: "refused"; readonly log: string }
  /** How many of the writes are there; -1 when they are not a prefix, or one is wrong. */
  | { readonly kind: "started"; readonly count: number };

describe("A node whose data directory was damaged", () => {
  let cluster: TestCluster;
  let whole: Files;

  beforeAll(async () => {
    announceSeed("data directory");
    cluster = await TestCluster.prepare({
      nodes: 1,
      dataDir: () => dataDir,
      settings: { "log-segment-bytes": "1mb", "snapshot-log-bytes": "512kb" },
    });
    cluster.spawn(0);
    await cluster.ready(0);
    const client = await cluster.client(0);
    for (let at = 1; at <= WRITES; at += 8) {
      const sets = Array.from({ length: 8 }, (_, ahead) => [
        "SET",
        key(at + ahead),
        valueOf(at + ahead),
      ]);
      expect(new Set(await Promise.all(client.pipeline(sets)))).toEqual(new Set(["OK"]));
    }
    client.close();
    await until("a snapshot was taken", async () => {
      return Number((await cluster.info(0, "raft")).get("raft_snapshot_index")) > 0;
    });
    await cluster.end(0, "SIGKILL");
    const files = [...readFiles(dataDir)];
    whole = new Map(files.filter(([path]) => path !== "lock"));
  });
  afterAll(async () => {
    await cluster.close();
    rmSync(home, { recursive: true, force: true });
  });

  function key(number: number): string {
    return `key:${String(number).padStart(6, "0")}`;
  }

  async function start(): Promise<Outcome> {
    const before = cluster.log(0).length;
    cluster.spawn(0);
    const { httpPort } = cluster.nodes[0];
    const deadlineMs = Date.now() + READY_TIMEOUT_MS;
    while (Date.now() < deadlineMs) {
      if (!cluster.isRunning(0)) return { kind: "refused", log: cluster.log(0).slice(before) };
      const answer = await fetch(`http://127.0.0.1:${httpPort}/readyz`).catch(() => null);
      if (answer?.status === 200) break;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    const count = await countWrites();
    await cluster.end(0, "SIGKILL");
    return { kind: "started", count };
  }

  async function countWrites(): Promise<number> {
    const client = await cluster.client(0);
    const keys = Array.from({ length: WRITES }, (_, at) => key(at + 1));
    const values = (await client.call("MGET", ...keys)) as readonly (string | null)[];
    const size = await client.call("DBSIZE");
    client.close();
    const count = values.filter((value) => value !== null).length;
    const isPrefix = values.every((value, at) => value === (at < count ? valueOf(at + 1) : null));
    return isPrefix && size === count ? count : -1;
  }

  /** What is wrong with how the node met the damage, or null. */
  function judge(damage: Damage, outcome: Outcome): string | null {
    if (outcome.kind === "refused") {
      const named = [...whole.keys()].some((name) => outcome.log.includes(name));
      if (!named && !outcome.log.includes(dataDir)) return `no file is named: ${outcome.log}`;
      const changed = changedFiles(damage.files);
      return changed.length === 0 ? null : `refused, but changed ${changed.join(", ")}`;
    }
    if (outcome.count < 0) return "wrong data";
    if (outcome.count === WRITES) return null;
    return hasLostBytes(whole, damage.files) || isEmptied(damage.files)
      ? null
      : `${WRITES - outcome.count} writes were cut, nothing lost`;
  }

  /**
   * The node writes its identity anew and takes its lock before it looks at its data, and removes a snapshot that was
   * being written when it was killed.
   */
  function changedFiles(files: Files): string[] {
    const after = readFiles(dataDir);
    const isData = (path: string): boolean => /^(log|snapshots)\/|genesis/.test(path);
    return [...new Set([...files.keys(), ...after.keys()])].filter(
      (path) => isData(path) && !path.endsWith(".tmp") && !isSame(after.get(path), files.get(path)),
    );
  }

  /** Who removes everything has a new node. */
  function isEmptied(files: Files): boolean {
    const ours = /^identity\.json$|^genesis\.json$|\.log$|\/snapshot-\d+-\d+$/;
    return ![...files.keys()].some((path) => ours.test(path));
  }

  test("has a log and a snapshot, and undamaged gives all back", async () => {
    const names = [...whole.keys()];
    expect(names.filter((name) => name.endsWith(".log")).length).toBeGreaterThan(0);
    expect(names.filter((name) => name.includes("snapshot-")).length).toBeGreaterThan(0);
    expect(await start()).toEqual({ kind: "started", count: WRITES });
  });

  test("refuses with the file's name, or has a prefix of what was acknowledged", async () => {
    const outcomes = { refused: 0, whole: 0, prefix: 0 };
    for (let round = 1; round <= ROUNDS; round++) {
      const damage = damageFiles(whole, roundRandom(round));
      writeFiles(dataDir, damage.files);
      const outcome = await start();
      expect(judge(damage, outcome), `${roundName(round)}: ${damage.what}`).toBeNull();
      if (outcome.kind === "refused") outcomes.refused++;
      else if (outcome.count === WRITES) outcomes.whole++;
      else outcomes.prefix++;
    }
    report(`${ROUNDS} starts: ${JSON.stringify(outcomes)}`);
    expect(outcomes.refused).toBeGreaterThan(ROUNDS / 5);
  });

  test("refuses without its whole log, or without knowing who it is", async () => {
    const without = (gone: RegExp): Damage => ({
      what: `removed ${gone}`,
      files: new Map([...whole].filter(([path]) => !gone.test(path))),
    });
    for (const damage of [
      without(/\.log$/),
      without(/\.log$|snapshot-/),
      without(/^identity/),
      without(/^identity|^genesis/),
      without(/^identity|\.log$|snapshot-/),
    ]) {
      writeFiles(dataDir, damage.files);
      const outcome = await start();
      expect(outcome.kind, damage.what).toBe("refused");
      expect(judge(damage, outcome), damage.what).toBeNull();
    }
  });

  test("canary: a node that gives something else, or less without a reason, is found", () => {
    const damage = { what: "nothing", files: whole };
    expect(judge(damage, { kind: "started", count: -1 })).toBe("wrong data");
    expect(judge(damage, { kind: "started", count: WRITES - 1 })).toMatch(/^1 writes were cut/);
    expect(judge(damage, { kind: "refused", log: "it does not work" })).toMatch(
      /^no file is named/,
    );
    const [name] = [...whole.keys()].filter((one) => one.endsWith(".log"));
    writeFiles(dataDir, new Map([...whole].filter(([one]) => one !== name)));
    expect(judge(damage, { kind: "refused", log: name })).toMatch(/^refused, but changed/);
  });
});

function isSame(one: Buffer | undefined, other: Buffer | undefined): boolean {
  return one !== undefined && other !== undefined && one.equals(other);
}
