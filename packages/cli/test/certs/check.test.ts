import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer as createPlainServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer, type TlsOptions } from "node:tls";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { createAuthority, issueNodeCertificate } from "../../src/certs/index.ts";
import { DAY_MS, openAuthority } from "../../src/certs/authority.ts";
import { shakeHands, type HandshakeReport } from "../../src/certs/check-handshake.ts";
import { rolesOf } from "../../src/certs/check-roles.ts";
import { signRevocationList } from "../../src/certs/revocation-list.ts";
import { run } from "../../src/program.ts";
import { FakeWorld } from "../fixtures/fake-world.ts";
import { certs } from "./certs-runner.ts";

let directory = "";
const path = (name: string): string => join(directory, name);

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "ferrite-check-"));
  await certs("init", "--out", directory);
  await certs("node", "n1", "--out", directory);
  await certs("client", "app", "--out", directory);
  await certs("client", "gone", "--out", directory);
  await certs("revoke", "gone", "--out", directory);
  await certs("gen", "other", "--out", path("foreign"));
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

async function check(...args: string[]): Promise<{ code: number; text: string }> {
  const world = new FakeWorld();
  const code = await run(["certs", "check", ...args], world);
  return { code, text: `${world.output}\n${world.errors}` };
}

/** With its key and the authority, when they have the usual names. */
function pair(stem: string): string[] {
  return ["--cert", path(`${stem}.crt`), "--key", path(`${stem}.key`), "--ca", path("ca.crt")];
}

