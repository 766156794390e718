import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { fastDigest, parseStoredPassword } from "@ferrite/acl";
import { authenticationError } from "../../src/security/authentication-result.ts";
import { FakeUsers } from "./support/fake-users.ts";
import type { FakeUser } from "./support/fake-users.ts";
import { LoginWorld as World, POLICY } from "./support/login-world.ts";
import { storedPassword } from "./support/stored-password.ts";
import { settled } from "./support/virtual-time.ts";

const ALICE = (): FakeUser => ({
  name: "alice",
  passwords: [storedPassword("right", POLICY), storedPassword("other", POLICY)],
});
const DEFAULT: FakeUser = { name: "default", hasNoPassword: true };
const UNIX = { origin: "unix", address: null } as const;
const LOOPBACK = { origin: "loopback", address: "127.0.0.1" } as const;

describe("A login", () => {
  it("with any of the user's passwords is accepted (F2, F3)", async () => {
    const world = new World([ALICE()]);
    expect(await world.login("alice", "right")).toBe("accepted");
    expect(await world.login("alice", "other")).toBe("accepted");
    expect(await world.login("alice", "wrong")).toBe("wrong-password");
  });

  it("with what is stored, or with the SHA-256 of the password, is refused (S13)", async () => {
    const stored = storedPassword("right", POLICY);
    const world = new World([{ name: "alice", passwords: [stored] }]);
    const digest = fastDigest(Buffer.from("right"));
    for (const guess of [stored, stored.split("$")[3], digest.toString("hex")]) {
      expect(await world.login("alice", guess)).toBe("wrong-password");
    }
    const again = new World([{ name: "alice", passwords: [stored] }]);
    expect(await again.login("alice", "", { password: digest })).toBe("wrong-password");
  });

  it("takes passwords of any bytes and length (F16)", async () => {
    for (const password of ["a\0b", "pässwörd 🔑", "x".repeat(4_096), ""]) {
      const stored = storedPassword(password, POLICY);
      const world = new World([{ name: "alice", passwords: [stored] }]);
      expect(await world.login("alice", password)).toBe("accepted");
      expect(await world.login("alice", `${password}\0`)).toBe("wrong-password");
    }
  });

  it("is refused for a user who is not there, is disabled, has expired or has no password (F11, F20, D3)", async () => {
    const { passwords = [] } = ALICE();
    const world = new World([
      { name: "off", passwords, isEnabled: false },
      { name: "old", passwords, expiresAtMs: 1_000 },
      { name: "open-but-off", hasNoPassword: true, isEnabled: false },
      { name: "bare" },
      { name: "soon", passwords, expiresAtMs: 1_001 },
    ]);
    expect(await world.login("nobody", "right")).toBe("no-such-user");
    expect(await world.login("off", "right")).toBe("disabled");
    expect(await world.login("old", "right")).toBe("expired");
    expect(await world.login("open-but-off", "right")).toBe("disabled");
    expect(await world.login("bare", "right")).toBe("no-password");
    expect(await world.login("bare", "")).toBe("no-password");
    expect(await world.login("soon", "right")).toBe("accepted");
    world.clusterNowMs = 1_001;
    expect(await world.login("soon", "right")).toBe("expired");
  });

  it("of a user with nopass is accepted at once with any password", () => {
    const world = new World([{ name: "open", hasNoPassword: true }]);
    expect(world.begin("open", "anything")).toMatchObject({ kind: "accepted" });
    expect(world.hashing.jobs).toEqual([]);
  });

  it("as the passwordless default user is for this machine only in protected mode (F73, D7)", async () => {
    const world = new World([DEFAULT, ALICE()]);
    expect(await world.login("default", "x")).toBe("no-password");
    expect(await world.login("default", "x", LOOPBACK)).toBe("accepted");
    expect(await world.login("default", "x", UNIX)).toBe("accepted");
    world.isProtected = false;
    expect(await world.login("default", "x")).toBe("accepted");
  });

  it("is refused by a node that honours no credentials now, also when it notices during the check", async () => {
    const world = new World([ALICE()]);
    world.refusal = "CLUSTERDOWN alone";
    expect(await world.begin("alice", "right")).toEqual({
      kind: "unavailable",
      errorText: "CLUSTERDOWN alone",
    });
    world.refusal = null;
    world.hashing.isHeld = true;
    const later = world.begin("alice", "right");
    world.refusal = "CLUSTERDOWN alone";
    world.hashing.release();
    expect(await later).toMatchObject({ kind: "unavailable" });
  });
});

