import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { moment, recordFilter } from "../../src/audit/record-filter.ts";
import { mergeByTime, readRecord, recordText } from "../../src/audit/record-view.ts";
import { run } from "../../src/program.ts";
import { PLAIN_STYLE } from "../../src/terminal/style.ts";
import { FakeWorld } from "../fixtures/fake-world.ts";
import { FakeNodes, hashOf, trailLines, type FakeRecord } from "./fake-trails.ts";

const TRAILS = {
  n1: [
    { seconds: 0 },
    { seconds: 10, user: "alice" },
    { seconds: 30, user: "eve", action: "auth.refused", outcome: "failure", reason: "no" },
    { seconds: 50, user: "alice", action: "acl.setuser" },
    { seconds: 70, user: "alice" },
  ],
  n2: [
    { seconds: 5 },
    { seconds: 20, user: "bob" },
    { seconds: 60, user: "bob", action: "acl.deluser" },
  ],
} satisfies Record<string, FakeRecord[]>;

async function audit(
  nodes: FakeNodes,
  ...args: readonly string[]
): Promise<{ code: number; world: FakeWorld; records: { ts: string; node: { name: string } }[] }> {
  const world = new FakeWorld();
  const [command = "", ...rest] = args;
  const code = await run(
    ["audit", command, "--port", String(nodes.port("n1")), "--json", ...rest],
    world,
  );
  return { code, world, records: world.printed.map((line) => JSON.parse(line)) };
}

const seconds = (records: readonly { ts: string }[]): number[] =>
  records.map(({ ts }) => (Date.parse(ts) - Date.UTC(2026, 0, 2)) / 1000);

describe("ferrite audit tail", () => {
  it("shows the newest records of all nodes, by time", async () => {
    const nodes = await FakeNodes.start(TRAILS);
    const { code, records } = await audit(nodes, "tail", "-n", "2");
    expect(code).toBe(0);
    expect(seconds(records)).toEqual([20, 50, 60, 70]);
  });

  it("shows lines for people without --json", async () => {
    const nodes = await FakeNodes.start(TRAILS);
    const world = new FakeWorld();
    await run(["audit", "tail", "-n", "3", "--port", String(nodes.port("n1"))], world);
    expect(world.printed).toContain(
      "2026-01-02 00:00:30.000 n1  auth.refused  user=eve from=10.0.0.9:1 command=auth (no)",
    );
  });

  it("names a node that can not be asked, and fails for it", async () => {
    const nodes = await FakeNodes.start(TRAILS);
    await nodes.stopOne("n2");
    const { code, world, records } = await audit(nodes, "tail");
    expect(code).toBe(1);
    expect(records).toHaveLength(5);
    expect(world.errors).toMatch(/not asked: n2: .*nobody listens there/);
  });

  it("--follow goes on with what comes on any node, until it is interrupted", async () => {
    const nodes = await FakeNodes.start(TRAILS);
    const world = new FakeWorld();
    const args = ["audit", "tail", "--follow", "--json", "--port", String(nodes.port("n1"))];
    const ended = run(args, world);
    await expect.poll(() => nodes.following).toBe(2);
    expect(world.printed).toHaveLength(8);
    nodes.extend("n2", [...TRAILS.n2, { seconds: 80, user: "carol" }]);
    await expect.poll(() => world.printed.length).toBe(9);
    expect(world.printed.at(-1)).toContain('"user":"carol"');
    await expect.poll(() => nodes.following).toBe(2);
    world.fakeProcess.emit("SIGINT");
    expect(await ended).toBe(0);
  });

  it("logs in on every node with the password it was given once", async () => {
    const nodes = await FakeNodes.start(TRAILS);
    nodes.password = "sesame";
    const world = new FakeWorld();
    world.environment = { REDISCLI_AUTH: "sesame" };
    const port = String(nodes.port("n1"));
    expect(await run(["audit", "tail", "--login", "op", "--port", port], world)).toBe(0);
    expect(nodes.asked).toContain("n2 AUTH op sesame");
    const refused = new FakeWorld();
    refused.environment = { REDISCLI_AUTH: "wrong" };
    expect(await run(["audit", "tail", "--login", "op", "--port", port], refused)).toBe(1);
    expect(refused.errors).toContain("the password of op is wrong");
  });
});

