/** Expected replies were read from redis-server 7.0.15. */
import { Verdict } from "@ferrite/acl";
import { describe, expect, test } from "vitest";
import { AclWorld, worldWith } from "./acl-world.ts";
import { OK, array, bulk, map } from "./raw-replies.ts";

describe("ACL WHOAMI", () => {
  test("names the user", async () => {
    const world = new AclWorld();
    expect(await world.ask(["ACL", "WHOAMI"])).toBe(bulk("default"));
    world.client.user = "b\xffb";
    expect(await world.ask(["ACL", "WHOAMI"])).toBe(bulk("b\xffb"));
    world.client.user = null;
    expect(await world.ask(["ACL", "WHOAMI"])).toBe("$-1\r\n");
  });
});

describe("ACL CAT", () => {
  test("lists the categories in Redis' order", async () => {
    const reply = await new AclWorld().ask(["ACL", "CAT"]);
    expect(reply.startsWith(`*21\r\n${bulk("keyspace")}${bulk("read")}${bulk("write")}`)).toBe(
      true,
    );
    expect(reply.endsWith(`${bulk("transaction")}${bulk("scripting")}`)).toBe(true);
  });

  test("lists commands and sub-commands of a category, in any case", async () => {
    const world = new AclWorld();
    const dangerous = await world.ask(["ACL", "CAT", "DANGerous"]);
    for (const name of ["acl|setuser", "config|set", "flushall", "keys", "client|kill"]) {
      expect(dangerous).toContain(bulk(name));
    }
    for (const name of ["acl", "acl|whoami", "get", "config"]) {
      expect(dangerous).not.toContain(bulk(name));
    }
    expect(await world.ask(["ACL", "CAT", "scripting"])).toBe("*0\r\n");
  });

  test("(F33) every command and sub-command is in a category", async () => {
    const world = new AclWorld();
    const replies = await Promise.all(
      world.catalogue.categories.map((category) => world.ask(["ACL", "CAT", category])),
    );
    const listed = replies.join("");
    const names = world.catalogue.commands
      .flatMap((command) => [command, ...command.subcommands])
      .filter(({ isForeseen }) => isForeseen !== true);
    expect(names.filter(({ name }) => !listed.includes(bulk(name)))).toEqual([]);
  });

  test("refuses what is no category, and more than one", async () => {
    const world = new AclWorld();
    expect(await world.ask(["ACL", "CAT", "nope\0x"])).toBe("-ERR Unknown category 'nope'\r\n");
    expect(await world.ask(["ACL", "cAt", "a", "b"])).toBe(
      "-ERR unknown subcommand or wrong number of arguments for 'cAt'. Try ACL HELP.\r\n",
    );
  });
});

describe("ACL GENPASS", () => {
  test.each([
    [[], 64],
    [["1"], 1],
    [["4"], 1],
    [["5"], 2],
    [["9"], 3],
    [["4096"], 1024],
  ])("%j gives %i digits", async (words, digits) => {
    const reply = await new AclWorld().ask(["ACL", "GENPASS", ...words]);
    expect(reply).toBe(bulk("ab".repeat(512).slice(0, digits)));
  });

  test.each(["0", "-1", "4097", "9223372036854775807"])("refuses %s bits", async (bits) => {
    expect(await new AclWorld().ask(["ACL", "GENPASS", bits])).toBe(
      "-ERR ACL GENPASS argument must be the number of bits for the output password, a positive number up to 4096\r\n",
    );
  });

  test.each([
    [["x"], "-ERR value is not an integer or out of range\r\n"],
    [["99999999999999999999"], "-ERR value is not an integer or out of range\r\n"],
    [
      ["1", "2"],
      "-ERR unknown subcommand or wrong number of arguments for 'GENPASS'. Try ACL HELP.\r\n",
    ],
  ])("refuses %j", async (words, expected) => {
    expect(await new AclWorld().ask(["ACL", "GENPASS", ...words])).toBe(expected);
  });
});

