import { describe, expect, it } from "vitest";
import type { ApplyOutcome, UserTable } from "../src/api.ts";
import type { AclLimits } from "../src/limits.ts";
import { createUserTable } from "../src/user-table.ts";
import { testCatalogue } from "./support/catalogue.ts";
import { storedForm } from "./support/stored-password.ts";

const catalogue = testCatalogue();
const DEFAULT_LINE = "user default on nopass ~* &* +@all";

function tableWith(...users: readonly (readonly [string, ...string[]])[]): UserTable {
  const table = createUserTable(catalogue);
  for (const [name, ...rules] of users) expect(table.setUser(name, rules, 0).ok).toBe(true);
  return table;
}

function lines(table: UserTable): string[] {
  return table.all().map((user) => user.describe());
}

function errorOf(outcome: ApplyOutcome): string {
  if (outcome.ok) throw new Error("the change was not refused");
  return outcome.errorText;
}

describe("a new table", () => {
  it("holds Redis' default user, whom nobody has changed yet", () => {
    const table = createUserTable(catalogue);
    expect(lines(table)).toEqual([DEFAULT_LINE]);
    expect(table).toMatchObject({ revision: 0, size: 1, nextExpiryMs: Infinity });
    expect(table.byId(0)).toBe(table.get("default"));
    expect(table.get("default")).toMatchObject({ id: 0, isUnrestricted: true, isEnabled: true });
  });
});

describe("setting a user", () => {
  it("makes a new object and tells what was before; a user that is held never changes", () => {
    const table = tableWith(["alice", "on"]);
    const before = table.get("alice");
    const outcome = table.setUser("alice", ["+get"], 0);
    const after = table.get("alice");
    expect(before?.describe()).toBe("user alice on resetchannels -@all");
    expect(after?.describe()).toBe("user alice on resetchannels -@all +get");
    expect(outcome).toMatchObject({ ok: true, count: 1, change: { revision: 2, kind: "set" } });
    expect(outcome.ok && outcome.change?.changed).toEqual([{ before, after }]);
    expect(after?.id).toBe(before?.id);
  });

  it("counts as a change also when nothing is different", () => {
    const table = tableWith(["alice", "on"], ["alice"]);
    expect(table.revision).toBe(2);
  });

  it("applies all rules or none (F27, D5)", () => {
    const table = tableWith(["alice", "on", "+get"]);
    const hash = table.stateHash();
    expect(errorOf(table.setUser("alice", ["off", "~x", "+nosuch", "+set"], 0))).toContain(
      "'+nosuch'",
    );
    expect(errorOf(table.setUser("bob", ["on", "%X~a"], 0))).toContain("Syntax error");
    expect(table.stateHash()).toBe(hash);
    expect(table.get("bob")).toBeUndefined();
  });

  it("tells names apart by case, takes any bytes, and refuses spaces and zeros as Redis does (F28)", () => {
    const table = tableWith(["Bob", "on"], ["bob"], [""], ["\xff(\"'"], ["__proto__"]);
    expect(table.size).toBe(6);
    expect(table.get("__proto__")?.describe()).toBe("user __proto__ off resetchannels -@all");
    for (const name of ["a b", "a\0", "a\nb", "\t"]) {
      expect(errorOf(table.setUser(name, [], 0))).toBe(
        "ERR Usernames can't contain spaces or null characters",
      );
    }
  });

  it("never gives an id twice, not to a later user of the same name either", () => {
    const table = tableWith(["alice"], ["bob"]);
    const ids = [table.get("alice")?.id, table.get("bob")?.id];
    table.deleteUsers(["alice", "bob"]);
    table.setUser("alice", [], 0);
    expect([...ids, table.get("alice")?.id]).toEqual([1, 2, 3]);
    expect(table.byId(1)).toBeUndefined();
  });

  it("shows what ACL GETUSER asks for", () => {
    const table = tableWith(["u", "on", "nopass", "skip-sanitize-payload", "%R~a", "~b", "&c"]);
    table.setUser("u", ["+@read", "(~* &* +get)"], 0);
    expect(table.get("u")?.flags()).toEqual(["on", "nopass", "skip-sanitize-payload"]);
    expect(table.get("u")?.selectors()).toEqual([
      { commands: "-@all +@read", keys: "%R~a ~b", channels: "&c" },
      { commands: "-@all +get", keys: "~*", channels: "&*" },
    ]);
  });

  it("with rules as a client sends them can be tried without effect, before anything is hashed", () => {
    const table = tableWith(["alice", "on"]);
    const hash = table.stateHash();
    const check = (...rules: string[]): string | null => table.checkRules("alice", rules, 1_000);
    expect(check(">secret", "+get", "~x", "expire-in", "60", `#${"a".repeat(64)}`)).toBeNull();
    expect(check(">secret", "+nosuch")).toContain("'+nosuch'");
    expect(check("expire-at", "1")).toContain("already passed");
    expect(check("#abc")).toContain("'#(redacted)'");
    expect(table.checkRules("a b", [], 0)).toContain("Usernames");
    expect(table.stateHash()).toBe(hash);
  });
});

