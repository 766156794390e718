/** Keys change under load, encryption is switched on for nodes that have data, Vault comes and goes (S40). */
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { until } from "../../e2e/harness/cluster.ts";
import { FakeVault } from "../../../packages/node/test/at-rest/fake-vault.ts";
import {
  atRestStatus,
  encrypted,
  failedStart,
  fill,
  filesBelow,
  filesWith,
  namesIn,
  newKeyText,
  prepareCluster,
  rewritten,
  type AtRestCluster,
  textOf,
} from "./disk-world.ts";

const NODES = [0, 1, 2];
const CANARY = "canary-of-rotation-3c5d";

let world: AtRestCluster | null = null;
let vault: FakeVault | null = null;

afterEach(async () => {
  await world?.cluster.close();
  await vault?.close();
  world = null;
  vault = null;
});

describe("switching encryption on", () => {
  it("rewrites what three nodes have, one node after the other, without a write (S40)", async () => {
    world = await prepareCluster(3);
    const { cluster, keyFile } = world;
    await world.start({});
    await fill(cluster, 0, { prefix: CANARY, text: CANARY, count: 1000 });
    for (const node of NODES) {
      expect(filesWith(cluster.nodes[node].dataDir, CANARY).length).toBeGreaterThan(0);
      await cluster.end(node, "SIGTERM");
      cluster.spawn(node, encrypted(keyFile));
      await cluster.ready(node);
      await rewritten(cluster, node);
      expect(filesWith(cluster.nodes[node].dataDir, CANARY)).toEqual([]);
      expect(textOf(await cluster.call(node, "GET", `${CANARY}:999`))).toContain(CANARY);
    }
    await world.stop();
    await world.start();
    for (const node of NODES) expect(await cluster.call(node, "DBSIZE")).toBe(1000);
  });

  it("goes on where a kill has interrupted it (S40)", async () => {
    world = await prepareCluster(1);
    const { cluster, keyFile } = world;
    await world.start({});
    await fill(cluster, 0, { prefix: CANARY, text: CANARY, count: 2000 });
    await world.stop();
    for (const pauseMs of [0, 60, 150, 300]) {
      cluster.spawn(0, encrypted(keyFile));
      const keyring = join(cluster.nodes[0].dataDir, "at-rest.json");
      await until("a keyring", () => filesBelow(cluster.nodes[0].dataDir).has("at-rest.json"));
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
      await cluster.end(0, "SIGKILL");
      expect(readFileSync(keyring, "utf8")).toContain('"format": 1');
    }
    await world.start();
    await rewritten(cluster, 0);
    expect(filesWith(cluster.nodes[0].dataDir, CANARY)).toEqual([]);
    expect(await cluster.call(0, "DBSIZE")).toBe(2000);
  });
});

describe("rotation under load", () => {
  it("changes node keys and key-encryption keys on all nodes, and no write fails (S40)", async () => {
    world = await prepareCluster(3);
    const { cluster, keyFile } = world;
    await world.start();
    const rounds = { areOver: false };
    let writes = 0;
    const load = (async () => {
      while (!rounds.areOver) {
        await fill(cluster, 0, { prefix: `load:${writes}`, text: CANARY, count: 100 });
        writes += 100;
      }
    })();
    try {
      const old = newKeyText();
      for (const round of [2, 3]) {
        for (const node of NODES) {
          expect(await cluster.call(node, "FERRITE.ATREST", "ROTATE")).toBe("OK");
        }
        const text = `round-${round}:${newKeyText()}\nearlier:${old}\n`;
        writeFileSync(keyFile, text, { mode: 0o600 });
        for (const node of NODES) {
          expect(await cluster.call(node, "FERRITE.ATREST", "REWRAP")).toBe("OK");
          await rewritten(cluster, node);
          const facts = await atRestStatus(cluster, node);
          expect(facts.get("node_keys")).toEqual([round]);
          expect(facts.get("outdated_files")).toBe(0);
          expect(textOf(facts.get("key_encryption_key"))).toMatch(`round-${round}:`);
        }
      }
    } finally {
      rounds.areOver = true;
      await load;
    }
    expect(writes).toBeGreaterThan(0);
    await Promise.all(NODES.map((node) => cluster.end(node, "SIGKILL")));
    await world.start();
    for (const node of NODES) {
      expect(await cluster.call(node, "DBSIZE")).toBe(writes);
      expect(filesWith(cluster.nodes[node].dataDir, CANARY)).toEqual([]);
      const trail = [...filesBelow(join(cluster.nodes[node].dataDir, "audit")).values()].join("");
      for (const action of ["created", "rotate", "rewrap", "settled"]) {
        expect(trail).toContain(`"at-rest.${action}"`);
      }
    }
  });

  it("leaves the old keyring useless for files of the new key: a replay does not open (S40)", async () => {
    world = await prepareCluster(1);
    const { cluster, keyFile } = world;
    await world.start();
    await fill(cluster, 0, { prefix: "key", text: "value", count: 1000 });
    const keyring = join(cluster.nodes[0].dataDir, "at-rest.json");
    const replayed = join(cluster.nodes[0].dataDir, "log", namesIn(cluster, 0, "log").at(-1)!);
    copyFileSync(keyring, join(cluster.directory, "old-keyring"));
    copyFileSync(replayed, join(cluster.directory, "old-segment"));
    expect(await cluster.call(0, "FERRITE.ATREST", "ROTATE")).toBe("OK");
    await rewritten(cluster, 0);
    await world.stop();

    const current = readFileSync(keyring);
    copyFileSync(join(cluster.directory, "old-keyring"), keyring);
    expect((await failedStart(world, 0, encrypted(keyFile))).said).toMatch(
      /encrypted with node key 2, which this node does not have/,
    );
    writeFileSync(keyring, current);
    // A file as it was before does not open with the keys of now.
    const kept = readFileSync(replayed);
    copyFileSync(join(cluster.directory, "old-segment"), replayed);
    expect((await failedStart(world, 0, encrypted(keyFile))).said).toMatch(
      /encrypted with node key 1, which this node does not have/,
    );
    writeFileSync(replayed, kept);
    await world.start();
    expect(await cluster.call(0, "DBSIZE")).toBe(1000);
  });
});