describe("ferrite audit search", () => {
  it.each<[string[], number[]]>([
    [[], [0, 5, 10, 20, 30, 50, 60, 70]],
    [
      ["--user", "alice"],
      [10, 50, 70],
    ],
    [
      ["--action", "acl.*"],
      [50, 60],
    ],
    [["--action", "auth.refused"], [30]],
    [["--outcome", "failure"], [30]],
    [["--text", "EVE"], [30]],
    [
      ["--client", "10.0.0.9"],
      [0, 5, 10, 20, 30, 50, 60, 70],
    ],
    [["--client", "10.0.0.8"], []],
    [
      ["--since", "2026-01-02T00:00:30Z"],
      [30, 50, 60, 70],
    ],
    [
      ["--since", "2026-01-02T00:00:20Z", "--until", "2026-01-02T00:01:00Z"],
      [20, 30, 50],
    ],
    [["--user", "alice", "--action", "acl.*"], [50]],
  ])("%j finds what fits on all nodes", async (args, found) => {
    const nodes = await FakeNodes.start(TRAILS);
    const { code, records } = await audit(nodes, "search", ...args);
    expect(seconds(records)).toEqual(found);
    expect(code).toBe(0);
  });

  it("reads only from the moment that is asked for", async () => {
    const records = Array.from({ length: 500 }, (_, at) => ({ seconds: at }));
    const nodes = await FakeNodes.start({ n1: records });
    const { records: found } = await audit(nodes, "search", "--since", "2026-01-02T00:08:15Z");
    expect(seconds(found)).toEqual([495, 496, 497, 498, 499]);
    expect(nodes.asked.length).toBeLessThan(25);
  });

  it("says when there are more than the limit", async () => {
    const nodes = await FakeNodes.start(TRAILS);
    const { world, records } = await audit(nodes, "search", "--limit", "3");
    expect(records).toHaveLength(6);
    expect(world.errors).toContain("n1: there are more than --limit");
  });

  it.each([
    ["--since", "yesterday"],
    ["--since", "2026-01-02T03:04:05"],
    ["--outcome", "maybe"],
    ["--limit", "0"],
  ])("refuses %s %s", async (flag, value) => {
    const world = new FakeWorld();
    expect(await run(["audit", "search", flag, value], world)).toBe(1);
    expect(world.errors).toContain(flag);
  });

  it("takes a time, a day or a time ago", () => {
    const at = moment(() => Date.UTC(2026, 0, 2));
    expect(at("2h")).toBe("2026-01-01T22:00:00.000000000Z");
    expect(at("1d")).toBe("2026-01-01T00:00:00.000000000Z");
    expect(at("2026-01-01")).toBe("2026-01-01T00:00:00.000000000Z");
    expect(at("2026-01-01T02:00:00+01:00")).toBe("2026-01-01T01:00:00.000000000Z");
  });
});

describe("Records from other machines", () => {
  it("drive no terminal and break nothing", () => {
    const [line = ""] = trailLines("n1", [{ seconds: 0, user: "a\u001b[2J", reason: "x\ny" }]);
    const record = readRecord(line)!;
    // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
    expect(recordText(record, PLAIN_STYLE)).not.toMatch(/[\u0000-\u001f]/);
    for (const odd of ["", "x", "null", "[]", "{}", '{"seq":1.5}', '{"seq":1,"node":null}']) {
      const read = readRecord(odd);
      if (read !== null) expect(recordText(read, PLAIN_STYLE)).toBeDefined();
    }
    expect(recordFilter({ user: "x" })(record)).toBe(false);
  });

  it("keep the order of their node when its clock was set back", () => {
    const read = (times: number[]): NonNullable<ReturnType<typeof readRecord>>[] =>
      trailLines(
        "n",
        times.map((at) => ({ seconds: at })),
      ).map((line) => readRecord(line)!);
    const merged = mergeByTime([read([5, 1, 6]), read([2, 4])]);
    expect(merged.map(({ timestamp }) => timestamp.slice(18, 19))).toEqual([
      "2",
      "4",
      "5",
      "1",
      "6",
    ]);
  });
});

