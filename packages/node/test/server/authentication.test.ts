import { describe, expect, it } from "vitest";
import { request } from "./support/raw-client.ts";
import { startTestServer } from "./support/test-server.ts";
import { until } from "./support/until.ts";

const config = { requirepass: "secret" };
const NOAUTH = "-NOAUTH Authentication required.\r\n";
const OK = "+OK\r\n";
const KEY_DENIED =
  "-NOPERM this user has no permissions to access one of the keys used as arguments\r\n";

function denied(command: string): string {
  return `-NOPERM this user has no permissions to run the '${command}' command\r\n`;
}
const WRONGPASS = "-WRONGPASS invalid username-password pair or user is disabled.\r\n";

describe("with requirepass", () => {
  it("nothing but what Redis allows runs before AUTH", async () => {
    const test = await startTestServer({ config });
    const client = await test.connect();
    for (const words of [["PING"], ["GET", "a"], ["SET", "a", "1"], ["CLIENT", "ID"], ["INFO"]]) {
      expect(await client.ask(...words)).toBe(NOAUTH);
    }
    expect(await client.ask("RESET")).toBe("+RESET\r\n");
    expect(test.replica.keyspace.size).toBe(0);
    expect(await client.ask("QUIT")).toBe("+OK\r\n");
  });

  it("unknown commands and wrong numbers of arguments are told first, as in Redis", async () => {
    const test = await startTestServer({ config });
    const client = await test.connect();
    const unknown = "-ERR unknown command 'NOPE', with args beginning with: \r\n";
    expect(await client.ask("NOPE")).toBe(unknown);
    const arity = "-ERR wrong number of arguments for 'get' command\r\n";
    expect(await client.ask("GET")).toBe(arity);
  });

  it("the right password opens the connection, alone or with the user's name", async () => {
    const test = await startTestServer({ config });
    const one = await test.connect();
    expect(await one.ask("AUTH", "secret")).toBe("+OK\r\n");
    expect(await one.ask("PING")).toBe("+PONG\r\n");
    const other = await test.connect();
    expect(await other.ask("AUTH", "default", "secret")).toBe("+OK\r\n");
    expect(await other.ask("PING")).toBe("+PONG\r\n");
  });

  it("a wrong password or user is refused, and what was open stays open", async () => {
    const test = await startTestServer({ config });
    const client = await test.connect();
    expect(await client.ask("AUTH", "wrong")).toBe(WRONGPASS);
    expect(await client.ask("AUTH", "nobody", "secret")).toBe(WRONGPASS);
    expect(await client.ask("PING")).toBe(NOAUTH);
    expect(await client.ask("AUTH", "secret")).toBe("+OK\r\n");
    expect(await client.ask("AUTH", "wrong")).toBe(WRONGPASS);
    expect(await client.ask("PING")).toBe("+PONG\r\n");
  });

  it("commands behind a wrong AUTH in one pipeline wait for its answer", async () => {
    const test = await startTestServer({ config });
    const client = await test.connect();
    client.send("AUTH wrong", "SET a 1", "AUTH secret", "SET a 2", "GET a");
    const all = `${WRONGPASS}${NOAUTH}+OK\r\n+OK\r\n$1\r\n2\r\n`;
    expect(await client.expectBytes(all)).toBe(all);
  });

  it("RESET closes what AUTH opened", async () => {
    const test = await startTestServer({ config });
    const client = await test.connect();
    await client.ask("AUTH", "secret");
    expect(await client.ask("RESET")).toBe("+RESET\r\n");
    expect(await client.ask("PING")).toBe(NOAUTH);
  });

  it("HELLO tells how to log in, and does it", async () => {
    const test = await startTestServer({ config });
    const client = await test.connect();
    expect(await client.ask("HELLO", "3")).toMatch(
      /^-NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO AUTH <user> <pass> option /,
    );
    expect(await client.ask("HELLO", "3", "AUTH", "default", "wrong")).toBe(WRONGPASS);
    expect(await client.ask("PING")).toBe(NOAUTH);
    const greeting = await client.ask("HELLO", "3", "AUTH", "default", "secret", "SETNAME", "me");
    expect(greeting).toMatch(/^%7\r\n/);
    expect(await client.ask("CLIENT", "GETNAME")).toBe("$2\r\nme\r\n");
  });

  it("a client that leaves while its guess is checked is forgotten", async () => {
    const test = await startTestServer({ config });
    const client = await test.connect();
    client.write(request("AUTH", "wrong") + request("PING"));
    await until(() => [...test.server.clients()].some((one) => one.isBlocked));
    client.destroy();
    await until(() => test.server.clientCount === 0);
    const other = await test.connect();
    // Stands in line behind the other guess: its answer shows that the line moves on.
    expect(await other.ask("AUTH", "wrong")).toBe(WRONGPASS);
  });

  it("follows a change of requirepass; who logged in stays in, who never did has to (F7, F8)", async () => {
    const test = await startTestServer({});
    const never = await test.connect();
    expect(await never.ask("PING")).toBe("+PONG\r\n");
    const admin = await test.connect();
    admin.send("CONFIG SET requirepass other", "GET a");
    expect(await admin.expectBytes(`+OK\r\n${NOAUTH}`)).toBe(`+OK\r\n${NOAUTH}`);
    expect(await never.ask("PING")).toBe(NOAUTH);
    expect(await never.ask("AUTH", "secret")).toBe(WRONGPASS);
    expect(await never.ask("AUTH", "other")).toBe("+OK\r\n");
    expect(await never.ask("CONFIG", "SET", "requirepass", "third")).toBe("+OK\r\n");
    expect(await never.ask("PING")).toBe("+PONG\r\n");
    expect(await never.ask("CONFIG", "SET", "requirepass", "")).toBe("+OK\r\n");
    expect(await admin.ask("PING")).toBe("+PONG\r\n");
    const open = await test.connect();
    expect(await open.ask("PING")).toBe("+PONG\r\n");
  });
});

