import { X509Certificate, createPrivateKey } from "node:crypto";
import {
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { NODES_MAX } from "../../src/certs/gen-command.ts";
import { FakeWorld } from "../fixtures/fake-world.ts";
import { certs, certsIn } from "./certs-runner.ts";
import { hasOpenssl, openssl } from "./openssl.ts";

let directory = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "ferrite-certs-"));
});
afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

const path = (...names: string[]): string => join(directory, ...names);
const files = (): string[] =>
  readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .toSorted();

describe("ferrite certs gen", () => {
  it("makes an authority and a folder for each node, good as server and client", async () => {
    await certs(
      "gen",
      "node1",
      "node2=10.0.0.2,cache.example.org",
      "--client",
      "app",
      "--out",
      directory,
    );
    expect(files()).toEqual([
      "ca-index.json",
      "ca-key.pem",
      "ca.pem",
      "client-app/cert.pem",
      "client-app/key.pem",
      "node1/cert.pem",
      "node1/key.pem",
      "node2/cert.pem",
      "node2/key.pem",
    ]);
    const authority = new X509Certificate(readFileSync(path("ca.pem")));
    const second = new X509Certificate(readFileSync(path("node2", "cert.pem")));
    expect(second.verify(authority.publicKey)).toBe(true);
    expect(second.checkIP("10.0.0.2")).toBe("10.0.0.2");
    expect(second.checkHost("cache.example.org")).toBe("cache.example.org");
    expect(second.keyUsage).toHaveLength(2);
    expect(second.checkPrivateKey(createPrivateKey(readFileSync(path("node2", "key.pem"))))).toBe(
      true,
    );
    for (const key of ["ca-key.pem", "node1/key.pem", "client-app/key.pem"]) {
      expect(statSync(path(key)).mode & 0o777).toBe(0o600);
    }
    expect(statSync(path("node1")).mode & 0o777).toBe(0o700);
  });

  it("changes nothing when anything is there, and says what", async () => {
    await certs("gen", "node1", "--out", directory);
    const before = readFileSync(path("ca.pem"), "utf8");
    await expect(certs("gen", "node1", "node2", "--out", directory)).rejects.toThrow(
      `${path("ca-key.pem")} exists and was left as it is. To replace it, use --force.`,
    );
    expect(readFileSync(path("ca.pem"), "utf8")).toBe(before);
    expect(existsSync(path("node2"))).toBe(false);
    await certs("gen", "node1", "node2", "--out", directory, "--force");
    expect(readFileSync(path("ca.pem"), "utf8")).not.toBe(before);
  });

  it("throws the authority's key away when asked: it is in no file then", async () => {
    await certs("gen", "node1", "--discard-ca-key", "--out", directory);
    expect(files()).toEqual(["ca-index.json", "ca.pem", "node1/cert.pem", "node1/key.pem"]);
    await expect(certs("client", "app", "--out", directory)).rejects.toThrow(/no .*ca-key.pem/);
    await expect(
      certs("gen", "n", "--discard-ca-key", "--ca-passphrase-file", "x", "--out", path("other")),
    ).rejects.toThrow(/leaves no key/);
  });

  it("is gone on with by the other commands", async () => {
    await certs("gen", "node1", "--out", directory);
    await certs("client", "app", "--out", directory);
    expect(existsSync(path("client-app", "cert.pem"))).toBe(true);
    await certs("renew", "node1", "--out", directory);
    expect(existsSync(path("node1", "cert.pem.old"))).toBe(true);
    await certs("renew", path("client-app", "cert.pem"), "--out", directory);
    await certs("revoke", "app", "--out", directory);
    expect(existsSync(path("ca.crl"))).toBe(true);
  });

  it.each<[string, string[], RegExp]>([
    ["a node twice", ["n1", "N1"], /named twice/],
    ["a reserved name", ["ca"], /can not be named "ca"/],
    ["a bad host", ["n1=a b"], /neither a DNS name nor an IP address/],
    ["too many", Array.from({ length: NODES_MAX + 1 }, (_, at) => `n${at}`), /more than 100/],
    ["nodes that outlive the authority", ["n1", "--days", "20", "--ca-days", "10"], /longer than/],
  ])("refuses %s and leaves nothing behind", async (_what, words, message) => {
    await expect(certs("gen", ...words, "--out", path("new"))).rejects.toThrow(message);
    expect(existsSync(path("new"))).toBe(false);
  });
});

