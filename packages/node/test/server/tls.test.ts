import { X509Certificate } from "node:crypto";
import { connect } from "node:net";
import type { ConnectionOptions, TLSSocket } from "node:tls";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createAuthority } from "../../../cli/src/certs/index.ts";
import type { CertificatePair } from "../../../cli/src/certs/index.ts";
import { RawClient } from "./support/raw-client.ts";
import { startTestServer } from "./support/test-server.ts";
import type { TestServer } from "./support/test-server.ts";
import { fingerprintOf, TestCredentials, TlsRoom } from "./support/tls-room.ts";
import { until } from "./support/until.ts";

let room: TlsRoom;
let alice: ConnectionOptions;
let bob: ConnectionOptions;
let stranger: ConnectionOptions;
let otherAuthority: CertificatePair;
let credentials: TestCredentials;

beforeAll(async () => {
  room = await TlsRoom.create();
  alice = await room.client({ name: "alice" });
  bob = await room.client({ name: "bob" });
  otherAuthority = await createAuthority();
  stranger = await room.client({ name: "alice" }, otherAuthority);
});

beforeEach(() => {
  credentials = new TestCredentials(room.credentials.server, [room.authority]);
});

function start(config: Parameters<typeof startTestServer>[0] = {}): Promise<TestServer> {
  return startTestServer({ ...config, credentials });
}

function failures({ server }: TestServer): Record<string, number> {
  return Object.fromEntries(server.tls.failuresByReason().filter(([, count]) => count > 0));
}

/** Everything that comes until the connection is closed; also when it is cut off. */
async function outcome(test: TestServer, options: ConnectionOptions): Promise<string> {
  try {
    const client = await test.connectTls(options);
    // With TLS 1.3 a client is done before the server has looked at its certificate.
    const failed = new Promise<string>((resolve) => {
      client.socket.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? ""));
    });
    client.send("PING");
    const text = await client.rest();
    return text === "" ? await Promise.race([failed, Promise.resolve("")]) : text;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? (error as Error).message;
  }
}

describe("RESP over TLS", () => {
  it("serves commands, pipelines, binary and large values (F74)", async () => {
    const test = await start();
    const client = await test.connectTls(alice);
    const value = Buffer.alloc(1024 * 1024, 7).toString("latin1");
    expect(await client.ask("PING")).toBe("+PONG\r\n");
    client.write(
      Buffer.from(`*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$${value.length}\r\n${value}\r\n`, "latin1"),
    );
    expect(await client.reply()).toBe("+OK\r\n");
    client.send("GET k", "PING", "GET none");
    expect(await client.reply()).toBe(`$${value.length}\r\n${value}\r\n`);
    expect(await client.expectBytes("+PONG\r\n$-1\r\n")).toBe("+PONG\r\n$-1\r\n");
    expect(test.server.tls).toMatchObject({ handshakes: 1, connectedClients: 1 });
    expect(test.server.usesStaticTlsReads).toBe(true);
  });

  it.each(["TLSv1", "TLSv1.1"] as const)("refuses %s (S36, F83)", async (version) => {
    const test = await start();
    const old = {
      minVersion: version,
      maxVersion: version,
      ciphers: "DEFAULT@SECLEVEL=0",
    } as const;
    expect(await outcome(test, { ...alice, ...old })).toMatch(/PROTOCOL_VERSION/);
    await until(() => failures(test)["protocolVersion"] === 1);
  });

  it("speaks 1.2 with forward secrecy only and 1.3, and follows tls-protocols for new connections (S36)", async () => {
    const test = await start();
    const twelve = { ...alice, maxVersion: "TLSv1.2" } as const;
    const weak = { ...twelve, ciphers: "AES128-SHA:AES256-GCM-SHA384" };
    expect(await outcome(test, weak)).toMatch(/HANDSHAKE_FAILURE/);
    const open = await test.connectTls(twelve);
    expect((open.socket as TLSSocket).getCipher().name).toMatch(/^ECDHE-ECDSA-/);
    test.change({ tlsProtocols: ["TLSv1.3"] });
    expect(await outcome(test, twelve)).toMatch(/PROTOCOL_VERSION/);
    expect(await open.ask("PING")).toBe("+PONG\r\n");
    expect(await (await test.connectTls(alice)).ask("PING")).toBe("+PONG\r\n");
  });

  it("does not renegotiate (S36)", async () => {
    const test = await start();
    const client = await test.connectTls({ ...alice, maxVersion: "TLSv1.2" });
    const ended = new Promise<Error | null>((resolve) => {
      client.socket.on("error", resolve);
      client.socket.on("close", () => resolve(null));
      (client.socket as TLSSocket).renegotiate({ rejectUnauthorized: false }, resolve);
    });
    expect(await ended).toBeInstanceOf(Error);
  });

  it("lets a killed client with replies on their way go at once and serves the others (S36)", async () => {
    const test = await start();
    const admin = await test.connectTls(alice);
    const slow = await test.connectTls(bob);
    const id = /:(\d+)/.exec(await slow.ask("CLIENT", "ID"))?.[1] ?? "";
    const size = 4 * 1024 * 1024;
    await admin.ask("SET", "large", "x".repeat(size));
    slow.socket.pause();
    slow.send(...Array.from({ length: 8 }, () => "GET large"));
    await until(() => (test.server.clientById(Number(id))?.outputBufferBytes() ?? 0) > size);
    expect(await admin.ask("CLIENT", "KILL", "ID", id)).toBe(":1\r\n");
    slow.socket.resume();
    await slow.closed;
    expect(await admin.ask("PING")).toBe("+PONG\r\n");
    expect(test.server.tls.connectedClients).toBe(1);
  });

  it("reads by events where static buffers are not allowed", async () => {
    const test = await start({ staticReads: false });
    const client = await test.connectTls(alice);
    client.send("PING", "ECHO hello");
    expect(await client.expectBytes("+PONG\r\n$5\r\nhello\r\n")).toContain("hello");
    expect(test.server.usesStaticTlsReads).toBe(false);
  });

  it("answers a client that closes its side after its last request", async () => {
    const test = await start();
    const client = await test.connectTls(alice);
    client.send("PING");
    client.socket.end();
    expect(await client.rest()).toBe("+PONG\r\n");
  });
});

