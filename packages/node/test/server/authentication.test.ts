import { describe, expect, it } from "vitest";
import { request } from "./support/raw-client.ts";
import { startTestServer } from "./support/test-server.ts";
import { until } from "./support/until.ts";

const config = { requirepass: "secret" };
const NOAUTH = "-NOAUTH Authentication required.\r\n";
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

  it("S25 guesses wait in a bounded line that the right password does not stand in", async () => {
    const test = await startTestServer({ config });
    const guessers = [];
    for (let number = 0; number < 80; number++) guessers.push(await test.connect());
    const answers = Promise.all(guessers.map((one, number) => one.ask("AUTH", `guess${number}`)));
    await until(() => [...test.server.clients()].filter((one) => one.isBlocked).length === 64);
    const owner = await test.connect();
    expect(await owner.ask("AUTH", "secret")).toBe("+OK\r\n");
    expect([...test.server.clients()].filter((one) => one.isBlocked).length).toBeGreaterThan(50);
    for (const guesser of guessers) guesser.destroy();
    await Promise.allSettled([answers]);
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

  it("follows a change of requirepass; who is in stays in", async () => {
    const test = await startTestServer({ config });
    const inside = await test.connect();
    await inside.ask("AUTH", "secret");
    const next = { ...test.server.config(), requirepass: "other" };
    test.server.applyConfig(next, new Set(["requirepass"]));
    const client = await test.connect();
    expect(await client.ask("AUTH", "secret")).toBe(WRONGPASS);
    expect(await client.ask("AUTH", "other")).toBe("+OK\r\n");
    expect(await inside.ask("PING")).toBe("+PONG\r\n");
    test.server.applyConfig({ ...next, requirepass: "" }, new Set(["requirepass"]));
    const open = await test.connect();
    expect(await open.ask("PING")).toBe("+PONG\r\n");
  });
});

describe("without requirepass", () => {
  it("AUTH answers as Redis does when nobody set a password", async () => {
    const test = await startTestServer();
    const client = await test.connect();
    expect(await client.ask("AUTH", "x")).toBe(
      "-ERR AUTH <password> called without any password configured for the default user. " +
        "Are you sure your configuration is correct?\r\n",
    );
    expect(await client.ask("AUTH", "default", "anything")).toBe("+OK\r\n");
    expect(await client.ask("AUTH", "nobody", "x")).toBe(WRONGPASS);
    expect(await client.ask("AUTH", "a", "b", "c")).toBe("-ERR syntax error\r\n");
  });
});
