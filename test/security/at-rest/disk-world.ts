/** Clusters that encrypt what they keep, and looks into their data directories. */
import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { TestCluster, until, type TestClusterOptions } from "../../e2e/harness/cluster.ts";
import type { RespValue } from "../../e2e/harness/resp-client.ts";

export function newKeyText(): string {
  return randomBytes(32).toString("base64");
}

/** Small segments and frequent snapshots, so that a test sees many files. */
const SETTINGS = {
  "log-segment-bytes": "1mb",
  "snapshot-log-bytes": "256kb",
  "password-hash-iterations": "1000",
  "audit-anchor-interval-ms": "1000",
};

export interface AtRestCluster {
  readonly cluster: TestCluster;
  readonly keyFile: string;
  /** Starts all nodes, encrypted unless `more` says otherwise, and waits until they are ready. */
  start(more?: Readonly<Record<string, string>>): Promise<void>;
  stop(): Promise<void>;
}

/** Nothing is started yet. Every node has the same key file. */
export async function prepareCluster(
  nodes: number,
  options: Partial<TestClusterOptions> = {},
): Promise<AtRestCluster> {
  const cluster = await TestCluster.prepare({
    ...options,
    nodes,
    settings: { ...SETTINGS, ...options.settings },
  });
  const keyFile = join(cluster.directory, "kek");
  writeFileSync(keyFile, newKeyText(), { mode: 0o600 });
  const indexes = cluster.nodes.map(({ index }) => index);
  return {
    cluster,
    keyFile,
    start: async (more = encrypted(keyFile)) => {
      for (const index of indexes) cluster.spawn(index, more);
      await Promise.all(indexes.map((index) => cluster.ready(index)));
    },
    stop: async () => {
      await Promise.all(indexes.map((index) => cluster.end(index, "SIGTERM")));
    },
  };
}

export function encrypted(keyFile: string): Record<string, string> {
  return { "at-rest-encryption": "yes", "at-rest-key-file": keyFile };
}

/** Path (from `directory`) and bytes of every file below it. Those that vanish meanwhile are left out. */
export function filesBelow(directory: string): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isFile()) continue;
    try {
      files.set(relative(directory, path), readFileSync(path));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
  }
  return files;
}

/** The files below a directory that hold a text, in the clear or as people encode it. */
export function filesWith(directory: string, text: string): string[] {
  const plain = Buffer.from(text);
  const forms = [plain, Buffer.from(plain.toString("hex")), Buffer.from(text.toUpperCase())];
  return [...filesBelow(directory)]
    .filter(([, bytes]) => forms.some((form) => bytes.includes(form)))
    .map(([path]) => path);
}

/** What a start changed: files that are new, gone or different. The lock comes and goes. */
export function changesOf(before: Map<string, Buffer>, after: Map<string, Buffer>): string[] {
  const paths = new Set([...before.keys(), ...after.keys()]);
  return [...paths].filter((path) => {
    const [old, now] = [before.get(path), after.get(path)];
    return old === undefined || now === undefined || !old.equals(now);
  });
}

/** Starts a node that is not expected to come up. Its exit code and what it said. */
export async function failedStart(
  world: AtRestCluster,
  index: number,
  more: Readonly<Record<string, string>>,
): Promise<{ readonly code: number | null; readonly said: string }> {
  const { cluster } = world;
  const before = cluster.log(index).length;
  const child = cluster.spawn(index, more);
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { code, said: cluster.log(index).slice(before) };
}

/** A reply as text, whatever it is. */
export function textOf(value: RespValue | undefined): string {
  return typeof value === "string" ? value : JSON.stringify(value ?? null);
}

export type AtRestFacts = ReadonlyMap<string, RespValue>;

/** FERRITE.ATREST STATUS of one node. */
export async function atRestStatus(cluster: TestCluster, index: number): Promise<AtRestFacts> {
  const reply = await cluster.call(index, "FERRITE.ATREST", "STATUS");
  if (!Array.isArray(reply)) throw new Error(`FERRITE.ATREST STATUS: ${JSON.stringify(reply)}`);
  const values = reply as readonly RespValue[];
  const facts = new Map<string, RespValue>();
  for (let at = 0; at + 1 < values.length; at += 2) facts.set(textOf(values[at]), values[at + 1]);
  return facts;
}

/** Waits until nothing is left to be rewritten on a node. */
export async function rewritten(cluster: TestCluster, index: number): Promise<void> {
  await until(`node ${index} has rewritten its files`, async () => {
    const facts = await atRestStatus(cluster, index);
    return facts.get("rewriting") === 0;
  });
}

/** Writes keys until the log has rolled and snapshots were taken; each value holds the text. */
export async function fill(
  cluster: TestCluster,
  index: number,
  load: { readonly prefix: string; readonly text: string; readonly count: number },
): Promise<void> {
  const client = await cluster.client(index);
  try {
    const value = `${load.text} `.repeat(64);
    for (let at = 0; at < load.count; at += 50) {
      const batch = Array.from({ length: Math.min(50, load.count - at) }, (_, offset) =>
        client.call("SET", `${load.prefix}:${at + offset}`, value),
      );
      for (const reply of await Promise.all(batch)) {
        if (reply !== "OK") throw new Error(`SET: ${JSON.stringify(reply)}`);
      }
    }
  } finally {
    client.close();
  }
}

/** Names of the node's log segments or snapshots, oldest first. */
export function namesIn(
  cluster: TestCluster,
  index: number,
  folder: "log" | "snapshots",
): string[] {
  const directory = join(cluster.nodes[index].dataDir, folder);
  return readdirSync(directory)
    .filter((name) => !name.endsWith(".tmp") && statSync(join(directory, name)).size > 0)
    .toSorted();
}