describe("ferrite certs check", () => {
  it("finds a node good for clients and other nodes, and a client for nodes", async () => {
    const node = await check(...pair("n1"), "--node-name", "n1");
    expect(node.code).toBe(0);
    expect(node.text).toContain("as a server, for clients: good");
    expect(node.text).toContain("as a peer, for other nodes: good");
    const client = await check(...pair("client-app"), "--crl", path("ca.crl"));
    expect(client.code).toBe(0);
    expect(client.text).toContain("as a client, for nodes: good");
  });

  it("(S31) says why a client's certificate can not be a node's", async () => {
    const answer = await check(...pair("client-app"), "--as", "peer");
    expect(answer.code).toBe(1);
    expect(answer.text).toMatch(/as a peer, for other nodes: refused\n.*does not allow serverAuth/);
  });

  it("(S31) says that a peer's name is another, or that a pattern covers it", async () => {
    const wrong = await check(...pair("n1"), "--as", "peer", "--node-name", "n2");
    expect(wrong.code).toBe(1);
    expect(wrong.text).toContain('does not cover the name "n2"');
    const uri = ["--uri", "spiffe://x.org/ferrite/n3"];
    await certs("node", "n3", ...uri, "--out", directory, "--force");
    const pattern = ["--allowed-san", "spiffe://x.org/ferrite/*"];
    const covered = await check(...pair("n3"), "--as", "peer", "--node-name", "n9", ...pattern);
    expect(covered.code).toBe(0);
    expect((await check(...pair("n3"), ...pattern)).text).toContain(
      "--allowed-san needs --node-name",
    );
  });

  it("(S35) says that it is revoked, and that a list is past its time", async () => {
    const answer = await check(...pair("client-gone"), "--crl", path("ca.crl"));
    expect(answer.code).toBe(1);
    expect(answer.text).toMatch(/A node that knows --ca refuses it: .*was revoked/);
    expect((await check(...pair("client-gone"))).code).toBe(0);
    const [certificatePem, privateKeyPem] = ["ca.crt", "ca.key"].map((name) =>
      readFileSync(path(name), "utf8"),
    );
    const signer = await openAuthority({ certificatePem, privateKeyPem });
    const nowMs = Date.now() - 3 * DAY_MS;
    const list = { number: 9n, revocations: [], days: 2, nowMs };
    writeFileSync(path("stale.crl"), await signRevocationList(signer, list));
    const stale = await check(...pair("client-app"), "--crl", path("stale.crl"));
    expect(stale.code).toBe(1);
    expect(stale.text).toMatch(/A node that knows --ca refuses it: .*list/);
  });

  it("tells everything that is wrong at once, and never what is in a key", async () => {
    const args = ["--cert", path("client-app.crt"), "--key", path("n1.key")];
    const answer = await check(...args, "--ca", path("foreign/ca.pem"));
    expect(answer.code).toBe(1);
    expect(answer.text).toMatch(/--key .*n1.key does not belong to --cert .*client-app.crt/);
    expect(answer.text).toMatch(/leads to no authority/);
    expect(answer.text).not.toContain(readFileSync(path("n1.key"), "utf8").split("\n")[1]);
  });

  it.each<[string, (file: string) => void, RegExp]>([
    ["is missing", (file) => rmSync(file, { force: true }), /./],
    ["is empty", (file) => writeFileSync(file, ""), /empty/],
    ["is cut", (file) => writeFileSync(file, readFileSync(path("n1.crt")).subarray(0, 200)), /./],
  ])("(S33) says when the certificate %s", async (_what, damage, message) => {
    const file = path("damaged.crt");
    damage(file);
    const answer = await check("--cert", file, "--key", path("n1.key"));
    expect(answer.code).toBe(1);
    expect(answer.text).toContain(file);
    expect(answer.text).toMatch(message);
  });

  it("(S33) says when it has expired", async () => {
    const nowMs = Date.now() - 20 * DAY_MS;
    const authority = await createAuthority({ nowMs });
    const old = await issueNodeCertificate(authority, { name: "old", days: 10, nowMs });
    writeFileSync(path("old.crt"), old.certificatePem);
    writeFileSync(path("old.key"), old.privateKeyPem, { mode: 0o600 });
    writeFileSync(path("old-ca.crt"), authority.certificatePem);
    const args = ["--cert", path("old.crt"), "--key", path("old.key"), "--ca", path("old-ca.crt")];
    const answer = await check(...args, "--as", "server");
    expect(answer.code).toBe(1);
    expect(answer.text).toMatch(/ended on/);
    expect(answer.text).toMatch(/ended (9|10) days ago/);
  });

  it("warns of a key that others can reach, and is for programs with -o json", async () => {
    writeFileSync(path("open.key"), readFileSync(path("n1.key")));
    chmodSync(path("open.key"), 0o644);
    const args = ["--cert", path("n1.crt"), "--key", path("open.key"), "--ca", path("ca.crt")];
    const { code, text } = await check(...args, "-o", "json");
    expect(code).toBe(0);
    expect(JSON.parse(text)).toMatchObject({
      certificate: { subject: "CN=n1" },
      roles: [
        { role: "server", problems: [] },
        { role: "peer", problems: [] },
      ],
      warnings: [expect.stringContaining("chmod 600")],
      handshake: null,
    });
  });

  it("takes a passphrase from a file, and says when it is wrong", async () => {
    writeFileSync(path("pass"), "one two\n");
    writeFileSync(path("nope"), "three\n");
    await certs("client", "sealed", "--key-passphrase-file", path("pass"), "--out", directory);
    const good = await check(...pair("client-sealed"), "--key-passphrase-file", path("pass"));
    expect(good.code).toBe(0);
    const wrong = await check(...pair("client-sealed"), "--key-passphrase-file", path("nope"));
    expect(wrong.code).toBe(1);
    expect(wrong.text).toContain("--key-passphrase-file");
    expect(wrong.text).not.toContain("three");
  });

  it("takes certificate, authority and key from one file, as Vault's templates write them", async () => {
    const all = ["n1.crt", "ca.crt", "n1.key"].map((name) => readFileSync(path(name), "utf8"));
    writeFileSync(path("all.pem"), all.join("\n"), { mode: 0o600 });
    const args = ["--cert", path("all.pem"), "--key", path("all.pem"), "--ca", path("ca.crt")];
    const answer = await check(...args, "--node-name", "n1");
    expect(answer).toMatchObject({ code: 0 });
    expect(answer.text).not.toContain("refused");
  });

  it("(S34) finds old and new certificates good with a bundle of both authorities and their lists", async () => {
    const next = path("next");
    await certs("init", "--out", next);
    await certs("node", "roll", "--out", directory);
    const together = (to: string, ...files: string[]): void =>
      writeFileSync(path(to), files.map((file) => readFileSync(file, "utf8")).join(""));
    together("bundle.pem", path("ca.crt"), join(next, "ca.crt"));
    await certs("crl", "--out", next);
    together("lists.pem", path("ca.crl"), join(next, "ca.crl"));
    const ours = ["--cert", path("roll.crt"), "--key", path("roll.key"), "--node-name", "roll"];
    const both = [...ours, "--ca", path("bundle.pem"), "--crl", path("lists.pem")];
    expect(await check(...both)).toMatchObject({ code: 0 });
    await certs("renew", "roll", "--ca-dir", next, "--new-authority", "--out", directory);
    expect(await check(...both)).toMatchObject({ code: 0 });
    expect(await check(...ours, "--ca", join(next, "ca.crt"))).toMatchObject({ code: 0 });
    const old = await check(...ours, "--ca", path("ca.crt"));
    expect(old.code).toBe(1);
  });

  it("knows the roles of a certificate by what it may be used for", () => {
    expect(rolesOf({ uses: ["server", "client"] })).toEqual(["server", "peer"]);
    expect(rolesOf({ uses: ["client"] })).toEqual(["client"]);
    expect(rolesOf({ uses: ["server"] })).toEqual(["server"]);
    expect(rolesOf(null)).toEqual(["server"]);
  });
});

