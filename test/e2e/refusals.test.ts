/** A node that can not start rightly says why in one message, ends with a status that is not 0, and deletes nothing. */
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureDevelopmentCertificates } from "@ferrite/cli";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { FERRITE, TestCluster } from "./harness/cluster.ts";
import { runProgram, type ProgramResult } from "./harness/program.ts";

let directory: string;
const clusters: TestCluster[] = [];
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "ferrite-refusals-"));
});
afterEach(async () => {
  await Promise.all(clusters.splice(0).map((cluster) => cluster.close()));
});
afterAll(() => {
  rmSync(directory, { recursive: true, force: true });
});

async function oneNode(settings: Readonly<Record<string, string>> = {}): Promise<TestCluster> {
  const cluster = await TestCluster.prepare({ nodes: 1, settings });
  clusters.push(cluster);
  return cluster;
}

async function startedNode(settings: Readonly<Record<string, string>> = {}): Promise<TestCluster> {
  const cluster = await oneNode(settings);
  cluster.spawn(0);
  await cluster.ready(0);
  return cluster;
}

/** Runs `ferrite start` with a node's settings to its end. */
function start(
  cluster: TestCluster,
  index: number,
  more: Readonly<Record<string, string>> = {},
): Promise<ProgramResult> {
  return runProgram(process.execPath, [FERRITE, "start", ...cluster.flags(index, more)], {
    directory,
  });
}

/** It ended by itself, with one sentence for people and no stack. */
function expectRefusal(result: ProgramResult, ...patterns: readonly RegExp[]): void {
  expect(result.exitCode, result.output + result.errorOutput).toBe(1);
  const lines = result.errorOutput.trim().split("\n");
  expect(lines, result.errorOutput).toHaveLength(1);
  expect(lines[0]).toMatch(/^ferrite: /);
  for (const pattern of patterns) expect(lines[0]).toMatch(pattern);
}

