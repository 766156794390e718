import { describe, expect, it } from "vitest";
import { ACL_FILE_BYTES_MAX, ACL_LINE_BYTES_MAX, parseAclFile } from "../src/acl-file.ts";
import type { AclFileUser } from "../src/acl-file.ts";
import { formatAclFile } from "../src/acl-file-format.ts";
import type { AclLimits } from "../src/limits.ts";
import { createUserTable } from "../src/user-table.ts";
import { formatUserLine } from "../src/user-line.ts";
import { testCatalogue } from "./support/catalogue.ts";
import { storedForm } from "./support/stored-password.ts";

const catalogue = testCatalogue();
const DEFAULT = "user default off";

function usersOf(text: string): readonly AclFileUser[] {
  const parsed = parseAclFile(Buffer.from(text, "latin1"), catalogue);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
  return parsed.users;
}

/** "line: message" of each error. */
function errorsOf(text: string, limits: Partial<AclLimits> = {}): string[] {
  const parsed = parseAclFile(Buffer.from(text, "latin1"), catalogue, limits);
  return parsed.ok ? [] : parsed.errors.map((error) => `${error.lineNumber}: ${error.message}`);
}

describe("an ACL file", () => {
  it("of Redis is read unchanged, its hashes marked to be hashed again (S15)", () => {
    const hash = "a".repeat(64);
    const users = usersOf(
      [
        `user default on nopass sanitize-payload ~* &* +@all`,
        `user alice on sanitize-payload #${hash} ~app:* %R~it's"so" resetchannels &x -@all +@read (~b resetchannels -@all +get)`,
        "",
      ].join("\n"),
    );
    expect(users).toEqual([
      {
        lineNumber: 1,
        name: "default",
        rules: ["on", "nopass", "sanitize-payload", "~*", "&*", "+@all"],
        needsHashing: false,
      },
      {
        lineNumber: 2,
        name: "alice",
        rules: [
          "on",
          "sanitize-payload",
          `#${hash}`,
          "~app:*",
          `%R~it's"so"`,
          "resetchannels",
          "&x",
          "-@all",
          "+@read",
          "(~b resetchannels -@all +get)",
        ],
        needsHashing: true,
      },
    ]);
  });

  it.each([
    ["a byte order mark", `\xef\xbb\xbf${DEFAULT}`],
    ["CRLF", `${DEFAULT}\r\n`],
    ["comments and blank lines", `# hello\n\n   \n  # again\n${DEFAULT}\n#user x +nosuch`],
    ["spaces and tabs around and between", `  \tuser   default \t off  \t`],
    ["no line end", DEFAULT],
  ])("with %s is read (F58)", (_, text) => {
    expect(usersOf(text)).toMatchObject([{ name: "default", rules: ["off"] }]);
  });

  it("takes any name and pattern in quotes (D11)", () => {
    const users = usersOf(
      [
        DEFAULT,
        `user "\\x01\\"\\n"`.replace("\\n", "\\\\"),
        `user '\\'x' "~\\xffa" '&b'`,
        `user "" on`,
        `user x ("~a)" '+get' "&\\x29" )`,
        `user y "(\\"~a)\\" +get)"`,
        `user (z "~\\xff" on`,
      ].join("\n"),
    );
    expect(users.map(({ name, rules }) => [name, ...rules])).toEqual([
      ["default", "off"],
      ['\x01"\\'],
      ["'x", "~\xffa", "&b"],
      ["", "on"],
      ["x", `("~a)" '+get' "&\\x29" )`],
      ["y", `("~a)" +get)`],
      ["(z", "~\xff", "on"],
    ]);
  });

  it.each([
    ["plaintext", "user u on >secret +nosuch", "plaintext passwords (> and <) are not allowed"],
    ["plaintext to remove", "user u <secret", "plaintext passwords (> and <) are not allowed"],
    ["plaintext in a selector", "user u (~a >secret)", "'((redacted))': Syntax error"],
    ["a broken hash", "user u #secret", "'#(redacted)': The password hash must be"],
    ["an unknown command", "user u +nosuch", "'+nosuch': Unknown command or category name"],
    ["an unknown category", "user u -@nosuch", "'-@nosuch': Unknown command or category name"],
    ["an unknown rule", "user u what", "'what': Syntax error"],
    ["another word in front", "usr u on", "does not begin with 'user <name>'"],
    ["no name", "user", "does not begin with 'user <name>'"],
    ["an open quote", `user "u on`, "quotes are not balanced"],
    ["a quote with something behind", `user "u"x on`, "quotes are not balanced"],
    ["an open selector", "user u (~a +get", "parenthesis is not closed"],
    ["a space in the name", `user "a b" on`, "no spaces"],
    ["the default user twice", "user default on", "defined in line 1 already"],
    ["a default user that expires", "user default expire-at=5", "cannot expire"],
    ["garbage", "\0\x01\x02", "does not begin with"],
  ])(
    "with %s is refused with the number of the line and no secret (F54, F56, F57, F65)",
    (_, line, text) => {
      const [error, ...more] = errorsOf(`${DEFAULT}\n\n${line}\n`);
      expect(error).toContain("3: ");
      expect(error).toContain(text);
      expect(error).not.toContain("secret");
      expect(more).toEqual([]);
    },
  );

  it("names every line that is wrong, up to a hundred (F55)", () => {
    expect(errorsOf(`user a +x\n${DEFAULT}\nuser b >y\nuser c on`).map((text) => text[0])).toEqual([
      "1",
      "3",
    ]);
    expect(errorsOf("what\n".repeat(1_000))).toHaveLength(100);
  });

  it.each(["", "\n\n", "# only a comment\n", "user a on\n"])(
    "without a default user is refused, where Redis would let everybody in: %j (F53, F59, F64, D6)",
    (text) => {
      expect(errorsOf(text)).toEqual([
        expect.stringContaining("0: there is no line for the default user"),
      ]);
    },
  );

  it("is limited in size, in lines, in users and by what a user may have (F59)", () => {
    expect(errorsOf("#".padEnd(ACL_FILE_BYTES_MAX + 1, "x"))).toEqual([
      expect.stringContaining("0: the file is larger than"),
    ]);
    const long = `user u ${"x".repeat(ACL_LINE_BYTES_MAX)}`;
    expect(errorsOf(`${DEFAULT}\n${long}`)).toEqual([
      expect.stringContaining("2: the line is longer"),
    ]);
    const two = `${DEFAULT}\nuser a on`;
    expect(errorsOf(two, { usersMax: 1 })).toEqual(["2: there are at most 1 users"]);
    expect(errorsOf(two, { userBytesMax: 10 })[0]).toContain("at most 10 bytes");
    expect(errorsOf(two, { nameBytesMax: 2 })[0]).toContain("1: a user's name has at most 2");
    expect(errorsOf(`${DEFAULT}\nuser a ~abc`, { patternBytesMax: 2 })[0]).toContain("'~abc'");
  });
});

