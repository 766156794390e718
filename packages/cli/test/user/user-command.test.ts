/** `ferrite user` against a real node. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { OneNode } from "./one-node.ts";

let node: OneNode;

beforeAll(async () => {
  node = await OneNode.start();
});

afterAll(async () => {
  await node.stop();
});

/** Logs in as `user` and asks who that is: whether the password is good. */
async function canLogIn(user: string, password: string): Promise<boolean> {
  const environment = { FERRITE_PASSWORD: password };
  const { errors } = await node.user(["list", "--user", user], { environment });
  expect(errors).toMatch(/NOPERM|the password of/);
  return errors.includes("NOPERM");
}

describe("ferrite user set", () => {
  it("makes a user and says so, then changes it and says that", async () => {
    expect(await node.user(["set", "reader", "on", "~app:*", "+@read", "-mget"])).toMatchObject({
      code: 0,
      printed: ['user "reader" created'],
    });
    const changed = await node.user(["set", "reader", "-get"]);
    expect(changed.printed).toEqual(['user "reader" configured']);
    const { printed } = await node.user(["show", "--json", "reader"]);
    expect(JSON.parse(printed.join("\n"))).toMatchObject({ commands: "-@all +@read -mget -get" });
  });

  it("takes a rule that begins with a minus first", async () => {
    expect((await node.user(["set", "minus", "-@all"])).errors).toBe("");
  });

  it("repeats what the node says of a wrong rule, and fails", async () => {
    expect(await node.user(["set", "reader", "+nonsense"])).toMatchObject({
      code: 1,
      errors:
        "ferrite: Error in ACL SETUSER modifier '+nonsense': Unknown command or category name in ACL",
    });
  });

  it("takes no password from the command line, unless somebody insists", async () => {
    for (const rule of [">sesame", "<sesame"]) {
      const refused = await node.user(["set", "reader", "on", rule]);
      expect(refused.code).toBe(1);
      expect(refused.errors).toContain("use `ferrite user passwd`");
      expect(refused.errors).not.toContain("sesame");
    }
    const insisted = await node.user([
      "set",
      "--allow-password-arguments",
      "insister",
      ">pw",
      "on",
    ]);
    expect(insisted.code).toBe(0);
    expect(await canLogIn("insister", "pw")).toBe(true);
  });

  it("says that options come before the name", async () => {
    const { code, errors } = await node.user(["set", "reader", "on", "--json"]);
    expect([code, errors]).toEqual([
      1,
      "ferrite: --json is no rule; options come before the name of the user",
    ]);
  });

  it("answers programs", async () => {
    const { printed } = await node.user(["set", "--json", "robot"]);
    expect(printed.map((line) => JSON.parse(line) as unknown)).toEqual([
      { name: "robot", outcome: "created" },
    ]);
  });
});

describe("ferrite user list", () => {
  it("shows each user in a line", async () => {
    await node.user(["set", "listed", "on", "nopass", "~a:*", "&c", "+get"]);
    const { code, printed } = await node.user(["list"]);
    expect(code).toBe(0);
    const rows = printed.map((line) => line.split(/ {2,}/));
    expect(rows[0]?.slice(0, 6)).toEqual([
      "NAME",
      "STATE",
      "PASSWORDS",
      "COMMANDS",
      "KEYS",
      "CHANNELS",
    ]);
    expect(rows).toContainEqual(expect.arrayContaining(["default", "on", "not needed", "+@all"]));
    expect(rows).toContainEqual(
      expect.arrayContaining(["listed", "on", "not needed", "-@all +get", "~a:*", "&c"]),
    );
  });

  it("shortens what is long, and shows selectors and expiry when there are any", async () => {
    const patterns = Array.from({ length: 20 }, (_, index) => `~pattern${index}:*`);
    await node.user(["set", "long", ...patterns, "(+get ~b)", "(+set ~c)", "expire-in=1000"]);
    const { printed } = await node.user(["list"]);
    expect(printed[0]).toMatch(/SELECTORS {2}EXPIRES$/);
    const row = printed.find((line) => line.startsWith("long "));
    expect(row).toMatch(/~pattern0:\* ~pattern1:\* ~pattern2:\* ~\.{3} .* 2 +\d{4}-\d\d-\d\dT/);
    await node.user(["delete", "long"]);
  });

  it("gives programs everything but the hashes", async () => {
    await node.user(["passwd", "--generate", "listed"]);
    const { printed } = await node.user(["ls", "--json"]);
    const users = JSON.parse(printed.join("\n")) as { name: string }[];
    expect(users.find(({ name }) => name === "listed")).toEqual({
      name: "listed",
      enabled: true,
      needsNoPassword: false,
      passwordCount: 1,
      commands: "-@all +get",
      keys: "~a:*",
      channels: "&c",
      selectors: [],
      expiresAt: null,
      maxClients: null,
      opsPerSec: null,
    });
    expect(printed.join("")).not.toContain("pbkdf2");
  });
});