describe("certificates of clients", () => {
  it("are demanded on the real listener as soon as there are authorities (F82)", async () => {
    const test = await start();
    expect(await outcome(test, room.anonymous)).toMatch(/CERTIFICATE_REQUIRED/);
    await until(() => failures(test)["missing"] === 1);
    const [event] = test.access.events;
    expect(event).toMatchObject({
      action: "connection.refused.certificate",
      client: { isTls: true, certificateFingerprint: null },
    });
    expect(event.reason).toContain("no certificate");
    expect(test.server.clientCount).toBe(0);
  });

  it("are demanded with TLS 1.2 too", async () => {
    const test = await start();
    const twelve = { ...room.anonymous, maxVersion: "TLSv1.2" } as const;
    expect(await outcome(test, twelve)).toMatch(/HANDSHAKE_FAILURE/);
  });

  it("of another authority are refused and nothing of them runs (F80)", async () => {
    const test = await start();
    expect(await outcome(test, stranger)).not.toContain("PONG");
    await until(() => failures(test)["untrusted"] === 1);
    expect(test.server.counters.commandsProcessed).toBe(0);
  });

  it("of an authority that has another one's name are refused for it, with both versions (F80)", async () => {
    const { subject } = new X509Certificate(room.authority.certificatePem);
    const impostor = await createAuthority({ name: subject.replace("CN=", "") });
    const forged = await room.client({ name: "alice" }, impostor);
    const test = await start();
    for (const [at, maxVersion] of (["TLSv1.2", "TLSv1.3"] as const).entries()) {
      expect(await outcome(test, { ...forged, maxVersion })).not.toContain("PONG");
      await until(() => failures(test)["untrusted"] === at + 1);
    }
    expect(failures(test)).toEqual({ untrusted: 2 });
  });

  it("are refused when they have expired, with the reason", async () => {
    const expired = await room.client({
      name: "alice",
      days: 1,
      nowMs: Date.now() - 3 * 86_400_000,
    });
    const test = await start();
    expect(await outcome(test, expired)).not.toContain("PONG");
    await until(() => failures(test)["expired"] === 1);
  });

  it("may be left out with tls-auth-clients optional, but not be bad", async () => {
    const test = await start({ config: { tlsAuthClients: "optional" } });
    expect(await (await test.connectTls(room.anonymous)).ask("PING")).toBe("+PONG\r\n");
    expect(await (await test.connectTls(alice)).ask("PING")).toBe("+PONG\r\n");
    expect(await outcome(test, stranger)).toMatch(/^-ERR TLS client certificate refused: /);
    await until(() => failures(test)["untrusted"] === 1);
  });

  it("are not asked for with tls-auth-clients no, until it says otherwise", async () => {
    const test = await start({ config: { tlsAuthClients: "no" } });
    const open = await test.connectTls(stranger);
    expect(await open.ask("PING")).toBe("+PONG\r\n");
    test.change({ tlsAuthClients: "yes" });
    await open.closed;
    expect(await outcome(test, room.anonymous)).toMatch(/CERTIFICATE_REQUIRED/);
  });

  it("are in the trail with fingerprint, serial number and subject (S50)", async () => {
    const test = await start();
    const client = await test.connectTls(alice);
    await client.ask("AUTH", "nobody", "wrong");
    const refused = test.access.events.find(({ action }) => action === "auth.refused");
    expect(refused?.client).toMatchObject({
      isTls: true,
      certificateFingerprint: fingerprintOf(alice).replaceAll(":", ""),
      certificateSubject: expect.stringContaining("CN=alice") as string,
    });
    expect(refused?.client?.certificateSerial).toMatch(/^[0-9A-F]+$/);
  });
});

