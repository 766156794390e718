import type { ConnectionOptions } from "node:tls";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startTestServer } from "./support/test-server.ts";
import type { TestServer } from "./support/test-server.ts";
import { TestCredentials, TlsRoom } from "./support/tls-room.ts";

let room: TlsRoom;
let alice: ConnectionOptions;
let nobody: ConnectionOptions;
let credentials: TestCredentials;

const REFUSED =
  "-NOAUTH the user of this client's certificate does not exist or may not be used\r\n";

beforeAll(async () => {
  room = await TlsRoom.create();
  alice = await room.client({
    name: "alice",
    uris: ["spiffe://test/alice", "spiffe://test/other"],
  });
  nobody = await room.client({ name: "nobody" });
});

beforeEach(() => {
  credentials = new TestCredentials(room.credentials.server, [room.authority]);
});

async function start(config: Parameters<typeof startTestServer>[0] = {}): Promise<TestServer> {
  const test = await startTestServer({
    credentials,
    config: { tlsAuthClientsUser: "CN", ...config.config },
  });
  set(test, "alice", "on", "resetpass", "~a:*", "+@all");
  return test;
}

function set(test: TestServer, name: string, ...rules: string[]): void {
  const outcome = test.access.state.apply({ kind: "set", name, rules });
  if (!outcome.ok) throw new Error(outcome.errorText);
}

async function refusal(test: TestServer, options: ConnectionOptions): Promise<string> {
  return (await test.connectTls(options)).rest();
}

describe("users by certificate (S30, F86)", () => {
  it("makes a client the user that its certificate names, with its rights and no others", async () => {
    const test = await start();
    const client = await test.connectTls(alice);
    expect(await client.ask("ACL", "WHOAMI")).toBe("$5\r\nalice\r\n");
    expect(await client.ask("SET", "a:1", "v")).toBe("+OK\r\n");
    expect(await client.ask("SET", "b:1", "v")).toMatch(/^-NOPERM/);
    expect(await client.ask("CLIENT", "INFO")).toContain("user=alice");
    expect(test.access.events).toContainEqual(
      expect.objectContaining({
        action: "auth.accepted",
        method: "certificate",
        user: "alice",
        client: expect.objectContaining({ isTls: true }) as object,
      }),
    );
  });

  it("refuses a user that there is none, and never makes it the default user", async () => {
    const test = await start();
    expect(await refusal(test, nobody)).toBe(REFUSED);
    expect(test.access.guard.counters.deniedCertificates).toBe(1);
    expect(test.access.view.log.entries()).toMatchObject([
      { reason: "tls-cert", object: "tls-cert", username: "nobody", count: 1 },
    ]);
    expect(test.access.events).toContainEqual(
      expect.objectContaining({
        action: "auth.refused",
        method: "certificate",
        user: "nobody",
        reason: "no such user",
      }),
    );
    expect(test.server.counters.commandsProcessed).toBe(0);
  });

  it("refuses users that are disabled or have expired, in the same words (S14)", async () => {
    const test = await start();
    set(test, "alice", "off");
    expect(await refusal(test, alice)).toBe(REFUSED);
    set(test, "alice", "on", `expire-at=${Math.floor(test.clock.time / 1000) - 1}`);
    expect(await refusal(test, alice)).toBe(REFUSED);
    expect(test.access.guard.counters.deniedCertificates).toBe(2);
  });

  it("refuses a certificate with two names of the kind", async () => {
    const test = await start({ config: { tlsAuthClientsUser: "SAN-URI" } });
    expect(await refusal(test, alice)).toMatch(
      /^-NOAUTH this certificate names no user: .* 2 names/,
    );
    expect(await refusal(test, nobody)).toMatch(
      /^-NOAUTH this certificate names no user: .* no names/,
    );
  });

  it("follows the rules that map names to users", async () => {
    const rule = { name: "no", isPrefix: true, user: "alice" };
    const test = await start({ config: { tlsAuthClientsUserMap: [rule] } });
    const client = await test.connectTls(nobody);
    expect(await client.ask("ACL", "WHOAMI")).toBe("$5\r\nalice\r\n");
  });

  it("answers LOADING as long as nobody may be honoured", async () => {
    const test = await start();
    test.access.state.refusal = "LOADING Redis is loading the dataset in memory";
    expect(await refusal(test, alice)).toBe("-LOADING Redis is loading the dataset in memory\r\n");
    test.access.state.refusal = null;
    expect(await (await test.connectTls(alice)).ask("PING")).toBe("+PONG\r\n");
  });

  it("lets AUTH make the client somebody else, and RESET makes it what its certificate says", async () => {
    const test = await start();
    set(test, "bob", "on", "nopass", "+@all", "~*");
    const client = await test.connectTls(alice);
    expect(await client.ask("AUTH", "bob", "x")).toBe("+OK\r\n");
    expect(await client.ask("ACL", "WHOAMI")).toBe("$3\r\nbob\r\n");
    expect(await client.ask("AUTH", "bob2", "x")).toMatch(/^-WRONGPASS/);
    expect(await client.ask("ACL", "WHOAMI")).toBe("$3\r\nbob\r\n");
    expect(await client.ask("RESET")).toBe("+RESET\r\n");
    expect(await client.ask("ACL", "WHOAMI")).toBe("$5\r\nalice\r\n");
  });

  it("closes the connection when its user is deleted, and does not know a new one of that name", async () => {
    const test = await start();
    const client = await test.connectTls(alice);
    await client.ask("PING");
    test.access.state.apply({ kind: "delete", names: ["alice"] });
    await client.closed;
    expect(await refusal(test, alice)).toBe(REFUSED);
  });

  it("leaves nobody to be after RESET when the certificate's user is gone", async () => {
    const test = await start();
    set(test, "bob", "on", "nopass", "+@all", "~*");
    const client = await test.connectTls(alice);
    await client.ask("AUTH", "bob", "x");
    test.access.state.apply({ kind: "delete", names: ["alice"] });
    expect(await client.ask("PING")).toBe("+PONG\r\n");
    await client.ask("RESET");
    expect(await client.ask("GET", "k")).toMatch(/^-NOAUTH/);
  });

  it("counts connections of a user against max-clients=", async () => {
    const test = await start();
    set(test, "alice", "max-clients=1");
    const first = await test.connectTls(alice);
    await first.ask("PING");
    expect(await refusal(test, alice)).toMatch(/^-ERR this user may have 1 connections/);
  });

  it("asks clients without a certificate to log in where certificates are optional", async () => {
    const config = { tlsAuthClients: "optional", requirepass: "secret" } as const;
    const test = await start({ config });
    const client = await test.connectTls(room.anonymous);
    expect(await client.ask("GET", "k")).toMatch(/^-NOAUTH/);
    expect(test.server.strangerCount).toBe(1);
  });

  it("counts nobody that a certificate names as a stranger (S23)", async () => {
    const test = await start({ config: { requirepass: "secret" } });
    const client = await test.connectTls(alice);
    await client.ask("PING");
    expect(test.server.strangerCount).toBe(0);
  });

  it("follows tls-auth-clients-user for new connections", async () => {
    const test = await start();
    test.change({ tlsAuthClientsUser: "off" });
    const client = await test.connectTls(nobody);
    expect(await client.ask("ACL", "WHOAMI")).toBe("$7\r\ndefault\r\n");
  });
});
