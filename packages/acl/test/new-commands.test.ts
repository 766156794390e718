import { describe, expect, it } from "vitest";
import { Verdict } from "../src/access-request.ts";
import type { UserTable } from "../src/api.ts";
import { explainAccess } from "../src/explain.ts";
import { createUserTable } from "../src/user-table.ts";
import { commandNames, testCatalogue } from "./support/catalogue.ts";
import { request } from "./support/requests.ts";

const NEW = ["getex", "config"];
const older = testCatalogue(NEW);
const newer = testCatalogue();
const known = commandNames(older);

/** The users of a cluster that was set up by the older version, as the newer one restores them. */
function upgraded(policy: "allow" | "deny", ...rules: string[]): UserTable {
  const before = createUserTable(older);
  expect(before.setUser("u", ["~*", "&*", ...rules], 0).ok).toBe(true);
  expect(before.setCommandPolicy({ policy, known }).ok).toBe(true);
  const after = createUserTable(newer);
  after.restore(before.record());
  expect(after.stateHash()).toBe(before.stateHash());
  return after;
}

function may(table: UserTable, command: string): boolean {
  return table.get("u")?.check(request(newer, { command })) === Verdict.Allowed;
}

describe("commands that a later version adds (S10)", () => {
  it("are named for a warning at the start, with any policy, and none before anything is known", () => {
    for (const policy of ["allow", "deny"] as const) {
      expect(upgraded(policy).newCommands()).toEqual([
        "getex",
        "config",
        "config|get",
        "config|set",
      ]);
    }
    expect(createUserTable(newer).newCommands()).toEqual([]);
  });

  it("count at once under allow", () => {
    const table = upgraded("allow", "+@all", "-@admin");
    expect([may(table, "getex"), may(table, "config"), may(table, "config|get")]).toEqual([
      true,
      true,
      false,
    ]);
  });

  it.each([[["+@all"]], [["+@write", "+@slow"]], [["+@all", "-@admin", "+@string"]]])(
    "are left out of %j under deny, and what was known is not",
    (rules) => {
      const table = upgraded("deny", ...rules);
      expect([may(table, "getex"), may(table, "config"), may(table, "set")]).toEqual([
        false,
        false,
        true,
      ]);
      expect(table.get("u")?.isUnrestricted).toBe(false);
    },
  );

  it("are granted by name under deny, before and behind their category", () => {
    const table = upgraded("deny", "+@all");
    table.setUser("u", ["+getex"], 0);
    expect(may(table, "getex")).toBe(true);
    expect(table.get("u")?.describe()).toBe("user u off ~* &* +@all +getex");
    table.setUser("u", ["+@write", "+@string"], 0);
    expect(may(table, "getex")).toBe(true);
    table.setUser("u", ["-@write"], 0);
    expect(may(table, "getex")).toBe(false);
    const copy = createUserTable(newer);
    copy.restore(table.record());
    expect(copy.stateHash()).toBe(table.stateHash());
    expect(may(copy, "getex")).toBe(false);
  });

  it("are accepted by naming them known; every user is told to have changed", () => {
    const table = upgraded("deny", "+@all");
    const before = table.get("u");
    const outcome = table.setCommandPolicy({
      policy: "deny",
      known: [...known, ...table.newCommands()],
    });
    expect(table.newCommands()).toEqual([]);
    expect(may(table, "getex")).toBe(true);
    expect(table.get("u")?.isUnrestricted).toBe(true);
    if (!outcome.ok) throw new Error(outcome.errorText);
    expect(outcome.change).toMatchObject({ kind: "policy", revision: 3, removed: [] });
    expect(outcome.change?.changed).toContainEqual({ before, after: table.get("u") });
    expect(table.byId(before?.id ?? -1)).toBe(table.get("u"));
  });

  it("are named as the reason of the denial", () => {
    const user = upgraded("deny", "+@all").get("u");
    if (user === undefined) throw new Error("the user is not there");
    expect(explainAccess(user, request(newer, { command: "getex" })).lines[1]).toBe(
      "own rules: no: 'getex' is denied by acl-new-commands: it is new, and no rule allows it by name",
    );
  });

  it.each([
    [{ policy: "maybe", known: [] }],
    [{ policy: "deny" }],
    [{ policy: "deny", known: [5] }],
    ["deny"],
  ])("whose record is %j are refused", (commands) => {
    const record = { ...createUserTable(newer).record(), commands };
    expect(() => createUserTable(newer).restore(record)).toThrow(
      expect.objectContaining({ code: "MALFORMED_USERS" }),
    );
  });
});
