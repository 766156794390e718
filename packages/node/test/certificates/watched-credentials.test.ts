import { X509Certificate } from "node:crypto";
import { describe, expect, it } from "vitest";
import {
  CHANGE_SETTLES_MS,
  EXPIRY_CHECK_MS,
  HALF_WRITTEN_PAUSES_MS,
} from "../../src/certificates/limits.ts";
import type { CredentialChange } from "../../src/certificates/live-credentials.ts";
import type { ManagedCredentials } from "../../src/certificates/watched-credentials.ts";
import { DAY_MS, makeAuthority, makeNode, type Made } from "./certificate-maker.ts";
import { CredentialWorld, NODE_NAME } from "./credential-world.ts";

const [FIRST_PAUSE_MS = 0] = HALF_WRITTEN_PAUSES_MS;

function serialOf(credentials: ManagedCredentials): bigint {
  return BigInt(`0x${credentials.current().certificate.serialNumber}`);
}

function nextChange(credentials: ManagedCredentials): Promise<CredentialChange> {
  return new Promise((resolve) => {
    const end = credentials.onChange((_now, change) => {
      end();
      resolve(change);
    });
  });
}

/** A pair whose two files are written one after the other, as by Vault's agent. */
function rotated(world: CredentialWorld): Made {
  return makeNode(NODE_NAME, world.authority);
}

describe("Certificates that change while the node runs (S33)", () => {
  it("are taken when a directory says that something happened, and all are told once", async () => {
    const world = new CredentialWorld();
    const credentials = await world.open();
    const made = rotated(world);
    world.writePair(made);
    const change = nextChange(credentials);
    world.noticeChange();
    world.noticeChange();
    world.clock.advance(CHANGE_SETTLES_MS);
    expect(await change).toEqual({ identity: true, trust: false, revocations: false });
    expect(serialOf(credentials)).toBe(made.serial);
    expect(credentials.health()).toMatchObject({ generation: 2, refused: null });
    expect(world.eventsOf("reloaded")).toMatchObject([{ cause: "file", use: "peers" }]);
  });

  it("are taken at the interval when nobody noticed, again and again", async () => {
    const world = new CredentialWorld();
    const credentials = await world.open();
    for (const _round of [1, 2]) {
      const made = rotated(world);
      world.writePair(made);
      const change = nextChange(credentials);
      await world.clock.untilWaiting(60_000);
      world.clock.advance(60_000);
      await change;
      expect(serialOf(credentials)).toBe(made.serial);
    }
    expect(world.eventsOf("reloaded").map(({ cause }) => cause)).toEqual(["interval", "interval"]);
  });

  it("are the same when only the files are new: contents count, not their times", async () => {
    const world = new CredentialWorld();
    const made = rotated(world);
    world.writePair(made);
    const credentials = await world.open();
    const before = credentials.current();
    world.writePair(made);
    expect(await credentials.reload("signal")).toEqual({ result: "unchanged" });
    world.write("node.crt", `with a comment\n${made.pem}\n\n`);
    expect(await credentials.reload("signal")).toEqual({ result: "unchanged" });
    expect(credentials.current()).toBe(before);
    expect(credentials.health().reloads).toEqual({ changed: 0, unchanged: 2, refused: 0 });
    expect(world.events).toEqual([]);
  });

  it("are waited for while only one of the two files is new", async () => {
    const world = new CredentialWorld();
    const credentials = await world.open();
    const before = serialOf(credentials);
    const made = rotated(world);
    world.write("node.crt", made.pem);
    const outcome = credentials.reload("file");
    await world.clock.untilWaiting(FIRST_PAUSE_MS);
    expect(serialOf(credentials)).toBe(before);
    expect(credentials.health().refused).toBeNull();
    world.write("node.key", made.keyPem);
    world.clock.advance(FIRST_PAUSE_MS);
    expect(await outcome).toMatchObject({ result: "changed" });
    expect(serialOf(credentials)).toBe(made.serial);
    expect(world.eventsOf("refused")).toEqual([]);
  });

  it("are good again as soon as the files are, new ones or the old ones", async () => {
    const world = new CredentialWorld();
    const credentials = await world.open();
    const expired = makeNode(NODE_NAME, world.authority, { untilMs: Date.now() - 1000 });
    const good = rotated(world);
    world.writePair(good);
    await credentials.reload("signal");
    world.writePair(expired);
    expect(await credentials.reload("signal")).toMatchObject({ result: "refused" });
    expect(credentials.health().refused).toMatchObject({ sinceMs: world.clock.nowMs() });
    world.writePair(good);
    expect(await credentials.reload("signal")).toEqual({ result: "unchanged" });
    expect(credentials.health().refused).toBeNull();
  });

  it("raise the alarm again for another reason, and keep the time of the first", async () => {
    const world = new CredentialWorld();
    const credentials = await world.open();
    world.writePair(makeNode(NODE_NAME, world.authority, { untilMs: Date.now() - 1000 }));
    await credentials.reload("signal");
    const sinceMs = credentials.health().refused?.sinceMs;
    world.clock.advance(5000);
    world.writePair(makeNode("n2", world.authority));
    await credentials.reload("signal");
    expect(world.eventsOf("refused")).toHaveLength(2);
    expect(credentials.health().refused).toMatchObject({ sinceMs });
  });

  it("are read again for whoever asks while they are being read", async () => {
    const world = new CredentialWorld();
    const credentials = await world.open();
    const first = credentials.reload("signal");
    const made = rotated(world);
    world.writePair(made);
    const second = credentials.reload("signal");
    const third = credentials.reload("signal");
    await Promise.all([first, second, third]);
    expect(serialOf(credentials)).toBe(made.serial);
    expect(world.eventsOf("reloaded")).toHaveLength(1);
  });

  it("trust old and new authorities while both are in the bundle (S34)", async () => {
    const world = new CredentialWorld();
    const credentials = await world.open();
    const next = makeAuthority("Next authority");
    const verdict = (peer: Made) =>
      credentials.current().verify([new X509Certificate(peer.der)], "both", Date.now());
    const old = makeNode("n2", world.authority);
    const renewed = makeNode("n2", next);
    expect(verdict(renewed)).toMatchObject({ reason: "untrusted" });

    world.write("ca.crt", world.authority.pem + next.pem);
    expect(await credentials.reload("file")).toEqual({
      result: "changed",
      change: { identity: false, trust: true, revocations: false },
    });
    expect([verdict(old), verdict(renewed)]).toEqual([null, null]);

    world.writePair(makeNode(NODE_NAME, next));
    world.write("ca.crt", next.pem);
    expect(await credentials.reload("file")).toMatchObject({ result: "changed" });
    expect(verdict(old)).toMatchObject({ reason: "untrusted" });
    expect(verdict(renewed)).toBeNull();
  });

  it("are left alone after the end", async () => {
    const world = new CredentialWorld();
    const credentials = await world.open();
    world.write("node.crt", rotated(world).pem);
    const outcome = credentials.reload("file");
    await world.clock.untilWaiting(FIRST_PAUSE_MS);
    credentials.close();
    expect(await outcome).toEqual({ result: "unchanged" });
    expect(world.clock.delays).toEqual([]);
    world.noticeChange();
    expect(world.clock.delays).toEqual([]);
  });
});