describe("deleting users", () => {
  it("counts those that were there, each once (F98)", () => {
    const table = tableWith(["alice"], ["bob"], ["carol"]);
    const alice = table.get("alice");
    const outcome = table.deleteUsers(["alice", "nobody", "bob", "alice"]);
    expect(outcome).toMatchObject({ ok: true, count: 2, change: { kind: "delete", changed: [] } });
    expect(outcome.ok && outcome.change?.removed[0]).toBe(alice);
    expect(table.all().map(({ name }) => name)).toEqual(["carol", "default"]);
  });

  it("that are not there changes nothing", () => {
    const table = tableWith(["alice"]);
    expect(table.deleteUsers(["nobody"])).toEqual({ ok: true, change: null, count: 0 });
    expect(table.revision).toBe(1);
  });

  it("never deletes the default user, nor the others named with it", () => {
    const table = tableWith(["alice"]);
    expect(errorOf(table.deleteUsers(["alice", "default"]))).toBe(
      "ERR The 'default' user cannot be removed",
    );
    expect(table.get("alice")).toBeDefined();
  });
});

describe("replacing all users", () => {
  const alice = "user alice on ~a resetchannels -@all +get";

  it("leaves the lines' users and no others; known names keep their id (F51)", () => {
    const table = tableWith(["alice", "on"], ["bob"], ["same", "on"]);
    const before = { alice: table.get("alice"), bob: table.get("bob"), same: table.get("same") };
    const same = "user same on resetchannels -@all";
    const outcome = table.replaceAll([alice, "user carol off", DEFAULT_LINE, same], 0);
    expect(lines(table)).toEqual([alice, "user carol off resetchannels -@all", DEFAULT_LINE, same]);
    expect(table.get("alice")?.id).toBe(before.alice?.id);
    expect(table.get("carol")?.id).toBe(4);
    expect(table.get("same")).toBe(before.same);
    expect(outcome).toMatchObject({ ok: true, change: { kind: "replace", revision: 4 } });
    if (!outcome.ok) throw new Error("refused");
    expect(outcome.change?.removed).toEqual([before.bob]);
    expect(
      outcome.change?.changed.map(({ before: was, after }) => [was?.name, after.name]),
    ).toEqual([
      ["alice", "alice"],
      [undefined, "carol"],
    ]);
  });

  it.each([
    ["a line that is none", ["nonsense"], "ERR User 2 of the list: A line begins with"],
    ["an unknown command", ["user u +nosuch"], "Unknown command or category"],
    ["plaintext", ["user u >secret"], "have to be hashed"],
    ["an open selector", ["user u (~a"], "parenthesis"],
    ["a user twice", ["user u", "user u"], "ERR User 3 of the list is there twice"],
  ])("with %s changes nothing (F55)", (_, more, text) => {
    const table = tableWith(["alice", "on"]);
    const hash = table.stateHash();
    const error = errorOf(table.replaceAll([DEFAULT_LINE, ...more], 0));
    expect(error).toContain(text);
    expect(error).not.toContain("secret");
    expect(table.stateHash()).toBe(hash);
  });

  it("needs a default user: leaving it out lets nobody in by accident (F53, D6)", () => {
    const table = createUserTable(catalogue);
    expect(errorOf(table.replaceAll([alice], 0))).toContain("'default' user is missing");
    expect(table.replaceAll([alice, "user default off"], 0).ok).toBe(true);
    expect(table.get("default")?.isUnrestricted).toBe(false);
  });

  it("as a seed only works in a cluster whose users nobody has changed yet", () => {
    const table = createUserTable(catalogue);
    expect(table.seed([DEFAULT_LINE, alice], 0)).toMatchObject({
      count: 2,
      change: { kind: "seed" },
    });
    expect(table.seed([DEFAULT_LINE], 0)).toEqual({ ok: true, change: null, count: 0 });
    expect(lines(table)).toEqual([alice, DEFAULT_LINE]);
  });
});