/** Every file below a directory with its bytes. */
function contents(below: string): Map<string, string> {
  const files = new Map<string, string>();
  for (const entry of readdirSync(below, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    files.set(path, readFileSync(path, "latin1"));
  }
  return files;
}

async function ended(cluster: TestCluster, index = 0): Promise<void> {
  await cluster.end(index, "SIGKILL");
}

describe("a node with wrong settings", () => {
  it("refuses an unknown setting and suggests the right one", async () => {
    const cluster = await oneNode();
    expectRefusal(
      await start(cluster, 0, { "log-segment-byte": "1mb" }),
      /log-segment-byte/,
      /log-segment-bytes/,
    );
  });

  it("refuses a value that is not legal and names setting and value", async () => {
    const cluster = await oneNode();
    expectRefusal(await start(cluster, 0, { maxclients: "many" }), /maxclients/, /many/);
  });

  it("refuses peers without certificates and names every setting that is missing", async () => {
    const cluster = await oneNode();
    expectRefusal(
      await start(cluster, 0, { peers: "node2=127.0.0.1:7" }),
      /mutual TLS/,
      /peer-tls-cert-file, peer-tls-key-file, peer-tls-ca-cert-file/,
      /ferrite certs/,
    );
  });
});

describe("a node with wrong certificates", () => {
  it("refuses a certificate that another authority has signed, and names file and setting", async () => {
    const cluster = await TestCluster.prepare();
    clusters.push(cluster);
    const foreign = await ensureDevelopmentCertificates({
      directory: join(directory, "foreign-authority"),
      nodeNames: ["node1"],
    });
    const { caFile } = foreign.get("node1")!;
    const result = await start(cluster, 0, { "peer-tls-ca-cert-file": caFile });
    expectRefusal(result, /node1\.crt/, /leads to no authority/, /peer-tls-ca-cert-file/);
  });

  it("refuses the certificate of another name, and names both", async () => {
    const cluster = await TestCluster.prepare();
    clusters.push(cluster);
    const flags = cluster.flags(1).join(" ");
    const certFile = /peer-tls-cert-file=(\S+)/.exec(flags)![1];
    const keyFile = /peer-tls-key-file=(\S+)/.exec(flags)![1];
    const result = await start(cluster, 0, {
      "peer-tls-cert-file": certFile,
      "peer-tls-key-file": keyFile,
    });
    expectRefusal(result, /node2\.crt/, /is not this node's, it covers: node2/, /"node1"/);
  });

  it("refuses a certificate file that is not there, and names it", async () => {
    const cluster = await TestCluster.prepare();
    clusters.push(cluster);
    const result = await start(cluster, 0, { "peer-tls-key-file": join(directory, "nowhere.key") });
    expectRefusal(result, /peer-tls-key-file/, /nowhere\.key/);
  });
});

describe("a node whose ports are taken", () => {
  it.each(["port", "http-port", "peer-port"])("names the %s", async (setting) => {
    const blocker = createServer();
    await new Promise<void>((resolve) => blocker.listen(0, "127.0.0.1", resolve));
    try {
      const taken = String((blocker.address() as { port: number }).port);
      const cluster = await TestCluster.prepare({ nodes: setting === "peer-port" ? 3 : 1 });
      clusters.push(cluster);
      const result = await start(cluster, 0, { [setting]: taken });
      expectRefusal(
        result,
        new RegExp(`127\\.0\\.0\\.1:${taken}`),
        /in use|taken|already/,
        new RegExp(`set (another )?${setting}\\b`),
      );
    } finally {
      await new Promise((resolve) => blocker.close(resolve));
    }
  });
});

describe("a node's data directory", () => {
  it("is refused while a living node uses it, and that node goes on", async () => {
    const cluster = await startedNode();
    const pid = cluster.pid(0);
    const result = await start(cluster, 0, { port: "0", "http-port": "no" });
    expectRefusal(result, /data directory/, new RegExp(`process ${pid}\\b`));
    expect(await cluster.call(0, "SET", "still", "here")).toBe("OK");
  });

  it("is taken over from a node that was killed", async () => {
    const cluster = await startedNode();
    await cluster.call(0, "SET", "a", "1");
    await ended(cluster);
    cluster.spawn(0);
    await cluster.ready(0);
    expect(await cluster.call(0, "GET", "a")).toBe("1");
  });

  it("is refused to a node of another name", async () => {
    const cluster = await startedNode();
    await ended(cluster);
    expectRefusal(
      await start(cluster, 0, { "node-name": "somebody" }),
      /identity\.json/,
      /"node1"/,
      /"somebody"/,
    );
  });

  it("is refused when the log in it belongs to another cluster, and nothing is deleted", async () => {
    const first = await startedNode();
    const second = await startedNode();
    await ended(first);
    await ended(second);
    const log = join(second.nodes[0].dataDir, "log");
    rmSync(log, { recursive: true });
    cpSync(join(first.nodes[0].dataDir, "log"), log, { recursive: true });
    const before = contents(log);
    expectRefusal(await start(second, 0), /belongs to( another)? cluster/, /\.log/);
    expect(contents(log)).toEqual(before);
  });

  it("is refused when it was made as a cluster of one and peers are set now", async () => {
    const alone = await startedNode();
    await alone.call(0, "SET", "a", "1");
    await ended(alone);
    const trio = await TestCluster.prepare();
    clusters.push(trio);
    const result = await start(trio, 0, { dir: alone.nodes[0].dataDir });
    expectRefusal(result, /holds a cluster of one/, /node2, node3/);
  });

  it("is refused when it was made as one of three and no peers are set now", async () => {
    const trio = await TestCluster.start();
    clusters.push(trio);
    await ended(trio);
    const alone = await oneNode();
    const result = await start(alone, 0, { dir: trio.nodes[0].dataDir });
    expectRefusal(result, /cluster of node1, node2, node3/, /no peers are set/);
  });

  it("is refused when a file of it is not readable, and names the file", async () => {
    const cluster = await startedNode();
    await ended(cluster);
    const path = join(cluster.nodes[0].dataDir, "genesis.json");
    writeFileSync(path, readFileSync(path).subarray(0, 40));
    expectRefusal(await start(cluster, 0), /genesis\.json/, /not JSON/);
    const fileInPlace = join(directory, "a-file");
    writeFileSync(fileInPlace, "");
    expectRefusal(await start(cluster, 0, { dir: fileInPlace }), /a-file/);
  });
});

describe("a node with a damaged log", () => {
  it("names file and offset of a byte that changed in an older record, and deletes nothing", async () => {
    const cluster = await startedNode({ "log-segment-bytes": "1mb" });
    for (let at = 0; at < 200; at++) await cluster.call(0, "SET", `k${at}`, `value-${at}-value`);
    await ended(cluster);
    const log = join(cluster.nodes[0].dataDir, "log");
    const [path, offset] = placeOf(log, "value-100-value");
    const bytes = readFileSync(path);
    bytes[offset + 3] = bytes[offset + 3] ^ 1;
    writeFileSync(path, bytes);
    const before = contents(log);
    const result = await start(cluster, 0);
    expectRefusal(result, /byte offset \d+/, /Nothing was changed/);
    expect(result.errorOutput).toContain(path);
    const named = Number(/byte offset (\d+)/.exec(result.errorOutput)![1]);
    // The record that holds the byte begins at the offset.
    expect(named).toBeLessThanOrEqual(offset);
    expect(named).toBeGreaterThan(offset - 512);
    expect(contents(log)).toEqual(before);

    bytes[offset + 3] = bytes[offset + 3] ^ 1;
    writeFileSync(path, bytes);
    cluster.spawn(0);
    await cluster.ready(0);
    expect(await cluster.call(0, "GET", "k199")).toBe("value-199-value");
  });

  it("cuts a torn last record off and keeps what was acknowledged before it", async () => {
    const cluster = await startedNode({ "log-segment-bytes": "1mb" });
    for (let at = 0; at < 20; at++) await cluster.call(0, "SET", `k${at}`, `value-${at}-value`);
    await ended(cluster);
    const [path, offset] = placeOf(join(cluster.nodes[0].dataDir, "log"), "value-19-value");
    const bytes = readFileSync(path);
    // As after a power cut in the middle of the last write: its end never reached the disk.
    bytes.fill(0, offset + 4);
    writeFileSync(path, bytes);
    cluster.spawn(0);
    await cluster.ready(0);
    expect(cluster.log(0)).toContain("cut an unfinished last write off the log");
    expect(await cluster.call(0, "GET", "k18")).toBe("value-18-value");
    expect(await cluster.call(0, "GET", "k19")).toBeNull();
  });
});

describe("a cluster of one", () => {
  it("needs no settings but free ports: it starts, writes, and survives kill -9", async () => {
    const home = join(directory, "no-settings");
    mkdirSync(home);
    const cluster = await oneNode();
    const { port, httpPort } = cluster.nodes[0];
    const words = ["--port", String(port), "--http-port", String(httpPort)];
    for (let round = 0; round < 2; round++) {
      cluster.spawnWith(0, words, home);
      await cluster.ready(0);
      expect(await cluster.call(0, "INCR", "starts")).toBe(round + 1);
      await cluster.end(0, "SIGKILL");
    }
    expect(readdirSync(join(home, "ferrite-data"))).toContain("identity.json");
  });
});

/** File and offset at which a text stands in the log. */
function placeOf(log: string, text: string): [path: string, offset: number] {
  for (const name of readdirSync(log)) {
    const path = join(log, name);
    const offset = readFileSync(path).indexOf(text);
    if (offset >= 0) return [path, offset];
  }
  throw new Error(`${text} is in no file of ${log}`);
}
