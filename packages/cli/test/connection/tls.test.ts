import { X509Certificate } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { shakeHands } from "../../src/certs/check-handshake.ts";
import { connectionProblem } from "../../src/connection/connection-problem.ts";
import { resolveFlags } from "../../src/connection/connection-options.ts";
import { memberAddress } from "../../src/connection/member-address.ts";
import { parseLocation } from "../../src/connection/node-location.ts";
import { certs } from "../certs/certs-runner.ts";
import { OneNode, type Answer } from "../user/one-node.ts";

let node: OneNode;
const path = (name: string): string => join(node.directory, "certs", name);

beforeAll(async () => {
  node = await OneNode.start(async (directory) => {
    const out = join(directory, "certs");
    await certs("init", "--out", out);
    await certs("node", "box", "--out", out);
    await certs("client", "ops", "--out", out);
    writeFileSync(join(out, "pass"), "let me in\n");
    await certs("client", "locked", "--key-passphrase-file", join(out, "pass"), "--out", out);
    await certs("init", "--out", join(out, "other"));
    await certs("client", "ops", "--out", join(out, "other"));
    return {
      "tls-port": "0",
      "tls-cert-file": join(out, "box.crt"),
      "tls-key-file": join(out, "box.key"),
      "tls-ca-cert-file": join(out, "ca.crt"),
    };
  });
});

afterAll(async () => {
  await node.stop();
});

function trust(): string[] {
  return ["--cacert", path("ca.crt")];
}

function ours(stem = "client-ops"): string[] {
  return ["--cert", path(`${stem}.crt`), "--key", path(`${stem}.key`)];
}

async function list(...options: string[]): Promise<Answer> {
  return node.run(["user", "list", "--port", node.tlsPort, ...options]);
}