describe("certificates that change while clients are connected", () => {
  it("are shown to new connections, and open ones go on (F76, F84, S33)", async () => {
    const test = await start();
    const open = await test.connectTls(alice);
    credentials.server = await room.renewed();
    credentials.changed({ identity: true });
    const fresh = await test.connectTls(alice);
    const shown = (client: RawClient): string | undefined =>
      (client.socket as TLSSocket).getPeerX509Certificate()?.fingerprint256;
    expect(shown(fresh)).toBe(credentials.current().certificate.fingerprint256);
    expect(shown(open)).not.toBe(shown(fresh));
    expect(await open.ask("PING")).toBe("+PONG\r\n");
  });

  it("that are revoked lose their connections within a second, and the others stay (S35)", async () => {
    const test = await start();
    const revoked = await test.connectTls(alice);
    const other = await test.connectTls(bob);
    await revoked.ask("PING");
    credentials.revoked.add(fingerprintOf(alice));
    const begunMs = performance.now();
    credentials.changed({ revocations: true });
    await revoked.closed;
    expect(performance.now() - begunMs).toBeLessThan(1000);
    expect(await other.ask("PING")).toBe("+PONG\r\n");
    expect(await outcome(test, alice)).toMatch(
      /^-ERR TLS client certificate refused: it is revoked/,
    );
    expect(test.server.tls).toMatchObject({ certificatesClosed: 1 });
    const event = test.access.events.find(({ action }) => action === "connection.revoked");
    expect(event).toMatchObject({
      client: { isTls: true },
      reason: "its certificate: it is revoked",
    });
  });

  it("of an authority that is trusted no more lose theirs", async () => {
    const test = await start();
    const client = await test.connectTls(alice);
    await client.ask("PING");
    credentials.authorities = [otherAuthority];
    credentials.changed({ trust: true });
    await client.closed;
    expect(await (await test.connectTls(stranger)).ask("PING")).toBe("+PONG\r\n");
  });

  it("that expire lose theirs with tls-close-expired yes only", async () => {
    const short = await room.client({ name: "alice", days: 1 });
    const test = await start({ config: { tlsCloseExpired: false } });
    const client = await test.connectTls(short);
    const other = await test.connectTls(bob);
    await client.ask("PING");
    test.clock.time += 2 * 86_400_000;
    expect(await client.ask("PING")).toBe("+PONG\r\n");
    test.change({ tlsCloseExpired: true });
    await client.closed;
    expect(await other.ask("PING")).toBe("+PONG\r\n");
    expect(test.server.tls.certificatesClosed).toBe(1);
  });
});

