import { describe, expect, it } from "vitest";
import { admission, isOpenTo, PROTECTED_MODE_REFUSAL } from "../../src/security/protected-mode.ts";
import { FakeUsers } from "./support/fake-users.ts";
import type { FakeUser } from "./support/fake-users.ts";

const OPEN_DEFAULT: FakeUser = { name: "default", hasNoPassword: true };
const BOB: FakeUser = { name: "bob", passwords: ["stored"] };

function admissions(users: readonly FakeUser[], isProtected = true): Record<string, string> {
  const { table } = new FakeUsers(...users);
  return {
    loopback: admission("loopback", table, isProtected),
    unix: admission("unix", table, isProtected),
    remote: admission("remote", table, isProtected),
  };
}

describe("In protected mode", () => {
  it("a remote client is refused while nobody has a password; this machine is served (F66, F67, F68)", () => {
    const expected = { loopback: "implicitDefault", unix: "implicitDefault", remote: "refuse" };
    expect(admissions([OPEN_DEFAULT])).toEqual(expected);
  });

  it("a user with a password lets remote clients in, but not as the passwordless default user (F69, F73, D7)", () => {
    expect(admissions([OPEN_DEFAULT, BOB])).toEqual({
      loopback: "implicitDefault",
      unix: "implicitDefault",
      remote: "unauthenticated",
    });
  });

  it("a default user with a password has to be logged in from everywhere (F69)", () => {
    const everywhere = {
      loopback: "unauthenticated",
      unix: "unauthenticated",
      remote: "unauthenticated",
    };
    expect(admissions([{ name: "default", passwords: ["stored"] }])).toEqual(everywhere);
    expect(admissions([{ ...OPEN_DEFAULT, isEnabled: false }])).toEqual(everywhere);
    expect(admissions([{ name: "default" }])).toEqual(everywhere);
  });

  it("disabled users and those without a password do not count (F70)", () => {
    const nobody: FakeUser[] = [
      OPEN_DEFAULT,
      { ...BOB, isEnabled: false },
      { name: "carol" },
      { name: "dave", hasNoPassword: true },
    ];
    expect(admissions(nobody)["remote"]).toBe("refuse");
    expect(admissions([...nobody, { name: "erin", passwords: ["x"] }])["remote"]).toBe(
      "unauthenticated",
    );
  });

  it("the refusal says what to do, in one line", () => {
    expect(PROTECTED_MODE_REFUSAL).toMatch(/^DENIED /);
    expect(PROTECTED_MODE_REFUSAL).toContain("ACL SETUSER default >password");
    expect(PROTECTED_MODE_REFUSAL).toContain("CONFIG SET protected-mode no");
    expect(PROTECTED_MODE_REFUSAL).not.toMatch(/[\r\n]/);
  });

  it("the open default user can not be entered by AUTH with any password from elsewhere either (F73)", () => {
    const { table } = new FakeUsers(OPEN_DEFAULT, BOB, { name: "open", hasNoPassword: true });
    const [user, open, bob] = [table.get("default")!, table.get("open")!, table.get("bob")!];
    expect(isOpenTo(user, "remote", true)).toBe(false);
    expect(isOpenTo(user, "loopback", true)).toBe(true);
    expect(isOpenTo(user, "unix", true)).toBe(true);
    expect(isOpenTo(user, "remote", false)).toBe(true);
    // Somebody has asked for this one.
    expect(isOpenTo(open, "remote", true)).toBe(true);
    expect(isOpenTo(bob, "loopback", false)).toBe(false);
  });
});

describe("Without protected mode", () => {
  it("a passwordless default user is everybody, as in Redis", () => {
    for (const users of [[OPEN_DEFAULT], [OPEN_DEFAULT, BOB]]) {
      expect(admissions(users, false)["remote"]).toBe("implicitDefault");
    }
    expect(admissions([{ name: "default", passwords: ["x"] }], false)["remote"]).toBe(
      "unauthenticated",
    );
  });
});