/** Answers PING as a node does, once the handshake is done. */
async function serve(options: TlsOptions): Promise<number> {
  const server = createServer(
    {
      cert: readFileSync(path("n1.crt")),
      key: readFileSync(path("n1.key")),
      ca: readFileSync(path("ca.crt")),
      ...options,
    },
    (socket) => {
      socket.on("error", () => undefined);
      socket.on("data", () => socket.write("+PONG\r\n"));
    },
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return (server.address() as { port: number }).port;
}

describe("ferrite certs check --connect", () => {
  it("shakes hands, and tells what is shown", async () => {
    const port = await serve({ requestCert: true });
    const answer = await check(...pair("client-app"), "--connect", `127.0.0.1:${port}`);
    expect(answer.code).toBe(0);
    expect(answer.text).toMatch(new RegExp(`with 127.0.0.1:${port}: good`));
    expect(answer.text).toMatch(/TLSv1.3, TLS_/);
    expect(answer.text).toMatch(/it shows CN=n1, signed by CN=Ferrite cluster authority/);
    expect(answer.text).toContain("names DNS:n1, DNS:localhost");
  });

  it("tells that the other side refuses ours, also when it does so after the handshake", async () => {
    for (const maxVersion of ["TLSv1.3", "TLSv1.2"] as const) {
      const ca = readFileSync(path("foreign/ca.pem"));
      const port = await serve({ requestCert: true, rejectUnauthorized: true, ca, maxVersion });
      const answer = await check(...pair("client-app"), "--connect", `127.0.0.1:${port}`);
      expect(answer.code).toBe(1);
      expect(answer.text).toMatch(/It refused us|There was no handshake/);
    }
  });

  it("tells that we would refuse the other side: its authority, and its name", async () => {
    const port = await serve({
      cert: readFileSync(path("foreign/other/cert.pem")),
      key: readFileSync(path("foreign/other/key.pem")),
    });
    const answer = await check(...pair("n1"), "--connect", `127.0.0.1:${port}`, "--sni", "n1");
    expect(answer.code).toBe(1);
    expect(answer.text).toMatch(/We would refuse it: its certificate is not signed by/);
    expect(answer.text).toContain('We would refuse it: its certificate does not cover "n1"');
  });

  it("tells that nobody is there, that it is no TLS, and that it takes too long", async () => {
    const silent = createPlainServer((socket) => socket.on("error", () => undefined).resume());
    const plain = createPlainServer((socket) => {
      socket.on("error", () => undefined).resume();
      socket.end("-ERR no TLS here\r\n");
    });
    for (const server of [silent, plain]) {
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    }
    onTestFinished(() => void plain.close());
    const portOf = (server: typeof plain): number => (server.address() as { port: number }).port;
    const shake = (port: number): Promise<HandshakeReport> =>
      shakeHands({
        host: "127.0.0.1",
        port,
        serverName: null,
        context: {},
        ping: true,
        timeoutMs: 50,
      });
    expect((await shake(portOf(silent))).problems[0]).toContain("no answer in time");
    expect((await shake(portOf(plain))).problems[0]).toMatch(/does not speak TLS|cut|closed/);
    const free = portOf(silent);
    await new Promise((resolve) => silent.close(resolve));
    expect((await shake(free)).problems[0]).toContain("nobody listens there");
  });

  it("does not go on without files", async () => {
    const args = ["--cert", path("none.crt"), "--key", path("n1.key")];
    const answer = await check(...args, "--connect", "127.0.0.1:1");
    expect(answer.code).toBe(1);
    expect(answer.text).toMatch(/There was no handshake: .*none.crt/);
    expect((await check(...pair("n1"), "--connect", "nowhere")).text).toContain("host:port");
  });
});
