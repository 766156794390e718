/** Wrong, missing and forgotten keys: a clear refusal, and nothing on disk is touched (S40). */
import { copyFileSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  changesOf,
  encrypted,
  failedStart,
  fill,
  filesBelow,
  namesIn,
  newKeyText,
  prepareCluster,
  rewritten,
  type AtRestCluster,
} from "./disk-world.ts";

const COUNTED = ["identity.json"];

let world: AtRestCluster;
let dataDir: string;

beforeAll(async () => {
  world = await prepareCluster(1);
  await world.start();
  await fill(world.cluster, 0, { prefix: "key", text: "value", count: 1500 });
  dataDir = world.cluster.nodes[0].dataDir;
  await world.stop();
});

afterAll(() => world.cluster.close());

/**
 * A start that fails, and the message it fails with; every byte of the data directory is as before. What is found in the log
 * is found after the start was counted.
 */
async function refusal(
  more: Readonly<Record<string, string>>,
  counted: readonly string[] = [],
): Promise<string> {
  const before = filesBelow(dataDir);
  const { code, said } = await failedStart(world, 0, more);
  expect(code, said).not.toBe(0);
  expect(changesOf(before, filesBelow(dataDir))).toEqual(counted);
  return said;
}

describe("an encrypted data directory", () => {
  it("does not open with another key-encryption key (S40)", async () => {
    const other = join(world.cluster.directory, "other-kek");
    writeFileSync(other, newKeyText(), { mode: 0o600 });
    expect(await refusal(encrypted(other))).toMatch(
      /at-rest\.json can not be opened: the keyring was wrapped with key [0-9a-f]{16}, and at-rest-key-file .*other-kek holds [0-9a-f]{16}/,
    );
  });

  it("does not open without one (S40)", async () => {
    const missing = join(world.cluster.directory, "no-kek");
    expect(await refusal(encrypted(missing))).toMatch(
      /at-rest-key-file .*no-kek can not be read: it does not exist/,
    );
    expect(await refusal({ "at-rest-encryption": "yes" })).toMatch(/needs a key-encryption key/);
  });

  it("is not taken for a plain one (S40)", async () => {
    expect(await refusal({})).toMatch(/at-rest\.json is there.*at-rest-encryption is no/);
  });

  it("does not open without its keyring, with encryption and without (S40)", async () => {
    const keyring = join(dataDir, "at-rest.json");
    renameSync(keyring, `${keyring}.away`);
    try {
      expect(await refusal(encrypted(world.keyFile))).toMatch(
        /at-rest\.json is missing, but .*\.log is encrypted/,
      );
      expect(await refusal({})).toMatch(/is encrypted, but at-rest-encryption is no/);
    } finally {
      renameSync(`${keyring}.away`, keyring);
    }
  });

  it("does not open when a byte of the keyring was changed (S40)", async () => {
    const keyring = join(dataDir, "at-rest.json");
    const whole = readFileSync(keyring, "utf8");
    try {
      writeFileSync(
        keyring,
        whole.replace(/"sealed": "(.)/, (text) => `${text.slice(0, -1)}~`),
      );
      expect(await refusal(encrypted(world.keyFile))).toMatch(/at-rest\.json can not be used/);
      writeFileSync(keyring, whole.replace(/("clusterId": ")./, "$1-"));
      expect(await refusal(encrypted(world.keyFile))).toMatch(/at-rest\.json/);
    } finally {
      writeFileSync(keyring, whole);
    }
  });

  it("notices swapped segments, and an older one in the place of a newer (S40)", async () => {
    const log = join(dataDir, "log");
    const [first, second] = namesIn(world.cluster, 0, "log");
    expect(second).toBeDefined();
    const kept = join(world.cluster.directory, "kept");
    copyFileSync(join(log, second), kept);
    try {
      copyFileSync(join(log, first), join(log, second));
      expect(await refusal(encrypted(world.keyFile), COUNTED)).toMatch(new RegExp(second));
    } finally {
      copyFileSync(kept, join(log, second));
    }
    await world.start();
    expect(await world.cluster.call(0, "DBSIZE")).toBe(1500);
    await world.stop();
  });

  it("takes no plain file any more once all are encrypted, also its own of before (S40)", async () => {
    const once = await prepareCluster(1);
    try {
      await once.start({});
      await fill(once.cluster, 0, { prefix: "key", text: "value", count: 100 });
      await once.stop();
      const [name] = namesIn(once.cluster, 0, "log");
      const path = join(once.cluster.nodes[0].dataDir, "log", name);
      const plain = readFileSync(path);
      await once.start();
      await rewritten(once.cluster, 0);
      await once.stop();
      expect(namesIn(once.cluster, 0, "log")).not.toContain(name);
      writeFileSync(path, plain);
      const { code, said } = await failedStart(once, 0, encrypted(once.keyFile));
      expect(code).not.toBe(0);
      expect(said).toMatch(/not encrypted, and this node takes encrypted files only/);
      rmSync(path);
      await once.start();
      expect(await once.cluster.call(0, "DBSIZE")).toBe(100);
    } finally {
      await once.cluster.close();
    }
  });
});

describe("a new node", () => {
  it("makes nothing when its key-encryption key can not be used", async () => {
    const fresh = await prepareCluster(1);
    try {
      const missing = encrypted(join(fresh.cluster.directory, "no-kek"));
      const { code } = await failedStart(fresh, 0, missing);
      expect(code).not.toBe(0);
      expect([...filesBelow(fresh.cluster.nodes[0].dataDir).keys()]).toEqual([]);
    } finally {
      await fresh.cluster.close();
    }
  });

  it("does not take over the keyring of another", async () => {
    const fresh = await prepareCluster(1);
    try {
      await fresh.start(encrypted(world.keyFile));
      await fresh.stop();
      const theirs = fresh.cluster.nodes[0].dataDir;
      copyFileSync(join(dataDir, "at-rest.json"), join(theirs, "at-rest.json"));
      const { said } = await failedStart(fresh, 0, encrypted(world.keyFile));
      expect(said).toMatch(/at-rest\.json belongs to node .*: it was copied here/);
      rmSync(theirs, { recursive: true });
    } finally {
      await fresh.cluster.close();
    }
  });
});