describe("the authority's key with a passphrase", () => {
  beforeEach(async () => {
    writeFileSync(path("pass"), "open sesame\n");
    await certs("init", "--ca-passphrase-file", path("pass"), "--out", directory);
  });

  it("is encrypted on disk and opened by a file or a person", async () => {
    expect(readFileSync(path("ca.key"), "utf8")).toContain("BEGIN ENCRYPTED PRIVATE KEY");
    await certs("node", "n1", "--ca-passphrase-file", path("pass"), "--out", directory);
    const world = new FakeWorld();
    world.typed = ["open sesame"];
    await certsIn(world, "client", "app", "--out", directory);
    expect(world.prompts).toEqual([`Passphrase of ${path("ca.key")}: `]);
    const piped = new FakeWorld();
    piped.piped = "open sesame\n";
    await certsIn(piped, "revoke", "app", "--ca-passphrase-file", "-", "--out", directory);
  });

  it("is asked for by name when it is missing or wrong, and never shown", async () => {
    await expect(certs("node", "n1", "--out", directory)).rejects.toThrow(
      /ca.key is encrypted, and there is no terminal.*--ca-passphrase-file/,
    );
    writeFileSync(path("wrong"), "open barley\n");
    const asked = certs("node", "n1", "--ca-passphrase-file", path("wrong"), "--out", directory);
    await expect(asked).rejects.toThrow(/The passphrase of .*ca.key is wrong/);
    await expect(asked).rejects.not.toThrow(/barley/);
    writeFileSync(path("wrong"), "\n");
    await expect(
      certs("node", "n1", "--ca-passphrase-file", path("wrong"), "--out", directory),
    ).rejects.toThrow(/holds no passphrase/);
    expect(existsSync(path("n1.crt"))).toBe(false);
  });

  it.skipIf(!hasOpenssl)("is what openssl opens too", async () => {
    const passin = `file:${path("pass")}`;
    expect(
      openssl("pkey", "-in", path("ca.key"), "-passin", passin, "-noout", "-check").status,
    ).toBe(0);
    expect(openssl("pkey", "-in", path("ca.key"), "-passin", "pass:no", "-noout").status).not.toBe(
      0,
    );
    const passphrases = [
      "--ca-passphrase-file",
      path("pass"),
      "--key-passphrase-file",
      path("pass"),
    ];
    await certs("node", "n1", ...passphrases, "--algorithm", "rsa-2048", "--out", directory);
    const text = readFileSync(path("n1.key"), "utf8");
    expect(text).toContain("BEGIN ENCRYPTED PRIVATE KEY");
    expect(openssl("asn1parse", "-in", path("n1.key")).text).toContain("aes-256-cbc");
  });
});