describe("a key-encryption key in the environment", () => {
  it("opens the node, and is shown nowhere", async () => {
    const key = newKeyText();
    world = await prepareCluster(1, { environment: { FERRITE_AT_REST_KEY: key } });
    const { cluster } = world;
    await world.start({ "at-rest-encryption": "yes" });
    expect((await atRestStatus(cluster, 0)).get("source")).toBe("environment");
    expect(await cluster.call(0, "CONFIG", "GET", "at-rest-key")).toEqual([
      "at-rest-key",
      "(redacted)",
    ]);
    await world.stop();
    expect(filesWith(cluster.directory, key)).toEqual([]);
    expect(filesWith(cluster.directory, Buffer.from(key, "base64").toString("hex"))).toEqual([]);
  });
});

describe("a key-encryption key in Vault", () => {
  it("opens nodes that wait for it, is rotated, and can be moved while nodes run (S40)", async () => {
    vault = await FakeVault.start();
    world = await prepareCluster(1);
    const { cluster, keyFile } = world;
    const tokenFile = join(cluster.directory, "token");
    writeFileSync(tokenFile, vault.token, { mode: 0o600 });
    const inVault = {
      "at-rest-vault-address": vault.address,
      "at-rest-vault-transit-key": vault.key,
      "at-rest-vault-token-file": tokenFile,
    };
    const settings = { "at-rest-encryption": "yes", ...inVault };

    vault.isSealed = true;
    cluster.spawn(0, settings);
    await until("the node waits", () =>
      cluster.log(0).includes("waits for the key-encryption key"),
    );
    expect([...filesBelow(cluster.nodes[0].dataDir).keys()]).toEqual(["lock"]);
    vault.isSealed = false;
    await cluster.ready(0);
    await fill(cluster, 0, { prefix: "key", text: CANARY, count: 200 });
    const first = textOf((await atRestStatus(cluster, 0)).get("key_encryption_key"));
    expect(first).toBe("transit/ferrite:v1");

    // Vault is gone for a while: what runs goes on, new node keys too; the keyring can not be wrapped anew.
    vault.isSealed = true;
    expect(await cluster.call(0, "FERRITE.ATREST", "ROTATE")).toBe("OK");
    await rewritten(cluster, 0);
    expect(await cluster.call(0, "FERRITE.ATREST", "REWRAP")).toMatchObject({
      text: expect.stringMatching(/^ERR Vault is sealed/) as string,
    });
    vault.isSealed = false;
    vault.rotate();
    process.kill(cluster.pid(0), "SIGHUP");
    await until("the new version is used", async () => {
      return (await atRestStatus(cluster, 0)).get("key_encryption_key") === "transit/ferrite:v2";
    });
    vault.minDecryptionVersion = 2;
    await world.stop();
    await world.start(settings);

    vault.isSealed = true;
    await world.stop();
    const late = { ...settings, "at-rest-vault-wait-ms": "300" };
    const { said } = await failedStart(world, 0, late);
    expect(said).toMatch(/Vault is sealed.*start it again when Vault answers/);
    vault.isSealed = false;
    await world.start(settings);

    const move = Object.entries({ ...inVault, "at-rest-key-file": keyFile });
    const words = move.flatMap(([name, value]) => [name, name === "at-rest-key-file" ? value : ""]);
    expect(await cluster.call(0, "CONFIG", "SET", ...words)).toBe("OK");
    await until("the key was moved", async () => {
      return (await atRestStatus(cluster, 0)).get("source") === "file";
    });
    await world.stop();
    await vault.close();
    vault = null;
    await world.start();
    expect(await cluster.call(0, "DBSIZE")).toBe(200);
    expect(filesWith(cluster.nodes[0].dataDir, readFileSync(tokenFile, "utf8"))).toEqual([]);
    expect(cluster.log(0)).not.toContain(readFileSync(tokenFile, "utf8"));
  });
});