describe("CONFIG SET of files", () => {
  it("is refused when they could not serve, and nothing has changed", async () => {
    const world = new CredentialWorld();
    const credentials = await world.open();
    const before = credentials.current();
    const files = { ...world.files, certFile: world.write("other.crt", rotated(world).pem) };
    const problem = await credentials.prepare(world.source("peers", { files }));
    expect(problem).toMatch(/does not belong to/);
    expect(credentials.current()).toBe(before);
    expect(credentials.health().refused).toBeNull();
    expect(world.events).toEqual([]);
  });

  it("do not stand in the way of changes of other settings while their own files are bad", async () => {
    const world = new CredentialWorld();
    const credentials = await world.open();
    world.writePair(makeNode(NODE_NAME, world.authority, { untilMs: Date.now() - 1000 }));
    expect(await credentials.prepare(world.source("peers"))).toBeNull();
    credentials.configure({ ...world.options("peers"), warningDays: [14] });
    expect(credentials.health()).toMatchObject({ generation: 1, refused: null });
    expect(await credentials.reload("signal")).toMatchObject({ result: "refused" });
  });

  it("serves at once with what was looked at", async () => {
    const world = new CredentialWorld();
    const credentials = await world.open();
    const made = rotated(world);
    const files = {
      ...world.files,
      certFile: world.write("other.crt", made.pem),
      keyFile: world.write("other.key", made.keyPem),
    };
    expect(await credentials.prepare(world.source("peers", { files }))).toBeNull();
    credentials.configure(world.options("peers", { files }));
    expect(serialOf(credentials)).toBe(made.serial);
    expect(world.eventsOf("reloaded")).toMatchObject([{ cause: "config" }]);
    expect(credentials.health().certFile).toBe(files.certFile);
  });

  it("of what a list means that is out of date is a change of what is revoked: open connections are looked at (S35)", async () => {
    const world = new CredentialWorld();
    const credentials = await world.open();
    const changes: unknown[] = [];
    credentials.onChange((_now, change) => void changes.push(change));
    const source = world.source("peers", { staleLists: "refuse" });
    expect(await credentials.prepare(source)).toBeNull();
    credentials.configure({ ...world.options("peers"), source });
    expect(changes).toEqual([{ identity: false, trust: false, revocations: true }]);
  });

  it("of the interval alone reads nothing", async () => {
    const world = new CredentialWorld();
    const credentials = await world.open();
    credentials.configure({ ...world.options("peers"), reloadIntervalMs: 0 });
    expect(world.clock.delays).toEqual([EXPIRY_CHECK_MS]);
    expect(credentials.health().reloads.changed).toBe(0);
  });
});