describe("ACL LOG", () => {
  const entry = (shape: typeof array, object: string, age: string): string =>
    shape(
      bulk("count"),
      ":1\r\n",
      bulk("reason"),
      bulk("key"),
      bulk("context"),
      bulk("toplevel"),
      bulk("object"),
      bulk(object),
      bulk("username"),
      bulk("bob"),
      bulk("age-seconds"),
      age,
      bulk("client-info"),
      bulk("id=1"),
    );

  function worldWithDenials(count: number): AclWorld {
    const world = new AclWorld();
    for (let index = 0; index < count; index++) {
      const object = `k${index}\xff`;
      world.log.add({ reason: "key", object, username: "bob", clientInfo: "id=1" }, world.nowMs);
    }
    world.nowMs += 1500;
    return world;
  }

  test("shows Redis 7.0's seven fields in RESP2 and RESP3", async () => {
    const world = worldWithDenials(2);
    expect(await world.ask(["ACL", "LOG"])).toBe(
      array(entry(array, "k1\xff", bulk("1.5")), entry(array, "k0\xff", bulk("1.5"))),
    );
    expect(await world.ask(["ACL", "LOG", "1"], 3)).toBe(array(entry(map, "k1\xff", ",1.5\r\n")));
  });

  test.each([
    [[], 10],
    [["3"], 3],
    [["100"], 12],
    [["9223372036854775807"], 12],
    [["0"], 0],
    [["-5"], 0],
  ])("%j shows %i entries of twelve", async (words, count) => {
    const reply = await worldWithDenials(12).ask(["ACL", "LOG", ...words]);
    expect(reply.startsWith(`*${count}\r\n`)).toBe(true);
  });

  test("RESET empties it", async () => {
    const world = worldWithDenials(2);
    expect(await world.ask(["ACL", "LOG", "rEset"])).toBe(OK);
    expect(await world.ask(["ACL", "LOG"])).toBe("*0\r\n");
  });

  test.each([
    [["abc"], "-ERR value is not an integer or out of range\r\n"],
    [
      ["reset", "x"],
      "-ERR unknown subcommand or wrong number of arguments for 'LOG'. Try ACL HELP.\r\n",
    ],
  ])("refuses %j", async (words, expected) => {
    expect(await new AclWorld().ask(["ACL", "LOG", ...words])).toBe(expected);
  });
});

describe("ACL DRYRUN", () => {
  test("asks the check that requests go through, with the words as they came", async () => {
    const world = await worldWith(["bob"]);
    expect(await world.ask(["ACL", "DRYRUN", "bob", "SeT", "k\0\xff", ""])).toBe(OK);
    expect(world.judged?.words).toEqual(["SeT", "k\0\xff", ""]);
    expect(world.judged?.user.name).toBe("bob");
  });

  test.each([
    [Verdict.Command, ["GET", "k"], null, "run the 'get' command"],
    [Verdict.Command, ["ACL", "Cat"], null, "run the 'acl|cat' command"],
    [Verdict.Command, ["COMMAND"], null, "run the 'command' command"],
    [Verdict.Key, ["GET", "z"], "z", "access the 'z' key"],
    [Verdict.Channel, ["PUBLISH", "c", "x"], "c", "access the 'c' channel"],
  ])("says of verdict %i about %j what Redis says", async (verdict, words, denied, text) => {
    const world = new AclWorld();
    world.judgement = { kind: "judged", verdict, denied };
    for (const protocol of [2, 3] as const) {
      expect(await world.ask(["ACL", "DRYRUN", "default", ...words], protocol)).toBe(
        bulk(`This user has no permissions to ${text}`),
      );
    }
  });

  test("passes on that there is no such command", async () => {
    const world = new AclWorld();
    world.judgement = { kind: "notACommand", errorText: "ERR Command 'x' not found" };
    expect(await world.ask(["ACL", "DRYRUN", "default", "x"])).toBe(
      "-ERR Command 'x' not found\r\n",
    );
  });

  test("knows nobody", async () => {
    expect(await new AclWorld().ask(["ACL", "DRYRUN", "no\0body", "get", "k"])).toBe(
      "-ERR User 'no' not found\r\n",
    );
  });
});