describe("A refusal (S14, F14, D5)", () => {
  it("costs the same whoever is asked for, also when users have several passwords or cheap old ones", async () => {
    const world = new World([
      DEFAULT,
      ALICE(),
      { name: "cheap", passwords: [storedPassword("right", POLICY / 8)] },
      { name: "off", passwords: [storedPassword("right", POLICY)], isEnabled: false },
      { name: "bare" },
    ]);
    const long = "x".repeat(9_999);
    for (const name of ["alice", "nobody", "off", "bare", "cheap", "default", "", long]) {
      expect(await world.login(name, "wrong")).not.toBe("accepted");
    }
    // One job each: nobody stands in the queue twice.
    expect(world.hashing.refusalCosts).toEqual(Array.from({ length: 8 }, () => 2 * POLICY));
    expect(world.hashing.jobs.length).toBe(8);
  });

  it("costs exactly one hash of the policy where everybody has one password", async () => {
    const world = new World([{ name: "alice", passwords: [storedPassword("right", POLICY)] }]);
    for (const name of ["alice", "nobody"]) await world.login(name, "wrong");
    expect(world.hashing.refusalCosts).toEqual([POLICY, POLICY]);
  });

  it("follows the policy when it rises", async () => {
    const world = new World([ALICE()]);
    world.policy = 10 * POLICY;
    for (const name of ["alice", "nobody"]) await world.login(name, "wrong");
    expect(world.hashing.refusalCosts).toEqual([10 * POLICY, 10 * POLICY]);
  });

  it("of a stranger costs four times the policy at most (limit: EQUAL_WORK_POLICIES_MAX)", async () => {
    const passwords = Array.from({ length: 9 }, (_, index) => storedPassword(`p${index}`, POLICY));
    const world = new World([{ name: "alice", passwords }]);
    for (const name of ["alice", "nobody"]) await world.login(name, "wrong");
    expect(world.hashing.refusalCosts).toEqual([9 * POLICY, 4 * POLICY]);
  });

  it("has the same text in every case", async () => {
    const world = new World([ALICE(), { name: "off", isEnabled: false }, { name: "bare" }]);
    const texts = new Set<string | null>();
    for (const name of ["alice", "nobody", "off", "bare"]) {
      texts.add(authenticationError(await world.begin(name, "wrong")));
    }
    expect([...texts]).toEqual(["WRONGPASS invalid username-password pair or user is disabled."]);
  });

  it("counts towards the throttle alike, for names that nobody has", async () => {
    const waits: number[][] = [];
    for (const name of ["alice", "nobody"]) {
      const world = new World([ALICE()]);
      const attempts = Array.from({ length: 7 }, (_, index) => world.login(name, `wrong ${index}`));
      waits.push(world.time.dueInMs);
      await world.time.advance(10_000);
      expect(new Set(await Promise.all(attempts)).size).toBe(1);
    }
    expect(waits[0]).toEqual([100, 300, 700]);
    expect(waits[1]).toEqual(waits[0]);
  });
});