describe("sessions", () => {
  async function session(test: TestServer, options: ConnectionOptions): Promise<Buffer> {
    const client = await test.connectTls(options);
    const socket = client.socket as TLSSocket;
    // Of TLS 1.3 it comes behind the handshake; of TLS 1.2 it was part of it.
    const ticket =
      socket.getProtocol() === "TLSv1.2"
        ? socket.getSession()
        : await new Promise<Buffer>((resolve) => socket.once("session", resolve));
    client.destroy();
    if (ticket === undefined) throw new Error("there is no session");
    return ticket;
  }

  async function isReused(test: TestServer, options: ConnectionOptions): Promise<boolean> {
    const client = await test.connectTls(options);
    expect(await client.ask("PING")).toBe("+PONG\r\n");
    return (client.socket as TLSSocket).isSessionReused();
  }

  const versions = [{ maxVersion: "TLSv1.2" }, { minVersion: "TLSv1.3" }] as const;

  it.each(versions)("are resumed, also after a new certificate of the node (S36) %o", async (v) => {
    const test = await start();
    const ticket = await session(test, { ...alice, ...v });
    expect(await isReused(test, { ...alice, ...v, session: ticket })).toBe(true);
    credentials.server = await room.renewed();
    credentials.changed({ identity: true });
    expect(await isReused(test, { ...alice, ...v, session: ticket })).toBe(true);
  });

  it.each(versions)("are not resumed after a change of revocations (S33, S35) %o", async (v) => {
    const test = await start();
    const ticket = await session(test, { ...alice, ...v });
    credentials.changed({ revocations: true });
    expect(await isReused(test, { ...alice, ...v, session: ticket })).toBe(false);
  });

  it.each(versions)("do not bring back a certificate that is revoked (S35) %o", async (v) => {
    const test = await start();
    const ticket = await session(test, { ...alice, ...v });
    // Nobody was told: the session can still be resumed, and the certificate in it is looked at.
    credentials.revoked.add(fingerprintOf(alice));
    const text = await outcome(test, { ...alice, ...v, session: ticket });
    expect(text).toMatch(/^-ERR TLS client certificate refused: it is revoked/);
  });

  it.each(versions)("are not kept with tls-session-caching no %o", async (v) => {
    const test = await start({ config: { tlsSessionCaching: false } });
    const first = await test.connectTls({ ...alice, ...v });
    await first.ask("PING");
    const ticket = (first.socket as TLSSocket).getSession();
    expect(await isReused(test, { ...alice, ...v, ...(ticket ? { session: ticket } : {}) })).toBe(
      false,
    );
  });
});

describe("what is not TLS, and TLS where there is none", () => {
  it("closes clients that speak in the clear on the TLS port, and says so in the log (S38)", async () => {
    const test = await start();
    const client = await RawClient.connect(test.tlsPort);
    client.send("PING");
    expect(await client.rest()).not.toContain("PONG");
    await until(() => failures(test)["notTls"] === 1);
    expect(test.warnings).toContain("a TLS handshake failed");
  });

  it("tells a TLS client on the plain port, at once and in the log once (S38)", async () => {
    const test = await start();
    for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
      const attempt = RawClient.connectTls(test.port, { ...alice, maxVersion: version });
      await expect(attempt).rejects.toMatchObject({ code: "ERR_SSL_WRONG_VERSION_NUMBER" });
    }
    const told = test.warnings.filter((text) => text.includes("port without TLS"));
    expect(told).toHaveLength(1);
    expect(test.server.counters.protocolErrors).toBe(2);
  });

  it("ends a handshake that takes longer than tls-handshake-timeout-ms", async () => {
    const test = await start({ config: { tlsHandshakeTimeoutMs: 500 } });
    const silent = await RawClient.connect(test.tlsPort);
    await until(() => test.server.counters.connectionsReceived === 1);
    test.clock.time += 499;
    expect(failures(test)).toEqual({});
    test.clock.time += 1;
    await silent.closed;
    expect(failures(test)).toEqual({ timeout: 1 });
  });

  it("counts a client that leaves in the middle, and records nothing", async () => {
    const test = await start();
    const socket = connect(test.tlsPort, "127.0.0.1");
    await until(() => test.server.counters.connectionsReceived === 1);
    socket.destroy();
    await until(() => failures(test)["client"] === 1);
    expect(test.access.events).toEqual([]);
    expect(test.warnings).toEqual([]);
  });

  it("turns clients away before their handshake when maxclients are there", async () => {
    const test = await start({ config: { maxClients: 1 } });
    await (await test.connectTls(alice)).ask("PING");
    expect(await outcome(test, bob)).toMatch(/ECONNRESET|EPIPE/);
    expect(test.server.counters.rejectedConnections).toBe(1);
  });
});