describe("short-lived users", () => {
  it("are removed when their time is up, and the next time is known", () => {
    const table = tableWith(["a", "expire-at=20"], ["b", "expire-at=10"], ["c"]);
    expect(table.nextExpiryMs).toBe(10_000);
    expect(table.expire(9_999)).toEqual({ ok: true, change: null, count: 0 });
    const outcome = table.expire(10_000);
    expect(outcome).toMatchObject({
      count: 1,
      change: { kind: "expire", removed: [{ name: "b" }] },
    });
    expect(table.nextExpiryMs).toBe(20_000);
    table.setUser("a", ["expire-at=0"], 0);
    expect(table.nextExpiryMs).toBe(Infinity);
  });

  it("can not be made with a time that has passed, nor of the default user", () => {
    const table = tableWith(["a", "expire-at=20"]);
    expect(errorOf(table.setUser("b", ["expire-at=5"], 5_000))).toBe(
      "ERR Error in ACL SETUSER modifier 'expire-at=5': The time of expiry has already passed",
    );
    expect(errorOf(table.setUser("default", ["expire-at=50"], 0))).toContain("cannot expire");
    // Another change to a user whose time is up is no reason for a complaint about its time.
    expect(table.setUser("a", ["on"], 30_000).ok).toBe(true);
  });

  it("of a list whose time is up are left out", () => {
    const table = createUserTable(catalogue);
    table.replaceAll([DEFAULT_LINE, "user a expire-at=5", "user b expire-at=50"], 10_000);
    expect(table.all().map(({ name }) => name)).toEqual(["b", "default"]);
  });
});

describe("a record", () => {
  const full = (): UserTable =>
    tableWith(
      ["alice", "on", `#${storedForm(1)}`, "~a", "%R~b", "&c", "+@all", "-@dangerous", "+debug"],
      ["bob", '("~x)" +get)', "expire-at=100", "max-clients=2", "ops-per-sec=3", "-auth"],
      ["gone"],
    );

  it("restored elsewhere holds the same users under the same ids, and goes on alike", () => {
    const table = full();
    table.deleteUsers(["gone"]);
    const copy = createUserTable(catalogue);
    copy.setUser("other", [], 0);
    copy.restore(structuredClone(table.record()));
    expect(copy.record()).toEqual(table.record());
    expect(copy.stateHash()).toBe(table.stateHash());
    expect(copy.nextExpiryMs).toBe(table.nextExpiryMs);
    expect(copy.get("other")).toBeUndefined();
    for (const each of [table, copy]) each.setUser("alice", ["-debug", "+get"], 0);
    for (const each of [table, copy]) each.setUser("new", [], 0);
    expect(copy.stateHash()).toBe(table.stateHash());
  });

  it("differs in its hash whenever a user does", () => {
    const table = full();
    const before = table.stateHash();
    table.setUser("alice", ["off"], 0);
    expect(table.stateHash()).not.toBe(before);
  });

  it("of a version that knows more commands is refused with the user's name: fail closed (S08)", () => {
    const older = createUserTable(testCatalogue(["debug"]));
    older.setUser("keep", ["on"], 0);
    expect(() => older.restore(full().record())).toThrow(/stored user "alice" can not be read/);
    expect(older.get("keep")).toBeDefined();
  });

  it("is kept as it is by a version with other commands, so that nodes of both agree", () => {
    const record = tableWith(["u", "+@all", "-@hyperloglog", "-@admin", "-get"]).record();
    const newer = createUserTable(testCatalogue(["debug", "config"]));
    newer.restore(record);
    expect(newer.record()).toEqual(record);
  });

  it.each([
    ["nothing", null],
    ["another format", { format: 2, revision: 0, nextId: 1, users: [] }],
    ["no users", { format: 1, revision: 0, nextId: 1 }],
    ["no default user", { format: 1, revision: 0, nextId: 2, users: [[1, "user a off"]] }],
    [
      "a default user of another id",
      { format: 1, revision: 0, nextId: 2, users: [[1, DEFAULT_LINE]] },
    ],
    [
      "an id beyond the next",
      {
        format: 1,
        revision: 0,
        nextId: 1,
        users: [
          [0, DEFAULT_LINE],
          [1, "user a"],
        ],
      },
    ],
    [
      "an id twice",
      {
        format: 1,
        revision: 0,
        nextId: 2,
        users: [
          [0, DEFAULT_LINE],
          [0, "user a"],
        ],
      },
    ],
    [
      "a name twice",
      {
        format: 1,
        revision: 0,
        nextId: 2,
        users: [
          [0, DEFAULT_LINE],
          [1, DEFAULT_LINE],
        ],
      },
    ],
    ["a row that is none", { format: 1, revision: 0, nextId: 2, users: ["x"] }],
    [
      "a line that is none",
      {
        format: 1,
        revision: 0,
        nextId: 2,
        users: [
          [0, DEFAULT_LINE],
          [1, 5],
        ],
      },
    ],
    ["a wrong count", { format: 1, revision: -1, nextId: 2, users: [[0, DEFAULT_LINE]] }],
  ])("with %s is refused and changes nothing (S28)", (_, record) => {
    const table = tableWith(["alice"]);
    const hash = table.stateHash();
    expect(() => table.restore(record)).toThrow(
      expect.objectContaining({ code: "MALFORMED_USERS" }),
    );
    expect(table.stateHash()).toBe(hash);
  });
});