describe("ferrite certs show", () => {
  it("tells what a person wants to know of certificates, keys and lists", async () => {
    await certs("init", "--out", directory);
    await certs(
      "node",
      "n1",
      "--uri",
      "spiffe://example.org/n1",
      "--days",
      "20",
      "--out",
      directory,
    );
    await certs("client", "app", "--out", directory);
    await certs("revoke", "app", "--reason", "keyCompromise", "--out", directory);
    const text = (await certs("show", directory)).join("\n");
    expect(text).toMatch(/n1\.crt: a certificate/);
    expect(text).toMatch(
      /names +DNS:n1, DNS:localhost, IP:127.0.0.1, IP:::1, URI:spiffe:\/\/example.org\/n1/,
    );
    expect(text).toMatch(/good as +server and client/);
    expect(text).toMatch(/good as +client/);
    expect(text).toMatch(/left +(19|20) days/);
    expect(text).toMatch(/key +ECDSA P-256, signed with ECDSA SHA-256/);
    expect(text).toMatch(/ca\.crt: an authority/);
    expect(text).toMatch(/ca\.crl: a revocation list/);
    expect(text).toMatch(/keyCompromise/);
  });

  it("never shows what is secret in a key", async () => {
    await certs("gen", "n1", "--out", directory);
    const secret = readFileSync(path("n1", "key.pem"), "utf8").split("\n")[1] ?? "";
    for (const form of ["text", "json"]) {
      const text = (await certs("show", path("n1", "key.pem"), "-o", form)).join("\n");
      expect(text).toContain("P-256");
      expect(text).not.toContain(secret.slice(0, 20));
    }
  });

  it("is for programs with -o json, and knows DER", async () => {
    await certs("init", "--out", directory);
    await certs("crl", "--out", directory);
    const certificate = new X509Certificate(readFileSync(path("ca.crt")));
    writeFileSync(path("ca.cer"), certificate.raw);
    const lines = await certs("show", path("ca.cer"), path("ca.crl"), "-o", "json");
    const shown = JSON.parse(lines.join("\n")) as Record<string, unknown>[];
    expect(shown).toMatchObject([
      {
        kind: "certificate",
        authority: true,
        selfSigned: true,
        fingerprint: certificate.fingerprint256.replaceAll(":", "").toLowerCase(),
      },
      { kind: "revocationList", number: "1", revoked: [] },
    ]);
  });

  it("says what is wrong with a file, shows the others, and fails", async () => {
    await certs("init", "--out", directory);
    const whole = readFileSync(path("ca.crt"), "utf8");
    writeFileSync(path("cut.crt"), whole.slice(0, whole.length / 2));
    writeFileSync(
      path("text.crt"),
      "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    );
    writeFileSync(path("noise.crt"), Buffer.from([1, 2, 3]));
    const world = new FakeWorld();
    const names = ["ca.crt", "cut.crt", "text.crt", "noise.crt", "none.crt"];
    await expect(certsIn(world, "show", ...names.map((name) => path(name)))).rejects.toThrow();
    expect(world.output).toContain("ca.crt: an authority");
    expect(world.errors).toMatch(
      /cut.crt holds no certificate, key or revocation list, or its end is missing/,
    );
    expect(world.errors).toMatch(/text.crt holds a certificate that is damaged/);
    expect(world.errors).toMatch(/noise.crt is neither PEM nor/);
    expect(world.errors).toMatch(/There is no file .*none.crt/);
  });
});

describe("names of clients and URIs", () => {
  it("(S30) a client has the names it was given, and its own as DNS name only without others", async () => {
    await certs("init", "--out", directory);
    await certs("client", "svc_app", "--out", directory);
    await certs("client", "app", "--out", directory);
    await certs(
      "client",
      "b",
      "--uri",
      "spiffe://x.org/b",
      "--email",
      "b@x.org",
      "--dns",
      "b.x.org",
      "--out",
      directory,
    );
    const names = (file: string): string | undefined =>
      new X509Certificate(readFileSync(path(file))).subjectAltName;
    expect(names("client-svc_app.crt")).toBeUndefined();
    expect(names("client-app.crt")).toBe("DNS:app");
    expect(names("client-b.crt")).toBe("DNS:b.x.org, URI:spiffe://x.org/b, email:b@x.org");
  });

  it.each<[string[], RegExp]>([
    [["a b"], /can not be used/],
    [["a,DNS:x"], /can not be used/],
    [["../x"], /can not be used/],
    [["x".repeat(65)], /the most is 64/],
    [["a", "--uri", "no-scheme"], /is not a URI/],
    [["a", "--uri", "spiffe://x/a b"], /is not a URI/],
    [["a", "--uri", "spiffe://x/a,DNS:root"], /is not a URI/],
    [["a", "--uri", `spiffe://x/${"a".repeat(2048)}`], /is not a URI/],
    [["a", "--email", "nobody"], /is not an e-mail address/],
    [["a", "--email", "a@b c"], /is not an e-mail address/],
  ])("(S30) refuses %j", async (words, message) => {
    await certs("init", "--out", directory);
    await expect(certs("client", ...words, "--out", directory)).rejects.toThrow(message);
  });
});