describe("commands over TLS", () => {
  it.each([
    ["status", []],
    ["user", ["list"]],
    ["audit", ["tail"]],
  ])("ferrite %s shows its certificate and checks the node's", async (command, words) => {
    const answer = await node.run([
      command,
      ...words,
      "--port",
      node.tlsPort,
      ...trust(),
      ...ours(),
    ]);
    expect(answer).toMatchObject({ code: 0, errors: "" });
    expect(answer.printed.length).toBeGreaterThan(0);
  });

  it("takes a rediss:// URL in the place of host, port and --tls", async () => {
    const host = `rediss://127.0.0.1:${node.tlsPort}`;
    const answer = await node.run(["user", "list", "--host", host, ...trust(), ...ours()]);
    expect(answer).toMatchObject({ code: 0, errors: "" });
    const status = await node.run(["status", "--host", host, ...trust(), ...ours()]);
    expect(status.code).toBe(0);
  });

  it("asks other members at their own ports, as far off as that of the first", async () => {
    const answer = await node.run([
      "status",
      "--port",
      node.tlsPort,
      "--json",
      ...trust(),
      ...ours(),
    ]);
    expect(JSON.parse(answer.printed.join("\n"))).toMatchObject({ healthy: true });
    const first = { port: 6380, announced: "10.0.0.1:6379", tls: true };
    expect(memberAddress("10.0.0.2:6479", first)).toEqual({ host: "10.0.0.2", port: 6480 });
    expect(memberAddress("10.0.0.2:6479", { ...first, tls: false })).toMatchObject({ port: 6479 });
    expect(memberAddress("10.0.0.2:65535", first)).toMatchObject({ port: 65_535 });
    expect(memberAddress("nowhere", first)).toBeNull();
  });

  it("opens a key with a passphrase", async () => {
    const pass = ["--key-passphrase-file", path("pass")];
    expect(await list(...trust(), ...ours("client-locked"), ...pass)).toMatchObject({ code: 0 });
    const without = await list(...trust(), ...ours("client-locked"));
    expect(without.errors).toMatch(
      /locked.key is encrypted: give its passphrase with --key-passphrase-file/,
    );
    writeFileSync(path("wrong"), "let me out\n");
    const wrong = await list(
      ...trust(),
      ...ours("client-locked"),
      "--key-passphrase-file",
      path("wrong"),
    );
    expect(wrong.errors).toContain("the passphrase of --key is wrong");
    expect(wrong.errors).not.toContain("let me out");
  });

  it("refuses a node that --cacert did not sign, whose name is another, or that can not be checked", async () => {
    const foreign = await list("--cacert", path("other/ca.crt"), ...ours());
    expect(foreign).toMatchObject({ code: 1 });
    expect(foreign.errors).toContain("is not signed by --cacert");
    const named = await list(...trust(), ...ours(), "--sni", "another");
    expect(named.errors).toMatch(/does not cover the name it was asked by \(it has DNS:box/);
    expect(await list(...trust(), ...ours(), "--sni", "box")).toMatchObject({ code: 0 });
    const unknown = await list("--tls", ...ours());
    expect(unknown.code).toBe(1);
    expect(unknown.errors).toContain("--cacert");
  });

  it("warns loudly when nothing is checked, once", async () => {
    const answer = await node.run([
      "audit",
      "tail",
      "--port",
      node.tlsPort,
      "--insecure",
      ...ours(),
    ]);
    expect(answer.code).toBe(0);
    expect(answer.errors.match(/WARNING: --insecure/g)).toHaveLength(1);
    const both = await list("--insecure", ...trust());
    expect(both.errors).toContain("--insecure checks nothing");
  });

  it("says what the node wants when it does not take us", async () => {
    const without = await list(...trust());
    expect(without.code).toBe(1);
    expect(without.errors).toMatch(/wants a certificate of ours|does it take our certificate/);
    const foreign = await list(...trust(), ...ours("other/client-ops"));
    expect(foreign.code).toBe(1);
    expect(foreign.errors).toMatch(/does not know the authority|does not take|does the node take/);
    const server = await list(...trust(), ...ours("box"));
    expect(server.code).toBe(0);
  });

  it("tells a plain port and a port with TLS apart", async () => {
    const plain = await node.run(["user", "list", "--port", node.port, ...trust()]);
    expect(plain.code).toBe(1);
    expect(plain.errors).toMatch(/does not speak TLS|does the port speak TLS/);
    const tls = await node.run(["user", "list", "--port", node.tlsPort]);
    expect(tls.code).toBe(1);
    expect(tls.errors).toMatch(/without TLS\? else give --tls|closed without an answer/);
  });

  it("sends nothing before the other side is known", async () => {
    let received = Buffer.alloc(0);
    const server = createServer((socket) => {
      socket.on("data", (bytes) => {
        received = Buffer.concat([received, bytes]);
        socket.destroy();
      });
      socket.on("error", () => undefined);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as { port: number };
    const environment = { FERRITE_PASSWORD: "canary" };
    const answer = await node.run(["user", "list", "--port", String(port), ...trust()], {
      environment,
    });
    expect(answer.code).toBe(1);
    expect(received.length).toBeGreaterThan(0);
    expect(received.toString("latin1")).not.toMatch(/canary|AUTH/);
  });

  it.each<[string[], RegExp]>([
    [["--cert", "x.crt"], /--cert and --key belong together/],
    [["--cacert", "/nowhere/ca.crt"], /\/nowhere\/ca.crt can not be read/],
    [["--key-passphrase-file", "x"], /needs --key/],
    [["--tls", "--unixsocket", "some.socket"], /does not speak TLS/],
    [["--host", "rediss://h:1"], /is not the port of/],
    [["--host", "http://h"], /begins with redis/],
    [["--host", "rediss://u:secret@h"], /seen by everybody/],
    [["--host", "rediss://h/1"], /one database/],
  ])("refuses %j", async (options, message) => {
    const answer = await list(...options);
    expect(answer.code).toBe(1);
    expect(answer.errors).toMatch(message);
    expect(answer.errors).not.toContain("secret");
  });
});

describe("ferrite certs renew on a running node", () => {
  async function shownSerial(): Promise<string> {
    const report = await shakeHands({
      host: "127.0.0.1",
      port: Number(node.tlsPort),
      serverName: null,
      context: {
        ca: readFileSync(path("ca.crt")),
        cert: readFileSync(path("client-ops.crt")),
        key: readFileSync(path("client-ops.key")),
      },
      ping: true,
    });
    expect(report.problems).toEqual([]);
    return new X509Certificate(report.shown ?? "").serialNumber;
  }

  it("(S33) is taken up without a restart, and no handshake fails meanwhile", async () => {
    const before = await shownSerial();
    await certs("renew", "box", "--out", join(node.directory, "certs"));
    const renewed = new X509Certificate(readFileSync(path("box.crt"))).serialNumber;
    expect(renewed).not.toBe(before);
    await expect.poll(shownSerial, { timeout: 10_000 }).toBe(renewed);
    const status = await node.run([
      "status",
      "--port",
      node.tlsPort,
      "--json",
      ...trust(),
      ...ours(),
    ]);
    expect(JSON.parse(status.printed.join("\n"))).toMatchObject({
      members: [{ certificates: [{ use: "clients", serial: renewed, refused: null }] }],
    });
  });
});

describe("ferrite audit verify", () => {
  it("asks the node of a rediss:// URL for what was witnessed", async () => {
    const trail = join(node.directory, "data", "audit");
    const options = ["--node", `rediss://127.0.0.1:${node.tlsPort}`, ...trust(), ...ours()];
    const answer = await node.run(["audit", "verify", trail, ...options]);
    // Without peers nothing is witnessed yet at once; what counts is that the node was asked.
    expect(answer.errors).not.toMatch(/certificate|TLS|nobody listens/);
  });
});

describe("where a node is", () => {
  it.each([
    ["h", { host: "h", port: null, user: null, tls: false }],
    ["[::1]", { host: "::1", port: null, user: null, tls: false }],
    ["redis://h:7", { host: "h", port: 7, user: null, tls: false }],
    ["rediss://ops@[::1]:7/0", { host: "::1", port: 7, user: "ops", tls: true }],
  ])("%s", (text, location) => {
    expect(parseLocation(text)).toEqual(location);
  });

  it("has the port of TLS by default with TLS, and any option for TLS means TLS", () => {
    const flags = { host: "h", timeout: 1, json: false };
    expect(resolveFlags(flags)).toMatchObject({ port: 6379, tls: false });
    expect(resolveFlags({ ...flags, tls: true })).toMatchObject({ port: 6380, tls: true });
    expect(resolveFlags({ ...flags, cacert: "x" })).toMatchObject({ port: 6380, tls: true });
    expect(resolveFlags({ ...flags, host: "rediss://a@h" })).toMatchObject({
      port: 6380,
      user: "a",
    });
    expect(resolveFlags({ ...flags, host: "rediss://a@h", user: "b" })).toMatchObject({
      user: "b",
    });
  });

  it("a failure nobody has words for keeps its own", () => {
    const error = Object.assign(new Error("odd"), { code: "EODD" });
    expect(connectionProblem(error)).toBe("odd");
    expect(
      connectionProblem(Object.assign(new Error("x"), { code: "CERT_HAS_EXPIRED" })),
    ).toContain("has expired");
  });
});
