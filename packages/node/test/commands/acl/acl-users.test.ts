/** Expected replies were read from redis-server 7.0.15. */
import { describe, expect, test } from "vitest";
import { AclWorld, storedForm, worldWith } from "./acl-world.ts";
import { OK, array, bulk, map, set } from "./raw-replies.ts";

describe("ACL SETUSER", () => {
  test("(F17) makes a user that may do nothing yet", async () => {
    const world = await worldWith(["bob"]);
    expect(await world.ask(["ACL", "LIST"])).toBe(
      array(bulk("user bob off resetchannels -@all"), bulk("user default on nopass ~* &* +@all")),
    );
  });

  test("keeps names and patterns as the bytes they came as", async () => {
    const world = await worldWith(["b\xffb", "~\xc3\xa4*"]);
    expect(await world.ask(["ACL", "USERS"])).toBe(array(bulk("b\xffb"), bulk("default")));
    expect(await world.ask(["ACL", "LIST"])).toContain("user b\xffb off ~\xc3\xa4* ");
  });

  test.each(["a b", "a\0b", "a\tb", "a\nb", "a\vb", "a\fb", "a\rb", " "])(
    "(F28) refuses the name %j without hashing or proposing anything",
    async (name) => {
      const world = new AclWorld();
      expect(await world.ask(["ACL", "SETUSER", name, ">pw"])).toBe(
        "-ERR Usernames can't contain spaces or null characters\r\n",
      );
      expect(world.proposals).toEqual([]);
    },
  );

  test("(F28) takes an empty name, as Redis does", async () => {
    const world = await worldWith([""]);
    expect(await world.ask(["ACL", "USERS"])).toBe(array(bulk(""), bulk("default")));
  });

  test("(S02) never proposes a password", async () => {
    const world = await worldWith(["bob", ">sesame"]);
    expect(JSON.stringify(world.proposals)).not.toContain("sesame");
    expect(world.proposals).toEqual([
      {
        proposal: { kind: "set", name: "bob", rules: [`#${storedForm("sesame")}`] },
        client: world.client,
      },
    ]);
  });

  test("(F27) leaves the user untouched when a rule is wrong", async () => {
    const world = await worldWith(["bob", "on", "+get"]);
    const before = await world.ask(["ACL", "LIST"]);
    expect(await world.ask(["ACL", "SETUSER", "bob", "off", "+nonsense"])).toBe(
      "-ERR Error in ACL SETUSER modifier '+nonsense': Unknown command or category name in ACL\r\n",
    );
    expect(await world.ask(["ACL", "LIST"])).toBe(before);
  });

  test("refuses what is wrong before anything is hashed or proposed", async () => {
    const world = new AclWorld();
    expect(await world.ask(["ACL", "SETUSER", "bob", ">pw", "(+get"])).toBe(
      "-ERR Unmatched parenthesis in acl selector starting at '(+get'.\r\n",
    );
    expect(world.proposals).toEqual([]);
  });

  test("passes on what the preparation of the rules says", async () => {
    const world = new AclWorld();
    expect(await world.ask(["ACL", "SETUSER", "bob", ">busy"])).toBe("-ERR too busy\r\n");
    expect(world.proposals).toEqual([]);
  });

  test("answers with the error when the change could not be agreed on", async () => {
    const world = new AclWorld();
    world.proposalError = "CLUSTERDOWN no leader is known";
    expect(await world.ask(["ACL", "SETUSER", "bob"])).toBe("-CLUSTERDOWN no leader is known\r\n");
  });

  test("answers only when the change was applied", () => {
    const world = new AclWorld();
    world.begin(["ACL", "SETUSER", "bob"]);
    expect([world.isWaiting, world.taken()]).toEqual([true, ""]);
  });

  test("writes nothing to a client that has left meanwhile, and the change is made", async () => {
    const world = new AclWorld();
    world.begin(["ACL", "SETUSER", "bob"]);
    world.leave();
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
    expect(world.users.get("bob")).toBeDefined();
    expect(world.taken()).toBe("");
  });
});

