import { readFileSync } from "node:fs";
import { describe, expect, it, vi } from "vitest";
import { KEY_WATCH_MS } from "../../src/at-rest/key-watch.ts";
import type { KeySource } from "../../src/at-rest/key-source.ts";
import { AtRestError } from "../../src/at-rest/errors.ts";
import { newSource, ServiceWorld } from "./disk-world.ts";

const LONG_MS = 60_000;

function brokenSource(message: string): KeySource {
  const fail = (): Promise<never> => Promise.reject(new AtRestError("VAULT_REFUSED", message));
  return { kind: "vault", place: "Vault", currentKeyId: fail, wrap: fail, unwrap: fail };
}

describe("switching encryption on for a node that has data", () => {
  it("renews what is plain, and refuses plain files once none is left, durably (S40)", async () => {
    const world = await ServiceWorld.create(true);
    world.disk.add("/data/log/1", null);
    world.disk.add("/data/snapshots/1", null);
    world.attach();
    expect(world.service.status()).toMatchObject({
      isRewriting: true,
      plain: { files: 2, bytes: 200 },
      encrypted: { files: 0 },
    });
    expect((await world.stored()).acceptsPlainFiles).toBe(true);
    await vi.advanceTimersByTimeAsync(LONG_MS);
    expect(world.disk.calls).toEqual([
      "useKeys 1",
      "roll",
      "renew /data/log/1 /data/snapshots/1",
      "useKeys 1",
    ]);
    expect(world.service.status()).toMatchObject({ isRewriting: false, plain: { files: 0 } });
    expect(world.service.keys().acceptsPlainFiles).toBe(false);
    expect(world.disk.keys?.acceptsPlainFiles).toBe(false);
    expect((await world.stored()).acceptsPlainFiles).toBe(false);
    expect(world.actions).toEqual(["at-rest.created success", "at-rest.settled success"]);
  });

  it("goes on after a crash where it was", async () => {
    const world = await ServiceWorld.create(true);
    world.disk.add("/data/log/1", null);
    await world.restart();
    world.attach();
    await vi.advanceTimersByTimeAsync(LONG_MS);
    expect((await world.stored()).acceptsPlainFiles).toBe(false);
    expect(world.actions).toEqual(["at-rest.settled success"]);
  });

  it("says why it does not get on, and gets on when it can", async () => {
    const world = await ServiceWorld.create(true);
    world.attach();
    world.disk.failure = new Error("the disk is gone");
    await vi.advanceTimersByTimeAsync(LONG_MS);
    expect(world.service.status()).toMatchObject({
      failure: "the disk is gone",
      isRewriting: true,
    });
    const told = world.logged.filter((message) => message.includes("not rewritten"));
    expect(told).toHaveLength(1);
    world.disk.failure = null;
    await vi.advanceTimersByTimeAsync(LONG_MS);
    expect(world.service.status()).toMatchObject({ failure: null, isRewriting: false });
  });
});

describe("a new node key", () => {
  it("is in the keyring before files are made with it, and the older one until none needs it (S40)", async () => {
    const world = await ServiceWorld.create();
    world.disk.add("/data/log/1", 1);
    world.attach();
    world.disk.isBusy = true;
    expect(await world.service.rotate(null)).toBeNull();
    expect((await world.stored()).keys.map(({ id }) => id)).toEqual([2, 1]);
    await vi.advanceTimersByTimeAsync(LONG_MS);
    expect(world.disk.calls).toEqual(["useKeys 2 1", "roll", "rewrap /data/log/1"]);
    // A snapshot that began under the old key is still being written.
    expect(world.service.status()).toMatchObject({ nodeKeyIds: [2, 1], isRewriting: true });
    world.disk.isBusy = false;
    await vi.advanceTimersByTimeAsync(LONG_MS);
    expect(world.service.status()).toMatchObject({ nodeKeyIds: [2], isRewriting: false });
    expect((await world.stored()).keys.map(({ id }) => id)).toEqual([2]);
    expect(world.disk.calls.at(-1)).toBe("useKeys 2");
    expect(world.actions.slice(1)).toEqual(["at-rest.rotate success", "at-rest.settled success"]);
  });

  it("may come while files still follow the one before", async () => {
    const world = await ServiceWorld.create();
    world.disk.add("/data/log/1", 1);
    world.attach();
    await world.service.rotate(null);
    await world.service.rotate(null);
    await vi.advanceTimersByTimeAsync(LONG_MS);
    expect(world.service.status().nodeKeyIds).toEqual([3]);
    expect(world.disk.files[0].nodeKeyIds).toEqual([3]);
  });

  it("needs no key-encryption key: a Vault that is down keeps nobody from it", async () => {
    const world = await ServiceWorld.create();
    world.attach();
    const { source } = world;
    world.source = brokenSource("down");
    expect(await world.service.rotate(null)).toBeNull();
    await vi.advanceTimersByTimeAsync(LONG_MS);
    world.source = source;
    expect((await world.stored()).keys.map(({ id }) => id)).toEqual([2]);
  });

  it("is refused, and told, when there are too many that files may need", async () => {
    const world = await ServiceWorld.create();
    world.attach();
    world.disk.isBusy = true;
    for (let count = 1; count < 16; count += 1) expect(await world.service.rotate(null)).toBeNull();
    expect(await world.service.rotate(null)).toMatch(/files have to be rewritten first/);
    expect(world.actions.at(-1)).toBe("at-rest.rotate failure");
    expect((await world.stored()).keys).toHaveLength(16);
  });
});