describe("users", () => {
  it("act by their rules, and by new rules from the next command on (F31, F42)", async () => {
    const test = await startTestServer();
    const admin = await test.connect();
    const alice = await test.connect();
    expect(await admin.ask("ACL", "SETUSER", "alice", "on", ">pw", "~a:*", "+get", "+set")).toBe(
      OK,
    );
    expect(await alice.ask("AUTH", "alice", "pw")).toBe(OK);
    expect(await alice.ask("SET", "a:1", "x")).toBe(OK);
    expect(await alice.ask("DEL", "a:1")).toBe(denied("del"));
    expect(await alice.ask("GET", "b:1")).toBe(KEY_DENIED);
    await admin.ask("ACL", "SETUSER", "alice", "-set", "+del");
    expect(await alice.ask("SET", "a:1", "y")).toBe(denied("set"));
    expect(await alice.ask("DEL", "a:1")).toBe(":1\r\n");
  });

  it("that lost the right to change users while their change was prepared change nothing (S03)", async () => {
    const test = await startTestServer();
    const admin = await test.connect();
    await admin.ask("ACL", "SETUSER", "boss", "on", "nopass", "+@all", "~*");
    const boss = await test.connect();
    await boss.ask("AUTH", "boss", "x");
    // Its command has passed the check at the edge; passwords are being hashed.
    const client = [...test.server.clients()].find((one) => one.user === "boss")!;
    await admin.ask("ACL", "SETUSER", "boss", "-acl|setuser");
    const proposal = { kind: "set", name: "eve", rules: ["on", "nopass", "+@all"] } as const;
    const outcome = await new Promise((resolve) => {
      test.access.view.propose(proposal, client, resolve);
    });
    const errorText = denied("acl|setuser").slice(1, -2);
    expect(outcome).toEqual({ ok: false, errorText });
    expect(test.access.state.users().get("eve")).toBeUndefined();
  });

  it("that are deleted or disabled lose their connections, the others nothing (S09, D16, F43, F44)", async () => {
    const test = await startTestServer();
    const admin = await test.connect();
    for (const name of ["alice", "bob", "carol"]) {
      await admin.ask("ACL", "SETUSER", name, "on", "nopass", "+@all", "~*");
    }
    const [alice, bob, carol] = [await test.connect(), await test.connect(), await test.connect()];
    await alice.ask("AUTH", "alice", "x");
    await bob.ask("AUTH", "bob", "x");
    await carol.ask("AUTH", "carol", "x");
    expect(await admin.ask("ACL", "DELUSER", "alice")).toBe(":1\r\n");
    await alice.closed;
    await admin.ask("ACL", "SETUSER", "bob", "off");
    await bob.closed;
    expect(await carol.ask("ACL", "WHOAMI")).toBe("$5\r\ncarol\r\n");
  });

  it("of the same name as a deleted one are other users (S09)", async () => {
    const test = await startTestServer();
    const admin = await test.connect();
    await admin.ask("ACL", "SETUSER", "alice", "on", "nopass", "+@all", "~*");
    test.replica.autoCommit = false;
    const alice = await test.connect();
    await alice.ask("AUTH", "alice", "x");
    await admin.ask("ACL", "DELUSER", "alice");
    await admin.ask("ACL", "SETUSER", "alice", "on", "nopass", "+@all", "~*");
    await alice.closed;
  });

  it("are told the same whatever is wrong with their login (S14, D5, F11, F14)", async () => {
    const test = await startTestServer();
    const admin = await test.connect();
    await admin.ask("ACL", "SETUSER", "off", ">pw", "+@all");
    await admin.ask("ACL", "SETUSER", "bare", "on", "+@all");
    await admin.ask("ACL", "SETUSER", "on", "on", ">pw", "+@all");
    const client = await test.connect();
    for (const user of ["nobody", "off", "bare", "on"]) {
      expect(await client.ask("AUTH", user, "wrong")).toBe(WRONGPASS);
    }
    expect(await client.ask("AUTH", "off", "pw")).toBe(WRONGPASS);
    expect(await client.ask("ACL", "WHOAMI")).toBe("$7\r\ndefault\r\n");
  });

  it("that are held to a rate are told when they pass it", async () => {
    const test = await startTestServer();
    const admin = await test.connect();
    await admin.ask("ACL", "SETUSER", "slow", "on", "nopass", "+@all", "~*", "ops-per-sec=3");
    const slow = await test.connect();
    await slow.ask("AUTH", "slow", "x");
    for (let call = 0; call < 3; call++) expect(await slow.ask("GET", "a")).toBe("$-1\r\n");
    expect(await slow.ask("GET", "a")).toMatch(/^-ERR this user may run 3 commands per second/);
    test.clock.time += 1000;
    expect(await slow.ask("GET", "a")).toBe("$-1\r\n");
  });

  it("with max-clients have no more connections than that", async () => {
    const test = await startTestServer();
    const admin = await test.connect();
    await admin.ask("ACL", "SETUSER", "one", "on", "nopass", "+@all", "max-clients=1");
    const first = await test.connect();
    expect(await first.ask("AUTH", "one", "x")).toBe(OK);
    expect(await first.ask("AUTH", "one", "x")).toBe(OK);
    const second = await test.connect();
    expect(await second.ask("AUTH", "one", "x")).toMatch(/^-ERR this user may have 1 connections/);
    first.destroy();
    await until(() => test.server.clientCount === 2);
    expect(await second.ask("AUTH", "one", "x")).toBe(OK);
  });

  it("are not honoured by a node that can not know who may do what", async () => {
    const test = await startTestServer();
    const client = await test.connect();
    test.access.state.refusal = "CLUSTERDOWN no contact";
    expect(await client.ask("GET", "a")).toBe("-CLUSTERDOWN no contact\r\n");
    expect(await client.ask("SET", "a", "1")).toBe("-CLUSTERDOWN no contact\r\n");
    expect(await client.ask("AUTH", "default", "x")).toBe("-CLUSTERDOWN no contact\r\n");
    expect(await client.ask("PING")).toBe("+PONG\r\n");
    expect(await client.ask("FERRITE.STATUS")).toMatch(/^\*/);
    test.access.state.refusal = null;
    expect(await client.ask("GET", "a")).toBe("$-1\r\n");
  });
});