describe("ferrite user show", () => {
  it("shows all of one user", async () => {
    const rules = ["on", "~a", "+get", "(+set ~c)", "max-clients=3", "ops-per-sec=50"];
    await node.user(["set", "shown", ...rules, "expire-at=4000000000"]);
    const { code, printed } = await node.user(["show", "shown"]);
    expect(code).toBe(0);
    expect(printed).toEqual([
      "Name:        shown",
      "State:       on",
      "Password:    none: nobody can log in as this user by password",
      "Commands:    -@all +get",
      "Keys:        ~a",
      "Channels:    none",
      "Expires:     2096-10-02T07:06:40.000Z",
      "Connections: at most 3 at once on one node",
      "Rate:        at most 50 commands per second on one node",
      "",
      "Selector 1, which allows more:",
      "  Commands: -@all +set",
      "  Keys:     ~c",
      "  Channels: none",
    ]);
  });

  it("says when there is no such user", async () => {
    expect(await node.user(["show", "nobody"])).toMatchObject({
      code: 1,
      errors: 'ferrite: there is no user "nobody"; `ferrite user list` shows all',
    });
  });

  it("lets no name or pattern drive the terminal", async () => {
    await node.user(["set", "evil\u001b[31m", "on", "~\u0007"]);
    const listed = await node.user(["list"]);
    const shown = await node.user(["show", "evil\u001b[31m"]);
    expect(listed.printed.join("\n")).toContain("evil?[31m");
    const output = [...listed.printed, ...shown.printed].join("\n");
    expect(output).not.toContain("\u001b");
    expect(output).not.toContain("\u0007");
    await node.user(["delete", "evil\u001b[31m"]);
  });
});

describe("ferrite user passwd", () => {
  beforeAll(async () => {
    await node.user(["set", "carol", "on"]);
  });

  it("asks twice at the terminal, and does not show what is typed", async () => {
    const answer = await node.user(["passwd", "carol"], { typed: ["öne", "öne"] });
    expect(answer).toMatchObject({
      code: 0,
      printed: ['password of "carol" changed'],
      prompts: ["New password of carol: ", "Once more: "],
      errors: "",
    });
    expect(await canLogIn("carol", "öne")).toBe(true);
  });

  it.each([
    [["one", "other"], "ferrite: the two are not the same"],
    [[""], "ferrite: the password is empty"],
  ])("changes nothing after %j", async (typed, message) => {
    await node.user(["passwd", "carol", "--stdin"], { piped: "before" });
    expect(await node.user(["passwd", "carol"], { typed })).toMatchObject({
      code: 1,
      errors: message,
    });
    expect(await canLogIn("carol", "before")).toBe(true);
  });

  it("takes it from a file or standard input, without the line end", async () => {
    const file = join(node.directory, "new-password");
    writeFileSync(file, "from file\r\n");
    expect((await node.user(["passwd", "carol", "--password-file", file])).code).toBe(0);
    expect(await canLogIn("carol", "from file")).toBe(true);
    await node.user(["passwd", "carol", "--stdin"], { piped: "from stdin\n" });
    expect(await canLogIn("carol", "from stdin")).toBe(true);
    await node.user(["passwd", "carol", "--password-file", "-"], { piped: "dash" });
    expect(await canLogIn("carol", "dash")).toBe(true);
    expect(await canLogIn("carol", "from stdin")).toBe(false);
  });

  it("makes one, prints it once, alone on standard output", async () => {
    const { printed, errors } = await node.user(["passwd", "--generate", "carol"]);
    expect(printed).toEqual([expect.stringMatching(/^[0-9a-f]{64}$/)]);
    expect(errors).toBe('The new password of "carol", shown this once:');
    expect(await canLogIn("carol", printed[0] ?? "")).toBe(true);
    const json = await node.user(["passwd", "--generate", "--json", "carol"]);
    expect(JSON.parse(json.printed.join(""))).toEqual({
      name: "carol",
      outcome: "changed",
      password: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
    });
  });

  it("--add keeps the old one good", async () => {
    await node.user(["passwd", "carol", "--stdin"], { piped: "old" });
    await node.user(["passwd", "carol", "--stdin", "--add"], { piped: "new" });
    expect([await canLogIn("carol", "old"), await canLogIn("carol", "new")]).toEqual([true, true]);
  });

  it("makes no user", async () => {
    expect(await node.user(["passwd", "nobody", "--generate"])).toMatchObject({
      code: 1,
      printed: [],
      errors: expect.stringContaining('there is no user "nobody"') as string,
    });
  });

  it.each([
    [["--stdin", "--generate"], "x", "exclude each other"],
    [["--stdin", "--login-password-file", "-"], "x", "standard input can hold one password"],
    [["--stdin"], "", "standard input holds no password"],
    [["--stdin"], "a\nb\n", "standard input holds more than one line"],
    [["--stdin"], "x".repeat(5000), "standard input holds more than 4096 bytes"],
    [["--password-file", "/nonexistent"], "", "/nonexistent can not be read"],
    [[], "", "there is no terminal to ask for the new password"],
  ])("refuses %j with %j", async (options, piped, message) => {
    const answer = await node.user(["passwd", "carol", ...options], { piped });
    expect([answer.code, answer.errors]).toEqual([1, expect.stringContaining(message)]);
  });
});