describe("a new key-encryption key", () => {
  it("wraps the keyring, and no file is touched (S40)", async () => {
    const world = await ServiceWorld.create();
    world.disk.add("/data/log/1", 1);
    world.attach();
    const before = world.service.status().keyEncryptionKeyId;
    world.source = newSource();
    expect(await world.service.rewrap(null)).toBeNull();
    expect(world.service.status()).toMatchObject({ rewraps: 1, isRewriting: false });
    expect(world.service.status().keyEncryptionKeyId).not.toBe(before);
    expect((await world.stored()).keys.map(({ id }) => id)).toEqual([1]);
    expect(world.disk.calls).toEqual([]);
    expect(world.events.at(-1)).toMatchObject({ action: "at-rest.rewrap", before: before! });
  });

  it("that does not work leaves all as it was, with an alarm", async () => {
    const world = await ServiceWorld.create();
    world.attach();
    const bytes = readFileSync(world.path);
    world.source = brokenSource("Vault refuses");
    expect(await world.service.rewrap(null)).toBe("Vault refuses");
    expect(readFileSync(world.path)).toEqual(bytes);
    expect(world.service.status()).toMatchObject({ rewraps: 0, rewrapFailures: 1 });
    expect(world.events.at(-1)).toMatchObject({
      action: "at-rest.rewrap",
      outcome: "failure",
      severity: "alert",
      reason: "Vault refuses",
    });
  });
});

describe("the key-encryption key of a running node", () => {
  it("is looked at from time to time, and another one is taken up (S40)", async () => {
    const world = await ServiceWorld.create();
    world.attach();
    world.source = newSource();
    await vi.advanceTimersByTimeAsync(KEY_WATCH_MS);
    expect(world.service.status()).toMatchObject({ rewraps: 1, keyFailure: null });
    expect(world.service.status().keyEncryptionKeyId).toBe(await world.source.currentKeyId());
    await vi.advanceTimersByTimeAsync(KEY_WATCH_MS);
    expect(world.service.status().rewraps).toBe(1);
  });

  it("that is gone is told once, while the node runs on, and once when it is back", async () => {
    const world = await ServiceWorld.create();
    world.attach();
    const { source } = world;
    world.source = brokenSource("it does not exist");
    await vi.advanceTimersByTimeAsync(3 * KEY_WATCH_MS);
    expect(world.service.status().keyFailure).toBe("it does not exist");
    expect(world.logged.filter((message) => /would not start again/.test(message))).toHaveLength(1);
    world.source = source;
    await vi.advanceTimersByTimeAsync(KEY_WATCH_MS);
    expect(world.service.status()).toMatchObject({ keyFailure: null, rewraps: 0 });
    expect(world.logged.at(-1)).toMatch(/can be used again/);
  });

  it("is taken up at once when a signal asks", async () => {
    const world = await ServiceWorld.create();
    world.attach();
    world.source = newSource();
    await world.service.lookAtKey();
    expect(world.service.status().rewraps).toBe(1);
  });
});