describe("a written ACL file", () => {
  it("has a header, sorted users, and quotes only where they are needed (F50)", () => {
    const table = createUserTable(catalogue);
    table.setUser("zoe", ["on", `#${storedForm(7)}`, "~app:*", "%R~ro:*", "+get", "+mget"], 0);
    table.setUser("admin", ["on", "nopass", "~*", "&*", "+@all", "-debug"], 0);
    table.setUser("\xc3\xa9", ["~\xff", '(~"a\\"b" +get)', "expire-at=99"], 0);
    table.setUser("'", ['~it"s', "~'"], 0);
    table.setUser("", ["&\x07"], 0);
    const text = formatAclFile(table.all(), { generatedAt: "2026-01-01T00:00:00Z\nuser evil" });
    expect(text.toString("latin1").split("\n")).toEqual([
      "# Ferrite ACL configuration",
      "# Generated by ACL SAVE at 2026-01-01T00:00:00Z user evil",
      "# Passwords are hashes: plaintext is refused. The cluster's own users overrule this file.",
      "",
      `user "" off resetchannels "&\\x07" -@all`,
      `user "'" off ~it"s ~' resetchannels -@all`,
      "user admin on nopass ~* &* +@all -debug",
      "user default on nopass ~* &* +@all",
      `user zoe on #${storedForm(7)} ~app:* %R~ro:* resetchannels -@all +get +mget`,
      `user \xc3\xa9 off expire-at=99 "~\\xff" resetchannels -@all "(\\"~a\\\\\\"b\\" resetchannels -@all +get)"`,
      "",
    ]);
  });

  it("of ten thousand users reads back to the same users (F63)", () => {
    const table = createUserTable(catalogue);
    for (let number = 0; number < 9_999; number++) {
      table.setUser(
        `user-${number}`,
        ["on", `#${storedForm(number)}`, `~app:${number}:*`, "+@read"],
        0,
      );
    }
    const users = usersOf(formatAclFile(table.all(), { generatedAt: "now" }).toString("latin1"));
    const copy = createUserTable(catalogue);
    const lines = users.map(({ name, rules }) => formatUserLine(name, rules));
    expect(copy.replaceAll(lines, 0).ok).toBe(true);
    expect(copy.all().map((user) => user.describe())).toEqual(
      table.all().map((user) => user.describe()),
    );
    expect(JSON.stringify(table.record()).length).toBeLessThan(16 * 1024 * 1024);
  });
});
