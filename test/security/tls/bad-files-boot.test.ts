/**
 * Files of certificates that are not good when a node starts: it does not, says which file and what to do, and touches
 * nothing of its data (F85, S33). Afterwards, with good files, everything is there.
 */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BAD_FILES, putGoodPair, type BadFiles } from "./support/bad-files.ts";
import { Lanes } from "./support/lanes.ts";
import { TlsCluster, type Use } from "./tls-cluster.ts";

const NODES = [0, 1, 2];
const SETTINGS: Readonly<Record<Use, string>> = { tls: "tls", peer: "peer-tls" };

/** One start at a time and node. */
const lanes = new Lanes(NODES);

let cluster: TlsCluster;
let digests: readonly string[];

beforeAll(async () => {
  cluster = await TlsCluster.start();
  await cluster.admin(0, "SET", "kept", "value");
  for (const node of NODES) expect(await cluster.base.end(node, "SIGTERM")).toBe(0);
  digests = NODES.map((node) => digestOf(cluster.base.nodes[node].dataDir));
});
afterAll(async () => {
  await cluster?.close();
});

/** Names and contents of everything below a directory. */
function digestOf(directory: string): string {
  const hash = createHash("sha256");
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true });
  for (const entry of entries.toSorted((a, b) => pathOf(a).localeCompare(pathOf(b)))) {
    hash.update(`${pathOf(entry)}\n`);
    if (entry.isFile()) hash.update(readFileSync(pathOf(entry)));
  }
  return hash.digest("hex");
}

function pathOf(entry: { readonly parentPath: string; readonly name: string }): string {
  return join(entry.parentPath, entry.name);
}

const rows = (["tls", "peer"] as const).flatMap((use) =>
  BAD_FILES.filter(({ uses }) => uses?.includes(use) ?? true).map((bad) => ({
    what: bad.what,
    setting: SETTINGS[use],
    use,
    bad,
  })),
);

/** Starts one node and waits for its end. What it has said. */
async function failedStart(
  node: number,
  settings: Readonly<Record<string, string>>,
): Promise<string> {
  const child = cluster.spawn(node, settings);
  let told = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", (bytes: Buffer) => (told += bytes.toString()));
  }
  const code = await new Promise<number | null>((resolve) => {
    child.once("close", (exitCode) => resolve(exitCode));
  });
  expect(code).not.toBe(0);
  expect(code).not.toBe(null);
  return told;
}

async function refusesToStart(node: number, use: Use, bad: BadFiles): Promise<void> {
  const place = cluster.place(node, use);
  try {
    bad.spoil(place);
    const setting = bad.file === "certFile" ? "cert-file" : "key-file";
    const told = await failedStart(
      node,
      bad.hasPassphrase === true
        ? { [`${SETTINGS[use]}-key-passphrase-file`]: place.passphraseFile }
        : {},
    );
    expect(told).toMatch(bad.says);
    expect(told).toContain(place[bad.file]);
    expect(told).toContain(`${SETTINGS[use]}-${setting}`);
    expect(told).not.toContain("    at ");
    expect(digestOf(cluster.base.nodes[node].dataDir)).toBe(digests[node]);
  } finally {
    putGoodPair(place);
  }
}

describe("a node does not start (F85, S33)", () => {
  it.concurrent.each(rows)(
    "with $what for $setting, says so, and leaves its data alone (F85, S33)",
    async ({ use, bad }) => await lanes.use((node) => refusesToStart(node, use, bad)),
  );

  it("with authorities that are none, for clients and for peers (F85, S33)", async () => {
    const path = cluster.write(1, "not-authorities.crt", cluster.room.node("node2").pem);
    for (const setting of ["tls-ca-cert-file", "peer-tls-ca-cert-file"]) {
      const told = await failedStart(1, { [setting]: path });
      expect(told).toContain(path);
      expect(told).toMatch(/is not an authority/);
      expect(digestOf(cluster.base.nodes[1].dataDir)).toBe(digests[1]);
    }
  });

  it("with a revocation list that is none, for clients and for peers (F85, S35)", async () => {
    const path = cluster.write(2, "not-a-list.crl", cluster.room.authority.pem);
    for (const setting of ["tls-crl-file", "peer-tls-crl-file"]) {
      const told = await failedStart(2, { [setting]: path });
      expect(told).toContain(path);
      expect(told).toMatch(/revocation list/);
      expect(digestOf(cluster.base.nodes[2].dataDir)).toBe(digests[2]);
    }
  });

  it("with a TLS port and no certificate, instead of going without TLS (F85)", async () => {
    const told = await failedStart(0, { "tls-cert-file": "", "tls-key-file": "" });
    expect(told).toContain("tls-port");
    expect(told).toContain("tls-cert-file");
    expect(digestOf(cluster.base.nodes[0].dataDir)).toBe(digests[0]);
  });
});

it("with good files all start, show new certificates, and have what was written before (F78)", async () => {
  for (const node of NODES) cluster.spawn(node);
  await Promise.all(NODES.map((node) => cluster.ready(node)));
  const client = cluster.room.client("alice");
  for (const node of NODES) {
    expect(await cluster.attempt(node, client.options, "GET kept\r\n")).toBe("$5");
  }
});