describe("the audit trail", () => {
  it("is told of logins, denials, changes of users and settings, and dangerous commands (S50, F87, F90-F94)", async () => {
    const test = await startTestServer();
    const admin = await test.connect();
    await admin.ask("ACL", "SETUSER", "alice", "on", ">secret-pw", "~a:*", "+get");
    const alice = await test.connect();
    await alice.ask("AUTH", "alice", "wrong-pw");
    await alice.ask("AUTH", "alice", "secret-pw");
    await alice.ask("GET", "b");
    await alice.ask("SET", "a:1", "x");
    await admin.ask("CONFIG", "SET", "maxclients", "77");
    await admin.ask("KEYS", "*");
    await admin.ask("ACL", "DELUSER", "alice");
    const actions = test.access.events.map((event) => event.action);
    expect(actions).toEqual([
      "acl.setuser",
      "auth.refused",
      "auth.accepted",
      "denied.key",
      "denied.command",
      "config.set",
      "command.dangerous",
      "connection.revoked",
      "acl.deluser",
    ]);
    const told = JSON.stringify(test.access.events);
    expect(told).not.toContain("secret-pw");
    expect(told).not.toContain("wrong-pw");
    expect(told).not.toMatch(/pbkdf2-sha256\$/);
  });

  it("that is set to block stops logins and changes while it can not be written (S52)", async () => {
    const test = await startTestServer();
    const client = await test.connect();
    test.access.audit.refusalText = "ERR the audit trail can not be written";
    for (const words of [
      ["AUTH", "default", "x"],
      ["ACL", "SETUSER", "alice", "on"],
      ["ACL", "DELUSER", "alice"],
      ["CONFIG", "SET", "maxclients", "5"],
      ["FLUSHALL"],
    ]) {
      expect(await client.ask(...words)).toBe("-ERR the audit trail can not be written\r\n");
    }
    expect(await client.ask("GET", "a")).toBe("$-1\r\n");
    expect(await client.ask("CONFIG", "SET", "audit-on-failure", "drop")).toBe(OK);
  });
});
