import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { AclError } from "../src/errors.ts";
import { verifyPassword } from "../src/password.ts";
import { PASSWORD_BYTES_MAX, PASSWORD_RULES_MAX, prepareRules } from "../src/prepare-rules.ts";
import { createUserTable } from "../src/user-table.ts";
import { testCatalogue } from "./support/catalogue.ts";
import { passwordWork, storedForm } from "./support/stored-password.ts";

const NO_SUCH = "The password you are trying to remove from the user does not exist";

function sha256(password: string): string {
  return createHash("sha256").update(password, "latin1").digest("hex");
}

/** A user as prepared rules leave it; each change is prepared for the user as it is by then. */
async function passwordsAfter(
  ...changes: readonly (readonly string[])[]
): Promise<readonly string[]> {
  const table = createUserTable(testCatalogue());
  const work = passwordWork();
  for (const change of changes) {
    const prepared = await prepareRules(change, table.get("u"), work);
    if (!prepared.ok) throw new Error(prepared.errorText);
    const outcome = table.setUser("u", prepared.rules, 0);
    if (!outcome.ok) throw new Error(outcome.errorText);
  }
  return table.get("u")?.passwords ?? [];
}

async function errorOf(rules: readonly string[], nowMs = 0): Promise<string> {
  const prepared = await prepareRules(rules, undefined, passwordWork(nowMs));
  return prepared.ok ? "" : prepared.errorText;
}

