/**
 * What happens on any node is found from every one of them, each node's chain is witnessed by the others, and the files
 * of a node prove themselves when it is stopped: a changed byte is named (S50, S51, F94).
 */
import { cpSync, readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FERRITE, TestCluster, report, until } from "../../e2e/harness/cluster.ts";
import { runProgram, type ProgramResult } from "../../e2e/harness/program.ts";
import { RespError, type RespValue } from "../../e2e/harness/resp-client.ts";

const NODES = [0, 1, 2];
const ANCHOR_INTERVAL_MS = 1000;

interface AuditRecord {
  readonly seq: number;
  readonly node: { readonly id: string; readonly name: string };
  readonly action: string;
  readonly outcome: string;
  readonly user: string | null;
  readonly before: unknown;
  readonly after: unknown;
}

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await TestCluster.start({
    settings: {
      "password-hash-iterations": "1000",
      "audit-anchor-interval-ms": String(ANCHOR_INTERVAL_MS),
    },
  });
});
afterAll(async () => {
  await cluster?.close();
});

function ferrite(...words: readonly string[]): Promise<ProgramResult> {
  return runProgram(process.execPath, [FERRITE, ...words], { directory: cluster.directory });
}

async function search(node: number, ...words: readonly string[]): Promise<AuditRecord[]> {
  const port = String(cluster.nodes[node].port);
  const result = await ferrite("audit", "search", "--port", port, "--json", ...words);
  expect(result.errorOutput).toBe("");
  expect(result.exitCode).toBe(0);
  return result.output
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as AuditRecord);
}

/** What FERRITE.AUDIT STATUS says, and the sequence that the cluster has witnessed of each node. */
async function auditStatus(node: number): Promise<{
  readonly nodeId: string;
  readonly sequence: number;
  readonly anchors: ReadonlyMap<string, number>;
}> {
  const facts = factsOf(await cluster.call(node, "FERRITE.AUDIT", "STATUS"));
  const anchors = new Map<string, number>();
  for (const anchor of facts.get("anchors") as readonly RespValue[]) {
    const each = factsOf(anchor);
    anchors.set(textOf(each.get("node_id")), Number(each.get("sequence")));
  }
  return { nodeId: textOf(facts.get("node_id")), sequence: Number(facts.get("sequence")), anchors };
}

function factsOf(reply: RespValue): ReadonlyMap<string, RespValue> {
  if (!Array.isArray(reply)) throw new Error(`not facts: ${JSON.stringify(reply)}`);
  const words = reply as readonly RespValue[];
  const facts = new Map<string, RespValue>();
  for (let at = 0; at + 1 < words.length; at += 2) facts.set(textOf(words[at]), words[at + 1]);
  return facts;
}

function textOf(value: RespValue | undefined): string {
  if (typeof value !== "string") throw new Error(`not a text: ${JSON.stringify(value)}`);
  return value;
}

function trailOf(node: number): string {
  return join(cluster.nodes[node].dataDir, "audit");
}

/** A copy that a test may spoil. */
function copyOfTrail(
  node: number,
  name: string,
): { readonly directory: string; readonly file: string } {
  const directory = join(cluster.directory, name);
  cpSync(trailOf(node), directory, { recursive: true });
  const files = readdirSync(directory).filter((each) => each.endsWith(".jsonl"));
  return { directory, file: join(directory, files.sort().at(-1)!) };
}

describe("the trail of a cluster", () => {
  it("is found from any node: logins, denials, users and settings of all of them, with who did it (S50, F87, F94)", async () => {
    await cluster.call(
      0,
      "ACL",
      "SETUSER",
      "alice",
      "on",
      ">alice-password",
      "~*",
      "+get",
      "+auth",
    );
    await cluster.call(1, "AUTH", "ghost", "wrong");
    const alice = await cluster.client(2);
    expect(await alice.call("AUTH", "alice", "alice-password")).toBe("OK");
    expect(await alice.call("DEL", "a")).toBeInstanceOf(RespError);
    alice.close();
    await cluster.call(1, "CONFIG", "SET", "slowlog-max-len", "64");
    await cluster.call(2, "ACL", "DELUSER", "alice");

    for (const node of NODES) {
      const records = await search(node);
      const found = (action: string): AuditRecord[] =>
        records.filter((each) => each.action === action);
      expect(new Set(found("node.started").map((each) => each.node.name))).toEqual(
        new Set(["node1", "node2", "node3"]),
      );
      expect(found("acl.setuser")).toMatchObject([
        { node: { name: "node1" }, user: "default", before: null, outcome: "success" },
      ]);
      expect(JSON.stringify(found("acl.setuser")[0].after)).toContain("alice");
      expect(found("acl.deluser")).toMatchObject([
        { node: { name: "node3" }, user: "default", after: null },
      ]);
      expect(found("auth.refused")).toMatchObject([
        { node: { name: "node2" }, user: "ghost", outcome: "failure" },
      ]);
      expect(found("auth.accepted")).toMatchObject([{ node: { name: "node3" }, user: "alice" }]);
      expect(found("denied.command")).toMatchObject([{ node: { name: "node3" }, user: "alice" }]);
      expect(found("config.set")).toMatchObject([{ node: { name: "node2" }, user: "default" }]);
      expect(JSON.stringify(records)).not.toContain("alice-password");
    }
    const failures = await search(0, "--outcome", "failure", "--user", "ghost");
    expect(failures.map((each) => each.action)).toEqual(["auth.refused"]);
    const tail = await ferrite("audit", "tail", "--port", String(cluster.nodes[1].port));
    expect(tail.exitCode).toBe(0);
    for (const name of ["node1", "node2", "node3"]) expect(tail.output).toContain(name);
  });

  it("is witnessed: every node knows an anchor of every other's chain, and the same (S51)", async () => {
    await until("all nodes know all heads", async () => {
      const statuses = await Promise.all(NODES.map(auditStatus));
      const ids = statuses.map(({ nodeId }) => nodeId);
      return statuses.every(({ anchors }) => ids.every((id) => (anchors.get(id) ?? 0) > 0));
    });
  });

  it("says which node it could not ask", async () => {
    await cluster.end(2, "SIGKILL");
    const result = await ferrite(
      "audit",
      "search",
      "--port",
      String(cluster.nodes[0].port),
      "--action",
      "node.started",
    );
    expect(result.exitCode).toBe(1);
    expect(result.errorOutput).toContain("node3");
    expect(result.output).toContain("node1");
    cluster.spawn(2);
    await cluster.ready(2);
  });
});