describe("A password that was found right", () => {
  it("is known at once when it comes again", async () => {
    const world = new World([ALICE()]);
    await world.login("alice", "right");
    expect(world.begin("alice", "right")).toMatchObject({ kind: "accepted" });
    const elsewhere = { address: "10.0.0.77" };
    expect(world.begin("alice", "right", elsewhere)).toMatchObject({ kind: "accepted" });
    expect(world.hashing.jobs.length).toBe(1);
    expect(world.authenticator.counters.fromCache).toBe(2);
  });

  it("is only so for the user it belongs to", async () => {
    const world = new World([ALICE(), { name: "bob", passwords: [storedPassword("b", POLICY)] }]);
    await world.login("alice", "right");
    expect(await world.login("bob", "right")).toBe("wrong-password");
  });

  it("is forgotten with every change of users (S09)", async () => {
    const world = new World([ALICE(), DEFAULT]);
    await world.login("alice", "right");
    world.users.set({ name: "carol" });
    expect(await world.login("alice", "right")).toBe("accepted");
    expect(world.hashing.jobs.length).toBe(2);
    world.users.set({ ...ALICE(), isEnabled: false });
    expect(await world.login("alice", "right")).toBe("disabled");
    world.users.delete("alice");
    expect(await world.login("alice", "right")).toBe("no-such-user");
    world.users.set({ name: "alice", passwords: [storedPassword("new", POLICY)] });
    expect(await world.login("alice", "right")).toBe("wrong-password");
  });

  it("is forgotten when a snapshot brought other users under the same revision", async () => {
    const world = new World([ALICE()]);
    await world.login("alice", "right");
    world.users = new FakeUsers({ name: "alice", passwords: [storedPassword("new", POLICY)] });
    expect(await world.login("alice", "right")).toBe("wrong-password");
  });

  it("is remembered for so many users, the last ones used (limit: cacheEntriesMax)", async () => {
    const names = ["a", "b", "c"];
    const users = names.map((name) => ({ name, passwords: [storedPassword(name, POLICY)] }));
    const world = new World(users, 2);
    for (const name of ["a", "b", "a", "c"]) await world.login(name, name);
    expect(world.hashing.jobs.length).toBe(3);
    await world.login("a", "a");
    expect(world.hashing.jobs.length).toBe(3);
    await world.login("b", "b");
    expect(world.hashing.jobs.length).toBe(4);
  });

  it("does not answer guesses at full speed while they are throttled", async () => {
    const world = new World([ALICE()]);
    const elsewhere = { address: "10.0.0.77" };
    await world.login("alice", "right", elsewhere);
    for (let count = 0; count < 4; count++) await world.login("alice", `wrong ${count}`);
    const attempt = world.begin("alice", "right");
    expect(attempt).toBeInstanceOf(Promise);
    expect(world.time.dueInMs).toEqual([100]);
    await world.time.advance(100);
    expect(await attempt).toMatchObject({ kind: "accepted" });
    expect(world.begin("alice", "right", elsewhere)).toMatchObject({ kind: "accepted" });
  });
});

describe("Checks at the same time", () => {
  it("are made once when they are equal", async () => {
    const world = new World([ALICE()]);
    world.hashing.isHeld = true;
    const attempts = Array.from({ length: 100 }, () => world.login("alice", "right"));
    expect(world.hashing.waitingCount).toBe(1);
    expect(world.authenticator.checksInFlight).toBe(1);
    world.hashing.release();
    expect(new Set(await Promise.all(attempts))).toEqual(new Set(["accepted"]));
    expect(world.authenticator.counters.accepted).toBe(100);
    expect(world.authenticator.checksInFlight).toBe(0);
  });

  it("are not shared between addresses, users or passwords", () => {
    const world = new World([ALICE()]);
    world.hashing.isHeld = true;
    void world.begin("alice", "right");
    void world.begin("alice", "right", { address: "10.0.0.10" });
    void world.begin("alice", "wrong");
    void world.begin("bob", "right");
    void world.begin("alice", "right", UNIX);
    expect(world.hashing.orders.map((order) => `${order.lane} ${order.address}`)).toEqual([
      "remote 10.0.0.9",
      "remote 10.0.0.10",
      "remote 10.0.0.9",
      "remote 10.0.0.9",
      "local unix",
    ]);
  });
});