describe("limits", () => {
  const limited = (limits: Partial<AclLimits>): UserTable => createUserTable(catalogue, limits);

  it("usersMax: updates within it work, deleting frees a place (F29)", () => {
    const table = limited({ usersMax: 2 });
    expect(table.setUser("a", [], 0).ok).toBe(true);
    expect(errorOf(table.setUser("b", [], 0))).toBe("ERR There are at most 2 users");
    expect(table.setUser("a", ["on"], 0).ok).toBe(true);
    table.deleteUsers(["a"]);
    expect(table.setUser("b", [], 0).ok).toBe(true);
    const more = [DEFAULT_LINE, "user b", "user c"];
    expect(errorOf(table.replaceAll(more, 0))).toBe("ERR There are at most 2 users");
  });

  it("nameBytesMax", () => {
    const table = limited({ nameBytesMax: 3 });
    expect(table.setUser("abc", [], 0).ok).toBe(true);
    expect(errorOf(table.setUser("abcd", [], 0))).toBe("ERR A user's name has at most 3 bytes");
    expect(errorOf(table.replaceAll([DEFAULT_LINE], 0))).toContain("at most 3 bytes");
  });

  it("rulesPerUserMax counts commands, keys and channels of all selectors", () => {
    const table = limited({ rulesPerUserMax: 4 });
    const rules = ["+get", "~a", "&b", "(~c)"];
    expect(table.setUser("a", rules, 0).ok).toBe(true);
    expect(errorOf(table.setUser("a", ["~d"], 0))).toContain("'~d': A user has at most 4 rules");
    expect(table.setUser("a", ["+set", "-set"], 0).ok).toBe(false);
    expect(table.setUser("a", ["clearselectors", "~d"], 0).ok).toBe(true);
  });

  it("rulesPerUserMax ends a selector of any length at once", () => {
    const table = createUserTable(catalogue);
    const patterns = Array.from({ length: 200_000 }, (_, number) => `~${number}`);
    const startedAtMs = performance.now();
    for (const rules of [[`(${patterns.join(" ")})`], patterns]) {
      expect(errorOf(table.setUser("a", rules, 0))).toContain("A user has at most 1024 rules");
    }
    expect(performance.now() - startedAtMs).toBeLessThan(2_000);
  });

  it("patternBytesMax (S11)", () => {
    const table = limited({ patternBytesMax: 3 });
    expect(table.setUser("a", ["~abc", "&abc", "+select|123"], 0).ok).toBe(true);
    for (const rule of ["~abcd", "%R~abcd", "&abcd", "+select|1234", "(~abcd)"]) {
      expect(errorOf(table.setUser("a", [rule], 0))).toContain("longer than 3 bytes");
    }
  });

  it("selectorsPerUserMax", () => {
    const table = limited({ selectorsPerUserMax: 2 });
    expect(table.setUser("a", ["()", "()"], 0).ok).toBe(true);
    expect(errorOf(table.setUser("a", ["()"], 0))).toContain("at most 2 selectors");
  });

  it("passwordsPerUserMax", () => {
    const table = limited({ passwordsPerUserMax: 2 });
    expect(table.setUser("a", [`#${storedForm(1)}`, `#${storedForm(2)}`], 0).ok).toBe(true);
    expect(errorOf(table.setUser("a", [`#${storedForm(3)}`], 0))).toContain("at most 2 passwords");
    expect(table.setUser("a", [`#${storedForm(2)}`], 0).ok).toBe(true);
  });

  it("userBytesMax and tableBytesMax", () => {
    const line = "user a off resetchannels -@all";
    const table = limited({ userBytesMax: line.length });
    expect(table.setUser("a", [], 0).ok).toBe(true);
    expect(errorOf(table.setUser("a", ["+get"], 0))).toContain("rules of a user have at most");
    const all = limited({ tableBytesMax: DEFAULT_LINE.length + line.length });
    expect(all.setUser("a", [], 0).ok).toBe(true);
    expect(all.setUser("a", ["reset", "sanitize-payload"], 0).ok).toBe(false);
    expect(errorOf(all.setUser("b", [], 0))).toContain("rules of all users have at most");
    expect(errorOf(all.replaceAll([DEFAULT_LINE, line, "user b"], 0))).toContain("of all users");
    all.deleteUsers(["a"]);
    expect(all.setUser("b", [], 0).ok).toBe(true);
  });
});