describe("the files of a node that is stopped", () => {
  let witness: readonly string[];
  beforeAll(async () => {
    // Everything up to the stop has been witnessed, so that a cut is noticed.
    await until("node3's chain is witnessed", async () => {
      const [own, other] = await Promise.all([auditStatus(2), auditStatus(0)]);
      return (other.anchors.get(own.nodeId) ?? 0) >= own.sequence - 1;
    });
    await cluster.end(2, "SIGTERM");
    witness = ["--node", `127.0.0.1:${cluster.nodes[0].port}`];
  });

  it("verify, also against what the cluster has witnessed, after a kill and a stop (S51)", async () => {
    const result = await ferrite("audit", "verify", trailOf(2), ...witness);
    expect(result.errorOutput).toBe("");
    expect(result.output).toMatch(/^ok .* anchor \d+ holds/);
    expect(result.exitCode).toBe(0);
    report(result.output.trim());
  });

  it("do not when one byte was changed, and the record is named (S51)", async () => {
    const { directory, file } = copyOfTrail(2, "changed");
    const lines = readFileSync(file, "utf8").split("\n");
    const at = Math.floor(lines.length / 2);
    const { seq } = JSON.parse(lines[at]) as AuditRecord;
    lines[at] = lines[at].replace('"ts":"2', '"ts":"3');
    writeFileSync(file, lines.join("\n"));
    const result = await ferrite("audit", "verify", directory);
    expect(result.exitCode).toBe(1);
    expect(result.output).toContain(`:${at + 1}: record ${seq}: `);
    expect(result.output).toMatch(/^BROKEN .*changed/);
  });

  it("do not when a record was taken out (S51)", async () => {
    const { directory, file } = copyOfTrail(2, "taken-out");
    const lines = readFileSync(file, "utf8").split("\n");
    lines.splice(Math.floor(lines.length / 2), 1);
    writeFileSync(file, lines.join("\n"));
    const result = await ferrite("audit", "verify", directory);
    expect(result.exitCode).toBe(1);
    expect(result.output).toMatch(/^BROKEN .*missing/);
  });

  it("do not when their end was cut off, which only the cluster can tell (S51)", async () => {
    const { directory, file } = copyOfTrail(2, "cut");
    const bytes = readFileSync(file);
    const half = bytes.indexOf("\n", Math.floor(bytes.length / 2)) + 1;
    truncateSync(file, half);
    const alone = await ferrite("audit", "verify", directory);
    expect(alone.exitCode).toBe(0);
    const witnessed = await ferrite("audit", "verify", directory, ...witness);
    expect(witnessed.exitCode).toBe(1);
    expect(witnessed.output).toMatch(/^BROKEN .*ends at/);
  });

  it("that were changed while it was stopped are noticed by the node itself when it starts (S51)", async () => {
    const files = readdirSync(trailOf(2)).filter((name) => name.endsWith(".jsonl"));
    const file = join(trailOf(2), files.sort().at(-1)!);
    const bytes = readFileSync(file);
    truncateSync(file, bytes.indexOf("\n", Math.floor(bytes.length / 2)) + 1);
    cluster.spawn(2);
    await cluster.ready(2);
    await until("the mismatch is in the trail", async () => {
      const records = await search(0, "--category", "audit");
      return records.some(
        (each) => each.action === "audit.anchor.mismatch" && each.node.name === "node3",
      );
    });
  });
});