describe("A user who changes while the hash is made", () => {
  async function changed(change: (world: World) => void): Promise<string> {
    const world = new World([ALICE()]);
    world.hashing.isHeld = true;
    const attempt = world.login("alice", "right");
    change(world);
    world.hashing.isHeld = false;
    world.hashing.release();
    return attempt;
  }

  it("is refused when it is gone, disabled or has lost that password (S09)", async () => {
    const off = { ...ALICE(), isEnabled: false };
    expect(await changed((world) => world.users.delete("alice"))).toBe("no-such-user");
    expect(await changed((world) => world.users.set(off))).toBe("disabled");
    const other = { name: "alice", passwords: [storedPassword("new", POLICY)] };
    expect(await changed((world) => world.users.set(other))).toBe("wrong-password");
    expect(await changed((world) => world.users.set({ name: "alice" }))).toBe("no-password");
  });

  it("is accepted when nothing that concerns it has changed, or its password was only stored anew", async () => {
    expect(await changed((world) => world.users.set({ name: "zoe" }))).toBe("accepted");
    const anew = { name: "alice", passwords: [storedPassword("right", 2 * POLICY)] };
    expect(await changed((world) => world.users.set(anew))).toBe("accepted");
  });

  it("and changes all the time is refused in the end (limit: CHECKS_PER_ATTEMPT_MAX)", async () => {
    const world = new World([ALICE()]);
    world.hashing.isHeld = true;
    const attempt = world.login("alice", "right");
    for (let round = 0; round < 3; round++) {
      world.users.set({ name: "alice", passwords: [storedPassword("right", POLICY)] });
      world.hashing.release();
      await settled();
    }
    expect(await attempt).toBe("wrong-password");
    expect(world.hashing.jobs.length).toBe(3);
  });
});

describe("A hash that is cheaper than the policy", () => {
  it("is proposed anew at login, once", async () => {
    const world = new World([{ name: "alice", passwords: [storedPassword("right", POLICY)] }]);
    const [oldStored] = world.users.table.get("alice")!.passwords;
    world.policy = 4 * POLICY;
    world.hashing.isHeld = true;
    const elsewhere = { address: "2001:db8::2" };
    const attempts = [world.login("alice", "right"), world.login("alice", "right", elsewhere)];
    world.hashing.release();
    await Promise.all(attempts);
    expect(world.hashing.orders.map((order) => order.lane)).toEqual([
      "remote",
      "remote",
      "background",
    ]);
    world.hashing.release();
    await settled();
    expect(world.rehashes.length).toBe(1);
    const [{ newStored, ...proposal }] = world.rehashes;
    expect(proposal).toEqual({ name: "alice", userId: 0, oldStored });
    expect(parseStoredPassword(newStored).iterations).toBe(4 * POLICY);
    world.hashing.isHeld = false;
    world.users.set({ name: "alice", passwords: [newStored] });
    expect(await world.login("alice", "right")).toBe("accepted");
    await settled();
    expect(world.rehashes.length).toBe(1);
  });

  it("is left alone when the password is wrong, or the policy is lower", async () => {
    const world = new World([ALICE()]);
    world.policy = POLICY / 2;
    expect(await world.login("alice", "right")).toBe("accepted");
    world.policy = 2 * POLICY;
    await world.login("alice", "wrong");
    await settled();
    expect(world.rehashes).toEqual([]);
  });

  it("is tried again at the next login when hashing was busy", async () => {
    const world = new World([{ name: "alice", passwords: [storedPassword("right", POLICY)] }]);
    world.policy = 4 * POLICY;
    world.hashing.isHeld = true;
    const attempt = world.login("alice", "right");
    world.hashing.release();
    expect(await attempt).toBe("accepted");
    world.hashing.outcome = { kind: "busy" };
    world.hashing.release();
    await settled();
    world.hashing.outcome = null;
    world.hashing.isHeld = false;
    world.authenticator.forgetVerified();
    await world.login("alice", "right");
    await settled();
    expect(world.rehashes.length).toBe(1);
  });
});