describe("ferrite audit verify", () => {
  function trailDirectory(name: string, lines: readonly string[]): string {
    const root = mkdtempSync(join(tmpdir(), "ferrite-verify-"));
    onTestFinished(() => rmSync(root, { recursive: true }));
    const directory = join(root, name);
    mkdirSync(directory);
    const file = join(directory, "audit-0000000000000001.jsonl");
    writeFileSync(file, lines.map((line) => `${line}\n`).join(""));
    return directory;
  }

  async function verify(...args: readonly string[]): Promise<{ code: number; world: FakeWorld }> {
    const world = new FakeWorld();
    return { code: await run(["audit", "verify", ...args], world), world };
  }

  it("a whole trail is well, offline (S51)", async () => {
    const lines = trailLines("n1", TRAILS.n1);
    const { code, world } = await verify(trailDirectory("audit", lines));
    expect([code, world.output]).toEqual([
      0,
      "ok id-n1: 5 records (1 to 5) in 1 files, no anchor given",
    ]);
  });

  it("names the first broken record: file, line, sequence and what is wrong (S51)", async () => {
    const lines = trailLines("n1", TRAILS.n1);
    const directory = trailDirectory("audit", lines.with(2, lines[2].replace("eve", "adm")));
    const { code, world } = await verify(directory);
    expect([code, world.output]).toEqual([
      1,
      `BROKEN ${directory}/audit-0000000000000001.jsonl:3: record 3: the record was changed: it does not have its hash`,
    ]);
  });

  it("holds a trail against an anchor that is given (S51)", async () => {
    const lines = trailLines("n1", TRAILS.n1);
    const anchor = `5:${hashOf(lines[4])}`;
    expect((await verify(trailDirectory("a", lines), "--anchor", anchor)).code).toBe(0);
    const cut = await verify(trailDirectory("b", lines.slice(0, 3)), "--anchor", anchor, "--json");
    expect(cut.code).toBe(1);
    expect(JSON.parse(cut.world.output)).toMatchObject([{ problem: { kind: "cut", sequence: 3 } }]);
  });

  it("asks a node what the cluster has witnessed, of several trails at once (S51)", async () => {
    const nodes = await FakeNodes.start(TRAILS);
    const one = trailDirectory("one", nodes.lines.get("n1")!);
    const two = trailDirectory("two", nodes.lines.get("n2")!);
    const node = ["--node", `127.0.0.1:${nodes.port("n2")}`];
    const good = await verify(one, two, ...node);
    expect([good.code, good.world.printed]).toEqual([
      0,
      [
        "ok id-n1: 5 records (1 to 5) in 1 files, anchor 5 holds",
        "ok id-n2: 3 records (1 to 3) in 1 files, anchor 3 holds",
      ],
    ]);
    const forged = trailDirectory(
      "forged",
      trailLines("n2", TRAILS.n2.with(1, { seconds: 20, user: "eve" })),
    );
    const bad = await verify(forged, ...node);
    expect(bad.code).toBe(1);
    expect(bad.world.output).toContain("the trail was rewritten");
    const stranger = await verify(trailDirectory("x", trailLines("n9", TRAILS.n2)), ...node);
    expect([stranger.code, stranger.world.errors]).toEqual([
      1,
      expect.stringContaining("has witnessed nothing of node id-n9"),
    ]);
  });

  it.each<[string[], string]>([
    [["/nowhere/at/all"], "there is no such file or directory"],
    [["x", "--anchor", "5:abc"], "64 hex digits"],
    [["x", "--node", "nohost"], "host:port"],
    [[], "missing required argument"],
  ])("%j is refused with a reason", async (args, message) => {
    const { code, world } = await verify(...args);
    expect(code).toBe(1);
    expect(world.errors).toContain(message);
  });

  it("an anchor is of one trail", async () => {
    const lines = trailLines("n1", TRAILS.n1);
    const anchor = `5:${hashOf(lines[4])}`;
    const both = [trailDirectory("a", lines), trailDirectory("b", lines)];
    expect((await verify(...both, "--anchor", anchor)).world.errors).toContain("is of one trail");
  });
});