describe("Certificates that end", () => {
  it("are told of once at each threshold, and when they have ended", async () => {
    const world = new CredentialWorld();
    world.writePair(makeNode(NODE_NAME, world.authority, { untilMs: Date.now() + 40 * DAY_MS }));
    const credentials = await world.open();
    expect(world.events).toEqual([]);
    const days = (count: number): void => world.clock.advance(count * DAY_MS);
    days(11);
    expect(world.eventsOf("expiring")).toMatchObject([{ daysLeft: 29, ending: { kind: "leaf" } }]);
    days(10);
    expect(world.eventsOf("expiring")).toHaveLength(1);
    days(13);
    days(5.5);
    expect(world.eventsOf("expiring").map(({ daysLeft }) => daysLeft)).toEqual([29, 6, 0]);
    days(1);
    days(3);
    expect(world.eventsOf("expired")).toMatchObject([{ ending: { kind: "leaf" } }]);
    // It goes on serving: refusing everybody would not make it better.
    expect(credentials.current().generation).toBe(1);
  });

  it("are told of by the nearest threshold alone when the node starts late, and anew when renewed", async () => {
    const world = new CredentialWorld();
    world.writePair(makeNode(NODE_NAME, world.authority, { untilMs: Date.now() + 4.5 * DAY_MS }));
    const credentials = await world.open();
    expect(world.eventsOf("expiring").map(({ daysLeft }) => daysLeft)).toEqual([4]);
    world.writePair(makeNode(NODE_NAME, world.authority, { untilMs: Date.now() + 19.5 * DAY_MS }));
    await credentials.reload("file");
    expect(world.eventsOf("expiring").map(({ daysLeft }) => daysLeft)).toEqual([4, 19]);
  });

  it("are told of for authorities too", async () => {
    const world = new CredentialWorld();
    const ending = makeAuthority("Ending", { untilMs: Date.now() + 5.5 * DAY_MS });
    world.write("ca.crt", world.authority.pem + ending.pem);
    const credentials = await world.open();
    expect(world.eventsOf("expiring")).toMatchObject([
      { ending: { kind: "authority", name: "CN=Ending" }, daysLeft: 5 },
    ]);
    expect(credentials.health().authoritiesUntilMs).toHaveLength(2);
  });

  it("are not told of without thresholds, but their end is", async () => {
    const world = new CredentialWorld();
    const untilMs = Date.now() + DAY_MS;
    world.writePair(makeNode(NODE_NAME, world.authority, { untilMs }));
    const credentials = await world.open();
    credentials.configure({ ...world.options("peers"), warningDays: [] });
    expect(world.eventsOf("expiring")).toHaveLength(1);
    world.clock.advance(2 * DAY_MS);
    expect(world.eventsOf("expiring")).toHaveLength(1);
    expect(world.eventsOf("expired")).toHaveLength(1);
  });
});

describe("The certificate for clients", () => {
  it("may be of another authority than its clients: that is a warning", async () => {
    const world = new CredentialWorld();
    world.writePair(makeNode(NODE_NAME, makeAuthority("Public authority")));
    const credentials = await world.open("clients");
    expect(credentials.health().warnings).toEqual([
      expect.stringContaining("signed by another authority"),
    ]);
    expect(credentials.current().hasAuthorities).toBe(true);
  });

  it("needs no authorities, and no name", async () => {
    const world = new CredentialWorld();
    world.writePair(makeNode("whatever", world.authority));
    const credentials = await world.open("clients", { files: { ...world.files, caFile: null } });
    expect(credentials.current()).toMatchObject({ hasAuthorities: false });
    expect(credentials.current().contextOptions).not.toHaveProperty("ca");
    expect(credentials.health().warnings).toEqual([]);
  });

  it("has its key said to be open to everybody where it is, and serves", async () => {
    const world = new CredentialWorld();
    const { chmodSync } = await import("node:fs");
    chmodSync(world.path("node.key"), 0o644);
    await world.open("clients");
    expect(world.alarms).toEqual(["every user of this machine may read the key: chmod 600"]);
  });
});