describe("What goes wrong with the check itself", () => {
  it("is told apart from a wrong password, and is nobody's failure", async () => {
    const world = new World([ALICE()]);
    for (const kind of ["busy", "failed"] as const) {
      world.hashing.outcome = { kind };
      for (let count = 0; count < 10; count++) {
        const attempt = world.login("alice", "right");
        // Busy comes late: a flood waits for its answers (S25).
        await settled();
        expect(world.time.dueInMs).toEqual(kind === "busy" ? [250] : []);
        await world.time.advance(250);
        expect(await attempt).toBe(kind);
      }
    }
    world.hashing.outcome = null;
    expect(await world.login("alice", "right")).toBe("accepted");
    expect(world.throttle.entries).toBe(0);
    const counts = { busy: 10, failed: 10, accepted: 1, refused: 0 };
    expect(world.authenticator.counters).toMatchObject(counts);
  });

  it("such as a stored form that is none accepts nobody and is logged", async () => {
    const world = new World([{ name: "alice", passwords: ["sha256$deadbeef"] }]);
    expect(await world.login("alice", "right")).toBe("failed");
    expect(world.errors).toEqual(["a password could not be checked"]);
  });
});

describe("The throttle (S26, F15)", () => {
  it("lets some attempts wait, refuses more, and all are counted", async () => {
    const world = new World([ALICE()]);
    for (let count = 0; count < 5; count++) {
      const attempt = world.login("alice", `wrong ${count}`);
      await world.time.advance(100);
      await attempt;
    }
    const waiting = [1, 2, 3, 4].map((count) => world.login("alice", `more ${count}`));
    const refusal = world.begin("alice", "right");
    await world.time.advance(250);
    const refused = await refusal;
    expect(refused.kind).toBe("throttled");
    expect(authenticationError(refused)).toMatch(
      /^ERR too many failed authentications, try again in \d+ s$/,
    );
    // One had to wait for its slot before, four do now (the first of them has had it), one was refused.
    expect(world.authenticator.counters).toMatchObject({ refused: 6, throttled: 6 });
    expect(world.hashing.jobs.length).toBe(6);
    await world.time.advance(60_000);
    const outcomes = await Promise.all(waiting);
    expect(outcomes).toEqual(Array.from({ length: 4 }, () => "wrong-password"));
  });

  it("never delays clients on this machine, whatever others or they did", async () => {
    const world = new World([ALICE()]);
    for (let count = 0; count < 4; count++) await world.login("alice", `wrong ${count}`);
    for (let count = 0; count < 50; count++) {
      expect(await world.login("alice", `wrong ${count}`, LOOPBACK)).toBe("wrong-password");
    }
    expect(await world.login("alice", "right", UNIX)).toBe("accepted");
    expect(world.time.dueInMs).toEqual([]);
  });
});

describe("Secrets", () => {
  it("are wiped from memory that is ours once a check is over", async () => {
    const world = new World([ALICE()]);
    const password = Buffer.from("right");
    await world.begin("alice", "", { password });
    await world.login("alice", "wrong");
    expect(world.hashing.digests.length).toBe(2);
    for (const digest of world.hashing.digests)
      expect(digest.every((byte) => byte === 0)).toBe(true);
    // The caller's own bytes are the caller's.
    expect(password.toString()).toBe("right");
  });

  it("are not among what can be printed of the authenticator (S13)", async () => {
    const world = new World([ALICE()]);
    await world.login("alice", "canary-7f3a");
    await world.login("alice", "right");
    const text = inspect(world.authenticator, { showHidden: true, depth: 20 });
    expect(text).not.toContain("canary-7f3a");
    expect(text).not.toContain(fastDigest(Buffer.from("right")).toString("hex"));
  });
});