describe("ferrite user explain", () => {
  beforeAll(async () => {
    await node.user(["set", "dave", "reset", "on", "~app:*", "+@read", "-mget"]);
  });

  it("says that it is allowed, and by which rules", async () => {
    expect(await node.user(["explain", "dave", "get", "app:1"])).toMatchObject({
      code: 0,
      printed: [
        "allowed",
        "  own rules: yes: 'get' is allowed by '+@read'",
        "  own rules: yes: to read key 1, 'app:1', is allowed by '~app:*'",
      ],
    });
  });

  it("says what is denied, and fails", async () => {
    const { code, printed } = await node.user(["explain", "dave", "mget", "app:1"]);
    expect([code, printed.slice(0, 2)]).toEqual([
      1,
      ['denied: the command "mget"', "  own rules: no: 'mget' is denied by '-mget'"],
    ]);
    expect((await node.user(["explain", "dave", "get", "other"])).printed[0]).toBe(
      'denied: the key "other"',
    );
  });

  it("takes arguments that look like options as they are", async () => {
    const { printed } = await node.user(["explain", "dave", "get", "--json"]);
    expect(printed[0]).toBe('denied: the key "--json"');
  });

  it("answers programs", async () => {
    const { code, printed } = await node.user(["explain", "--json", "dave", "get", "x"]);
    expect([code, JSON.parse(printed.join("\n"))]).toEqual([
      1,
      {
        allowed: false,
        deniedPart: "key",
        deniedObject: "x",
        findings: [
          {
            selector: 0,
            part: "command",
            allowed: true,
            rule: "+@read",
            text: "'get' is allowed by '+@read'",
          },
          {
            selector: 0,
            part: "key",
            allowed: false,
            rule: null,
            text: "to read key 1, 'x', is allowed by no key pattern",
          },
        ],
      },
    ]);
  });

  it("repeats what the node says of what it does not know", async () => {
    expect((await node.user(["explain", "nobody", "get", "x"])).errors).toBe(
      "ferrite: User 'nobody' not found",
    );
    expect((await node.user(["explain", "dave", "nope"])).errors).toBe(
      "ferrite: Command 'nope' not found",
    );
  });
});

describe("ferrite user delete", () => {
  it("deletes those that are there, names those that are not, and fails because of them", async () => {
    await node.user(["set", "gone1"]);
    await node.user(["set", "gone2"]);
    expect(await node.user(["delete", "gone1", "never", "gone2", "gone1"])).toMatchObject({
      code: 1,
      printed: ['user "gone1" deleted', 'user "gone2" deleted'],
      errors: 'ferrite: there is no user "never"; `ferrite user list` shows all',
    });
  });

  it("--ignore-not-found does not fail", async () => {
    const { code, printed, errors } = await node.user(["rm", "--ignore-not-found", "--json", "x"]);
    expect([code, errors, JSON.parse(printed.join(""))]).toEqual([
      0,
      "",
      { deleted: [], notFound: ["x"] },
    ]);
  });

  it("deletes nobody together with the default user", async () => {
    await node.user(["set", "kept"]);
    expect(await node.user(["delete", "kept", "default"])).toMatchObject({
      code: 1,
      errors: "ferrite: The 'default' user cannot be removed",
    });
    expect((await node.user(["show", "kept"])).code).toBe(0);
  });

  it("tells a user that deletes itself that it is done", async () => {
    await node.user(["set", "self", "on", "nopass", "+acl"]);
    const environment = { FERRITE_PASSWORD: "any" };
    expect(await node.user(["delete", "--user", "self", "self"], { environment })).toMatchObject({
      code: 0,
      printed: ['user "self" deleted'],
    });
  });
});