describe("ACL EXPLAIN", () => {
  const finding = (selector: number, part: string, rule: string, text: string): string =>
    map(
      bulk("selector"),
      `:${selector}\r\n`,
      bulk("part"),
      bulk(part),
      bulk("allowed"),
      rule === "" || rule.startsWith("-") ? "#f\r\n" : "#t\r\n",
      bulk("rule"),
      rule === "" ? "_\r\n" : bulk(rule),
      bulk("text"),
      bulk(text),
    );

  test("names the rule that decides about each part, in each selector", async () => {
    const world = await worldWith(["bob", "on", "~a*", "+@read", "-mget", "(+mget ~b*)"]);
    world.denied = "c1";
    expect(await world.ask(["ACL", "EXPLAIN", "bob", "MGET", "b1", "c1"], 3)).toBe(
      map(
        bulk("allowed"),
        "#f\r\n",
        bulk("denied-part"),
        bulk("key"),
        bulk("denied-object"),
        bulk("c1"),
        bulk("findings"),
        array(
          finding(0, "command", "-mget", "'mget' is denied by '-mget'"),
          finding(0, "key", "", "to read key 1, 'b1', is allowed by no key pattern"),
          finding(0, "key", "", "to read key 2, 'c1', is allowed by no key pattern"),
          finding(1, "command", "+mget", "'mget' is allowed by '+mget'"),
          finding(1, "key", "~b*", "to read key 1, 'b1', is allowed by '~b*'"),
          finding(1, "key", "", "to read key 2, 'c1', is allowed by no key pattern"),
        ),
      ),
    );
  });

  test("says that a request is allowed, with nulls for what is denied", async () => {
    const reply = await new AclWorld().ask(["ACL", "EXPLAIN", "default", "acl", "whoami"]);
    expect(reply.startsWith(`*8\r\n${bulk("allowed")}:1\r\n${bulk("denied-part")}$-1\r\n`)).toBe(
      true,
    );
    expect(reply).toContain(
      bulk("'acl|whoami' is allowed by '+@all', as no rule behind it names it"),
    );
  });

  test("names the command that is denied", async () => {
    const world = await worldWith(["bob", "on"]);
    expect(await world.ask(["ACL", "EXPLAIN", "bob", "Acl", "Cat"])).toContain(
      `${bulk("denied-part")}${bulk("command")}${bulk("denied-object")}${bulk("acl|cat")}`,
    );
  });

  test("knows nobody, and no such command", async () => {
    const world = new AclWorld();
    expect(await world.ask(["ACL", "EXPLAIN", "nobody", "get", "k"])).toBe(
      "-ERR User 'nobody' not found\r\n",
    );
    expect(await world.ask(["ACL", "EXPLAIN", "default", "nope"])).toBe("-ERR no such command\r\n");
  });
});

describe("ACL without a sub-command it knows", () => {
  test.each([
    [["ACL"], "-ERR wrong number of arguments for 'acl' command\r\n"],
    [["ACL", "FOO"], "-ERR unknown subcommand 'FOO'. Try ACL HELP.\r\n"],
    [["ACL", "SETUSER"], "-ERR wrong number of arguments for 'acl|setuser' command\r\n"],
    [["ACL", "DRYRUN", "default"], "-ERR wrong number of arguments for 'acl|dryrun' command\r\n"],
    [["ACL", "WHOAMI", "x"], "-ERR wrong number of arguments for 'acl|whoami' command\r\n"],
  ])("%j is refused", async (words, expected) => {
    expect(await new AclWorld().ask(words)).toBe(expected);
  });

  test("HELP names every sub-command", async () => {
    const world = new AclWorld();
    const help = await world.ask(["ACL", "HELP"]);
    const container = world.catalogue.find("acl");
    for (const { name } of container?.subcommands ?? []) {
      expect(help).toMatch(new RegExp(`\\+${name.slice("acl|".length).toUpperCase()}\\b`));
    }
  });
});
