import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { NodeFileSystem } from "@ferrite/storage";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { loadGenesis, persistGenesis } from "../../src/start/genesis-file.ts";

const IDENTITY = { id: "0b0e7f3e-6c3b-4b52-9a44-2f6f6f0b8a11", name: "node1" };
const GENESIS = {
  clusterId: "55a6af33-1e33-4510-8198-964bc1232fa4",
  members: [{ ...IDENTITY, peerAddress: "127.0.0.1:1", clientAddress: "127.0.0.1:2" }],
};

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "ferrite-genesis-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function load(): ReturnType<typeof loadGenesis> {
  return loadGenesis(new NodeFileSystem(), directory, IDENTITY);
}

describe("genesis.json", () => {
  it("is not there before a cluster was formed, and is what was formed afterwards", () => {
    expect(load()).toBeNull();
    persistGenesis(new NodeFileSystem(), directory, GENESIS);
    expect(load()).toEqual(GENESIS);
  });

  it.each([
    "log/00000000000000000001.log",
    "snapshots/snapshot-00000000000000000007-00000000000000000001",
  ])("is missed when %s is there: no other cluster is formed over it (O06)", (part) => {
    const path = join(directory, part);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, "");
    expect(load).toThrow(`${directory}/genesis.json is missing`);
    expect(existsSync(join(directory, "genesis.json"))).toBe(false);
  });
});
