import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { NodeFileSystem } from "@ferrite/storage";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  checkPeersFit,
  checkRecoveredFits,
  loadGenesis,
  persistGenesis,
} from "../../src/start/genesis-file.ts";

const IDENTITY = { id: "0b0e7f3e-6c3b-4b52-9a44-2f6f6f0b8a11", name: "node1" };
const GENESIS = {
  clusterId: "55a6af33-1e33-4510-8198-964bc1232fa4",
  members: [{ ...IDENTITY, peerAddress: "127.0.0.1:1", clientAddress: "127.0.0.1:2" }],
};

const JOINED = "7c9e6679-7425-40de-944b-e07fc1f90ae7";
const RENEWED = "9b2c3e1a-1f7d-4c55-8a8e-5d5f0c1b2a3d";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "ferrite-genesis-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function load(): ReturnType<typeof loadGenesis> {
  return loadGenesis(new NodeFileSystem(), directory, { ...IDENTITY, formerIds: [] });
}

function loadAs(id: string, formerIds: readonly string[] = []): ReturnType<typeof loadGenesis> {
  return loadGenesis(new NodeFileSystem(), directory, { id, name: "node4", formerIds });
}

describe("genesis.json", () => {
  it("is not there before a cluster was formed, and is what was formed afterwards", () => {
    expect(load()).toBeNull();
    persistGenesis(new NodeFileSystem(), directory, GENESIS, IDENTITY);
    expect(load()).toEqual(GENESIS);
  });

  it("of a node that joined later does not list it, and says whose it is (O07)", () => {
    persistGenesis(new NodeFileSystem(), directory, GENESIS, { id: JOINED, name: "node4" });
    expect(loadAs(JOINED)).toEqual(GENESIS);
    // A copy that is put beside another node's data is noticed, also by a member that it lists.
    expect(load).toThrow(/is not the file of this node .* copied from another node/);
    expect(() => loadAs(RENEWED)).toThrow(/copied from another node/);
    expect(loadAs(RENEWED, [JOINED])).toEqual(GENESIS);
  });

  it("of an earlier version, which listed every node, is understood, and is not for others", () => {
    writeFileSync(join(directory, "genesis.json"), JSON.stringify({ format: 1, ...GENESIS }));
    expect(load()).toEqual(GENESIS);
    expect(() => loadAs(JOINED)).toThrow(/copied from another node/);
  });

  it("of a cluster with others needs peers; one that was founded alone does not", () => {
    const alone = { dataDir: directory, peers: [] };
    expect(() => checkPeersFit(GENESIS, IDENTITY, alone)).not.toThrow();
    expect(() => checkPeersFit(GENESIS, { id: JOINED, name: "node4" }, alone)).toThrow(
      /the cluster of node1, but no peers are set/,
    );
  });

  it("of a node that is alone by its log does not fit peers, and with others needs certificates", () => {
    const peers = [{ name: "node2" }];
    const check = (isAlone: boolean, names: typeof peers, hasPeerCertificates: boolean) => () =>
      checkRecoveredFits(isAlone, { dataDir: directory, peers: names, hasPeerCertificates });
    expect(check(true, peers, true)).toThrow(/holds a cluster of one, but peers names node2/);
    expect(check(false, [], false)).toThrow(/no certificates for the links/);
    for (const fits of [
      check(true, [], false),
      check(false, peers, true),
      check(false, [], true),
    ]) {
      expect(fits).not.toThrow();
    }
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
