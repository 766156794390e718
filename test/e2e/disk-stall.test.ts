/** A leader whose disk stops answering, in a real process: heartbeats go on, the log's thread does not (R50). */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TestCluster, report, until } from "./harness/cluster.ts";
import { HungDisk } from "./harness/hung-disk.ts";
import { Load } from "./load/load.ts";

const ELECTION_TIMEOUT_MS = 1000;
const ROUNDS = 3;
/** Acknowledged writes that a connection must see before, while and after the disk hangs. */
const WARM_WRITES = 64;

interface LogLine {
  /** Unix ms. */
  readonly time: number;
  readonly msg: string;
  readonly role?: string;
  readonly term?: number;
}

let cluster: TestCluster;
const flags = mkdtempSync(join(tmpdir(), "ferrite-hung-disk-"));
const disks = new Map<string, HungDisk>();
beforeAll(async () => {
  cluster = await TestCluster.start({
    settings: { "election-timeout-ms": String(ELECTION_TIMEOUT_MS) },
    environmentOf: (name) => diskOf(name).environment,
  });
});
afterAll(async () => {
  await cluster.close();
  rmSync(flags, { recursive: true });
});

function diskOf(name: string): HungDisk {
  const disk = disks.get(name) ?? new HungDisk(join(flags, name));
  disks.set(name, disk);
  return disk;
}

/** What a node has logged since `fromMs`. */
function logLines(index: number, fromMs: number): LogLine[] {
  const lines = cluster.log(index).split("\n").slice(0, -1);
  return lines
    .map((line) => JSON.parse(line) as Omit<LogLine, "time"> & { readonly time: string })
    .map((line) => ({ ...line, time: Date.parse(line.time) }))
    .filter(({ time }) => time >= fromMs);
}

/** When a node logged `message` first since `fromMs`, Unix ms; waits for it. */
async function loggedAtMs(
  index: number,
  fromMs: number,
  isIt: (line: LogLine) => boolean,
): Promise<number> {
  let found: LogLine | undefined;
  await until("the line in the log", () => {
    found = logLines(index, fromMs).find(isIt);
    return found !== undefined;
  });
  return found!.time;
}

async function termOf(index: number): Promise<number> {
  return Number((await cluster.status(index)).get("term"));
}

describe("a leader whose log worker hangs", () => {
  it("is replaced within two election timeouts of what its node calls a stall; clients of the others see no error (R50)", async () => {
    for (let round = 1; round <= ROUNDS; round++) {
      const old = await cluster.leader();
      const oldTerm = await termOf(old);
      const others = cluster.nodes.map(({ index }) => index).filter((index) => index !== old);
      const load = new Load(cluster, { name: `stall:${round}`, nodes: others });
      await load.start();
      await load.acknowledged(WARM_WRITES);
      load.mark();
      const hungAtMs = Date.now();
      diskOf(cluster.nodes[old].name).hang();
      try {
        const stallAtMs = await loggedAtMs(old, hungAtMs, ({ msg }) =>
          msg.startsWith("the disk does not answer"),
        );
        let heir = -1;
        await until("another node leads", () => {
          heir = others.find((index) => leaderLine(index, hungAtMs, oldTerm) !== undefined) ?? -1;
          return heir !== -1;
        });
        const leadsAtMs = leaderLine(heir, hungAtMs, oldTerm)!.time;
        report(
          `round ${round}: told as a stall ${stallAtMs - hungAtMs} ms after the disk stopped; another node led ` +
            `${leadsAtMs - stallAtMs} ms later; election timeout ${ELECTION_TIMEOUT_MS} ms`,
        );
        expect(leadsAtMs - stallAtMs).toBeLessThan(2 * ELECTION_TIMEOUT_MS);
        await load.acknowledged(WARM_WRITES);
        report(
          `         longest pause of a client on another node: ${Math.round(load.longestGapMs())} ms`,
        );

        const facts = await cluster.status(old);
        expect(facts.get("role")).toBe("follower");
        expect(Number(facts.get("disk_stalled_ms"))).toBeGreaterThan(ELECTION_TIMEOUT_MS);
        const ready = await fetch(`http://127.0.0.1:${cluster.nodes[old].httpPort}/readyz`);
        expect(ready.status).toBe(503);
        expect(await ready.text()).toMatch(
          /\[-\]disk failed: the disk has not answered for \d+ ms/,
        );
        const metrics = await fetch(`http://127.0.0.1:${cluster.nodes[old].httpPort}/metrics`);
        expect(await metrics.text()).toMatch(/^ferrite_disk_stalled_seconds [1-9]/m);
      } finally {
        diskOf(cluster.nodes[old].name).mend();
      }
      await cluster.ready(old);
      await loggedAtMs(old, hungAtMs, ({ msg }) => msg === "the disk answers again");
      load.mark();
      await load.acknowledged(WARM_WRITES);
      await load.stop();
      expect(load.count("refused") + load.count("unknown")).toBe(0);
      const facts = await cluster.status(old);
      expect(facts.get("role")).toBe("follower");
      expect(facts.get("disk_stalled_ms")).toBeNull();
      expect(facts.get("disk_stalls")).toBe(1);
      for (const { index } of cluster.nodes) expect(await load.violations(index)).toEqual([]);
      // Its count begins anew for the next round, whoever leads then.
      await cluster.end(old, "SIGTERM");
      cluster.spawn(old);
      await cluster.ready(old);
    }
  });
});

/** The line with which a node said that it leads in a term after `term`. */
function leaderLine(index: number, fromMs: number, term: number): LogLine | undefined {
  return logLines(index, fromMs).find(
    (line) => line.msg === "role changed" && line.role === "leader" && Number(line.term) > term,
  );
}