describe("ACL GETUSER", () => {
  const rules = ["on", "~a*", "%R~b*", "&ch*", "+@read", "+get", "-mget", "(+set ~c* %W~d*)"];

  test("describes a user with selectors, in RESP2 and RESP3", async () => {
    const world = await worldWith(["bob", ...rules, ">pw"]);
    const values = (shape: typeof array, flags: typeof array): string =>
      shape(
        bulk("flags"),
        flags(bulk("on")),
        bulk("passwords"),
        array(bulk(storedForm("pw"))),
        bulk("commands"),
        bulk("-@all +@read -mget"),
        bulk("keys"),
        bulk("~a* %R~b*"),
        bulk("channels"),
        bulk("&ch*"),
        bulk("selectors"),
        array(
          shape(
            bulk("commands"),
            bulk("-@all +set"),
            bulk("keys"),
            bulk("~c* %W~d*"),
            bulk("channels"),
            bulk(""),
          ),
        ),
      );
    expect(await world.ask(["ACL", "GETUSER", "bob"])).toBe(values(array, array));
    expect(await world.ask(["ACL", "GETUSER", "bob"], 3)).toBe(values(map, set));
  });

  test("describes the default user", async () => {
    const reply = await new AclWorld().ask(["ACL", "GETUSER", "default"], 3);
    expect(reply).toBe(
      map(
        bulk("flags"),
        set(bulk("on"), bulk("nopass")),
        bulk("passwords"),
        array(),
        bulk("commands"),
        bulk("+@all"),
        bulk("keys"),
        bulk("~*"),
        bulk("channels"),
        bulk("&*"),
        bulk("selectors"),
        array(),
      ),
    );
  });

  test("knows nobody", async () => {
    const world = new AclWorld();
    expect(await world.ask(["ACL", "GETUSER", "nobody"])).toBe("$-1\r\n");
    expect(await world.ask(["ACL", "GETUSER", "nobody"], 3)).toBe("_\r\n");
  });

  test.each([
    ["sanitize-payload", "sanitize-payload"],
    ["skip-sanitize-payload", "skip-sanitize-payload"],
  ])("shows the flag %s once it was set", async (rule, flag) => {
    const world = await worldWith(["bob", rule]);
    expect(await world.ask(["ACL", "GETUSER", "bob"])).toContain(array(bulk("off"), bulk(flag)));
  });

  test("shows the limits that Redis does not know behind its fields, and only those that are set", async () => {
    const world = await worldWith(["bob", "expire-at=2000000000", "ops-per-sec=50"]);
    const reply = await world.ask(["ACL", "GETUSER", "bob"], 3);
    expect(reply.startsWith("%8\r\n")).toBe(true);
    expect(reply.endsWith(`${bulk("expire-at")}:2000000000\r\n${bulk("ops-per-sec")}:50\r\n`)).toBe(
      true,
    );
  });
});

describe("ACL DELUSER", () => {
  test("(F98) deletes all it names that exist, in one change, and counts them", async () => {
    const world = await worldWith(["a"], ["b"], ["c"]);
    expect(await world.ask(["ACL", "DELUSER", "a", "b", "nobody", "a"])).toBe(":2\r\n");
    expect(await world.ask(["ACL", "USERS"])).toBe(array(bulk("c"), bulk("default")));
    expect(world.proposals.at(-1)?.proposal).toEqual({
      kind: "delete",
      names: ["a", "b", "nobody", "a"],
    });
  });

  test("deletes nobody when the default user is among them", async () => {
    const world = await worldWith(["a"]);
    expect(await world.ask(["ACL", "DELUSER", "a", "default"])).toBe(
      "-ERR The 'default' user cannot be removed\r\n",
    );
    expect(world.users.get("a")).toBeDefined();
  });

  test("answers with the error when the change could not be agreed on", async () => {
    const world = new AclWorld();
    world.proposalError = "UNKNOWNOUTCOME the leader was lost";
    expect(await world.ask(["ACL", "DELUSER", "a"])).toBe(
      "-UNKNOWNOUTCOME the leader was lost\r\n",
    );
  });
});

describe("ACL SAVE and LOAD", () => {
  test("SAVE answers when the file is written, or with the error", async () => {
    const world = new AclWorld();
    expect(await world.ask(["ACL", "SAVE"])).toBe(OK);
    world.saveError = "ERR the disk can only be read";
    expect(await world.ask(["ACL", "SAVE"])).toBe("-ERR the disk can only be read\r\n");
    expect(world.saves).toBe(2);
  });

  test("(F51) (F99) LOAD makes the users of the file all there are, as one change of the cluster", async () => {
    const world = await worldWith(["old"]);
    world.file = {
      ok: true,
      lines: ["user default on nopass ~* &* +@all", "user new on resetchannels -@all"],
    };
    expect(await world.ask(["ACL", "LOAD"])).toBe(OK);
    expect(await world.ask(["ACL", "USERS"])).toBe(array(bulk("default"), bulk("new")));
    expect(world.proposals.at(-1)).toEqual({
      proposal: { kind: "replace", lines: world.file.lines },
      client: world.client,
    });
  });

  test("(F55) LOAD changes nothing when a line of the file is wrong, and says which", async () => {
    const world = await worldWith(["old"]);
    const changes = world.proposals.length;
    world.file = { ok: false, errorText: "ERR /data/acl.conf:3: no such rule" };
    expect(await world.ask(["ACL", "LOAD"])).toBe("-ERR /data/acl.conf:3: no such rule\r\n");
    expect(world.proposals).toHaveLength(changes);
  });

  test("LOAD answers with the error when the change could not be agreed on", async () => {
    const world = new AclWorld();
    world.proposalError = "CLUSTERDOWN no leader is known";
    expect(await world.ask(["ACL", "LOAD"])).toBe("-CLUSTERDOWN no leader is known\r\n");
  });
});