describe("passwords of a change", () => {
  it("become slow hashes with a salt each, and nothing else is left of them (S13, F19, D2)", async () => {
    const prepared = await prepareRules([">secret", "on", ">other"], undefined, passwordWork());
    if (!prepared.ok) throw new Error(prepared.errorText);
    expect(prepared.rules).toEqual([
      expect.stringMatching(/^#pbkdf2-sha256\$1\$(01){8}\$[0-9a-f]{64}$/),
      "on",
      expect.stringMatching(/^#pbkdf2-sha256\$1\$(02){8}\$[0-9a-f]{64}$/),
    ]);
    expect(prepared.rules.join(" ")).not.toMatch(/secret|other/);
  });

  it("given as Redis' SHA-256 are those of the password itself, whose digits are none (S15, S13)", async () => {
    const [stored] = await passwordsAfter([`#${sha256("secret")}`]);
    expect(await verifyPassword(Buffer.from("secret"), stored)).toBe(true);
    for (const stolen of [sha256("secret"), `#${sha256("secret")}`, stored, `#${stored}`]) {
      expect(await verifyPassword(Buffer.from(stolen), stored)).toBe(false);
    }
    expect(await verifyPassword(Buffer.from(sha256("secret"), "hex"), stored)).toBe(false);
  });

  it("that the user has already keep their stored form (S15)", async () => {
    const once = await passwordsAfter([">a", ">b"]);
    const again = await passwordsAfter([">a", ">b"], [">b", `#${sha256("a")}`, ">a"]);
    expect(again).toEqual(once);
    const work = passwordWork();
    await prepareRules([">a", ">a", `#${sha256("a")}`], undefined, work);
    expect(work.hashed).toBe(1);
  });

  it.each([
    [["<a"]],
    [[`!${sha256("a")}`]],
    [[">c", "<c", "<a"]],
    [["resetpass", ">b"]],
    [["nopass", "resetpass", ">b"]],
    [["reset", ">b"]],
  ])("are removed by %j, which leaves the other (S15, F30)", async (change) => {
    const [only, ...more] = await passwordsAfter([">a", ">b"], change);
    expect(more).toEqual([]);
    expect(await verifyPassword(Buffer.from("b"), only)).toBe(true);
  });

  it("that are removed have to be there by then", async () => {
    for (const rules of [
      ["<a"],
      [">a", "resetpass", "<a"],
      [`!${sha256("a")}`],
      [`!${storedForm(1)}`],
    ]) {
      const sign = rules.at(-1)?.[0] ?? "";
      expect(await errorOf(rules)).toBe(
        `ERR Error in ACL SETUSER modifier '${sign}(redacted)': ${NO_SUCH}`,
      );
    }
    expect(await errorOf([">a", "<a"])).toBe("");
    expect(await errorOf([`#${storedForm(1)}`, `!${storedForm(1)}`])).toBe("");
  });

  it.each([
    "#abc",
    "!abc",
    `#${"A".repeat(64)}`,
    "#pbkdf2-sha256$x",
    ">".padEnd(PASSWORD_BYTES_MAX + 2, "x"),
  ])("that are none are refused without being repeated: %#", async (rule) => {
    const error = await errorOf([rule]);
    expect(error).toContain(`'${rule[0]}(redacted)'`);
    expect(error).not.toContain(rule.slice(1, 20));
  });

  it("may be long and hold any byte (F16)", async () => {
    const password = "\0\xff ".repeat(1_000);
    const [stored] = await passwordsAfter([`>${password}`]);
    expect(await verifyPassword(Buffer.from(password, "latin1"), stored)).toBe(true);
    expect(await errorOf([`>${"x".repeat(PASSWORD_BYTES_MAX)}`])).toBe("");
  });

  it("are limited in number before any of them is hashed", async () => {
    const many = Array.from({ length: PASSWORD_RULES_MAX + 1 }, (_, number) => `>${number}`);
    const work = passwordWork();
    expect(await prepareRules(many, undefined, work)).toMatchObject({
      errorText: `ERR At most ${PASSWORD_RULES_MAX} password rules at once`,
    });
    expect(work.hashed).toBe(0);
    expect(await errorOf(many.slice(0, 17))).toContain("A user has at most 16 passwords");
    expect(await errorOf(many.slice(0, 16))).toBe("");
  });

  it("do not reach the log by way of a rule that will be refused (S13)", async () => {
    for (const rule of [
      "secret",
      "(>secret)",
      "(~a secret)",
      '(~a "secret)',
      "(>secret",
      "pass=secret",
      "+get >secret",
      "+get'>secret",
      "-@all\n>secret",
      "~a >secret",
      "&a >secret",
      "max-clients=5 >secret",
      "(+get'>secret')",
      "(~a '>secret')",
      "(allkeyssecret)",
    ]) {
      const prepared = await prepareRules(["on", rule], undefined, passwordWork());
      expect(prepared.ok, rule).toBe(false);
    }
    expect(await errorOf(["(>secret +get)"])).not.toContain("secret");
  });

  it("whose hashing fails let the failure through", async () => {
    const busy = { ...passwordWork(), hash: () => Promise.reject(new Error("busy")) };
    await expect(prepareRules([">a"], undefined, busy)).rejects.toThrow("busy");
    const damaged = {
      ...passwordWork(),
      hash: () => Promise.reject(new AclError("MALFORMED_PASSWORD_HASH", "x")),
    };
    await expect(prepareRules([">a"], undefined, damaged)).rejects.toThrow("x");
  });
});

describe("times of a change", () => {
  it.each([
    [["expire-at", "90"], ["expire-at=90"]],
    [["expire-at=90"], ["expire-at=90"]],
    [
      ["EXPIRE-IN", "10", "on"],
      ["expire-at=15", "on"],
    ],
    [["expire-in=10"], ["expire-at=15"]],
    [["expire-in", "0"], ["expire-at=0"]],
    [["max-clients=5"], ["max-clients=5"]],
  ])("%j become %j, at which they mean the same on every node", async (rules, expected) => {
    const prepared = await prepareRules(rules, undefined, passwordWork(4_500));
    expect(prepared).toEqual({ ok: true, rules: expected });
  });

  it.each([["expire-at"], ["expire-in", "on"], ["expire-in=-5"], ["expire-at", "1.5"]])(
    "%j is no time",
    async (...rules) => {
      expect(await errorOf(rules)).toContain("A whole number is required, 0 for none");
    },
  );
});

describe("other rules of a change", () => {
  it("pass as they are, selectors in one piece", async () => {
    const rules = [
      "on",
      "RESETKEYS",
      "~a'>b",
      "%R~b",
      "&c",
      "+get",
      "-@all",
      "",
      "(~a",
      "+get)",
      "(allkeys)",
    ];
    const prepared = await prepareRules(rules, undefined, passwordWork());
    expect(prepared).toEqual({
      ok: true,
      rules: [...rules.slice(0, 8), "(~a +get)", "(allkeys)"],
    });
  });

  it("that open a selector nobody closes are refused", async () => {
    expect(await errorOf(["(~a"])).toBe(
      "ERR Unmatched parenthesis in acl selector starting at '(~a'.",
    );
  });
});
