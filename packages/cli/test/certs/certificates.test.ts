import { X509Certificate, createPrivateKey } from "node:crypto";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createAuthority } from "../../src/certs/index.ts";
import {
  ensureDevelopmentCertificates,
  ensureDevelopmentClient,
  issueNodeCertificate,
} from "../../src/certs/index.ts";
import { issueClientCertificate } from "../../src/certs/index.ts";
import { DAY_MS, DAYS_MAX } from "../../src/certs/authority.ts";
import { HOSTS_MAX } from "../../src/certs/issue.ts";
import { certs as run } from "./certs-runner.ts";
import { hasOpenssl } from "./openssl.ts";

const SERVER_AUTH = "1.3.6.1.5.5.7.3.1";
const CLIENT_AUTH = "1.3.6.1.5.5.7.3.2";
const STRICT = { subject: "never", wildcards: false } as const;

let directory = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "ferrite-certs-"));
});
afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

function modeOf(path: string): number {
  return statSync(path).mode & 0o777;
}

describe("certificates", () => {
  it("give a node its name, its hosts and the loopback names, as server and client", async () => {
    const authority = await createAuthority();
    const pair = await issueNodeCertificate(authority, {
      name: "node-1",
      hosts: ["db.example.org", "10.1.2.3", "[fd00::1]", "LOCALHOST"],
    });
    const certificate = new X509Certificate(pair.certificatePem);
    for (const host of ["node-1", "db.example.org", "localhost"]) {
      expect(certificate.checkHost(host, STRICT)?.toLowerCase()).toBe(host);
    }
    for (const address of ["10.1.2.3", "fd00::1", "127.0.0.1", "::1"]) {
      expect(certificate.checkIP(address)).toBe(address);
    }
    expect(certificate.checkHost("node-2", STRICT)).toBeUndefined();
    expect(certificate.keyUsage).toEqual([SERVER_AUTH, CLIENT_AUTH]);
    expect(certificate.ca).toBe(false);
    expect(certificate.verify(new X509Certificate(authority.certificatePem).publicKey)).toBe(true);
    expect(certificate.checkPrivateKey(createPrivateKey(pair.privateKeyPem))).toBe(true);
    expect(certificate.validFromDate.getTime()).toBeLessThan(Date.now() - 60_000);
  });

  it("can leave out the loopback names", async () => {
    const pair = await issueNodeCertificate(await createAuthority(), {
      name: "node-1",
      loopback: false,
    });
    expect(new X509Certificate(pair.certificatePem).checkIP("127.0.0.1")).toBeUndefined();
  });

  it("S31: let a client be a client only", async () => {
    const pair = await issueClientCertificate(await createAuthority(), { name: "app" });
    expect(new X509Certificate(pair.certificatePem).keyUsage).toEqual([CLIENT_AUTH]);
  });

  it("have serial numbers that differ and are positive", async () => {
    const authority = await createAuthority();
    const first = await issueClientCertificate(authority, { name: "app" });
    const second = await issueClientCertificate(authority, { name: "app" });
    const serials = [first, second].map((p) => new X509Certificate(p.certificatePem).serialNumber);
    expect(serials[0]).not.toBe(serials[1]);
    for (const serial of serials) {
      expect(serial).toMatch(/^[4-7][0-9A-F]{31}$/);
    }
  });

  it("are refused when they would outlive their authority", async () => {
    const authority = await createAuthority({ days: 10 });
    await expect(issueNodeCertificate(authority, { name: "n", days: 11 })).rejects.toThrow(
      /ask for 10 days or less|ask for 9 days or less/,
    );
    const ended = await createAuthority({ days: 1, nowMs: Date.now() - 5 * DAY_MS });
    await expect(issueNodeCertificate(ended, { name: "n", days: 1 })).rejects.toThrow(
      /make a new one first/,
    );
  });

  it.each([
    ["", /like a host name/],
    ["a/../b", /like a host name/],
    ["*.example.org", /like a host name/],
    ["a\0b", /like a host name/],
    ["10.0.0.1", /is an address/],
    ["n".repeat(65), /the most is 64/],
  ])("refuse the name %j", async (name, message) => {
    await expect(issueNodeCertificate(await createAuthority(), { name })).rejects.toThrow(message);
  });

  it.each(["host:6379", "*.example.org", "a b", "a,DNS:b", `${"x".repeat(64)}.org`])(
    "refuse the host %j",
    async (host) => {
      const options = { name: "node-1", hosts: [host] };
      await expect(issueNodeCertificate(await createAuthority(), options)).rejects.toThrow(
        /neither a DNS name nor an IP address/,
      );
    },
  );

  it("refuse more hosts and days than their limits", async () => {
    const authority = await createAuthority();
    const hosts = Array.from({ length: HOSTS_MAX + 1 }, (_, i) => `h${i}`);
    await expect(issueNodeCertificate(authority, { name: "n", hosts })).rejects.toThrow(
      /101 hosts/,
    );
    await expect(createAuthority({ days: DAYS_MAX + 1 })).rejects.toThrow(/1 to 36500/);
    await expect(createAuthority({ days: 0 })).rejects.toThrow(/1 to 36500/);
  });

  it("refuse to be signed by what is no authority, or by another's key", async () => {
    const authority = await createAuthority();
    const leaf = await issueNodeCertificate(authority, { name: "node-1" });
    await expect(issueClientCertificate(leaf, { name: "app" })).rejects.toThrow(
      /not a certificate/,
    );
    const mixed = { ...authority, privateKeyPem: leaf.privateKeyPem };
    await expect(issueClientCertificate(mixed, { name: "app" })).rejects.toThrow(/does not belong/);
    const broken = { certificatePem: "no", privateKeyPem: "no" };
    await expect(issueClientCertificate(broken, { name: "app" })).rejects.toThrow(/readable PEM/);
  });
});

describe("ferrite certs", () => {
  it("makes an authority, a node and a client with keys nobody else can read", async () => {
    const out = join(directory, "certs");
    await run("init", "--out", out);
    const lines = await run("node", "node-1", "--host", "10.0.0.1", "--out", out, "--days", "90");
    await run("client", "app", "--out", out);
    expect(modeOf(out)).toBe(0o700);
    for (const stem of ["ca", "node-1", "client-app"]) {
      expect(modeOf(join(out, `${stem}.key`))).toBe(0o600);
      expect(readFileSync(join(out, `${stem}.crt`), "utf8")).toContain("BEGIN CERTIFICATE");
    }
    expect(lines.join("\n")).toContain(`  tls-key-file ${join(out, "node-1.key")}`);
    const certificate = new X509Certificate(readFileSync(join(out, "node-1.crt")));
    const days = (certificate.validToDate.getTime() - Date.now()) / DAY_MS;
    expect(Math.round(days)).toBe(90);
  });

  it("overwrites nothing unless it is forced", async () => {
    await run("init", "--out", directory);
    const before = readFileSync(join(directory, "ca.key"), "utf8");
    await expect(run("init", "--out", directory)).rejects.toThrow(/exists and was left as it is/);
    expect(readFileSync(join(directory, "ca.key"), "utf8")).toBe(before);
    await run("init", "--out", directory, "--force");
    expect(readFileSync(join(directory, "ca.key"), "utf8")).not.toBe(before);
    expect(modeOf(join(directory, "ca.key"))).toBe(0o600);
  });

  it("says how to make the authority when there is none", async () => {
    await expect(run("node", "node-1", "--out", directory)).rejects.toThrow(
      /Make the authority first: ferrite certs init --out/,
    );
  });

  it("refuses names of its own files and bad days", async () => {
    await run("init", "--out", directory);
    await expect(run("node", "ca", "--out", directory, "--force")).rejects.toThrow(/not be named/);
    await expect(run("client", "app", "--days", "ten")).rejects.toThrow(/whole number of days/);
  });

  it("makes development certificates once, and anew when they are damaged or end soon", async () => {
    const options = { directory: join(directory, "dev"), nodeNames: ["node-1", "node-2"] };
    const files = await ensureDevelopmentCertificates(options);
    const first = files.get("node-1");
    const second = files.get("node-2");
    if (first === undefined || second === undefined) {
      throw new Error("a node is missing");
    }
    const firstText = readFileSync(first.certFile, "utf8");
    const secondText = readFileSync(second.certFile, "utf8");
    writeFileSync(second.keyFile, "damaged");
    await ensureDevelopmentCertificates(options);
    expect(readFileSync(first.certFile, "utf8")).toBe(firstText);
    expect(readFileSync(second.certFile, "utf8")).not.toBe(secondText);
    await ensureDevelopmentCertificates({ ...options, nowMs: Date.now() + 359 * DAY_MS });
    expect(readFileSync(first.certFile, "utf8")).not.toBe(firstText);
  });

  it("makes development certificates anew that lack a name or were signed by another authority", async () => {
    const options = { directory: join(directory, "dev"), nodeNames: ["node-1"] };
    const client = { directory: options.directory, name: "dev" };
    const { certFile, caFile } = (await ensureDevelopmentCertificates(options)).get("node-1")!;
    const clientFiles = await ensureDevelopmentClient(client);
    const texts = (): string[] =>
      [certFile, clientFiles.certFile].map((file) => readFileSync(file, "utf8"));
    const [, clientText] = texts();
    await run("node", "node-1", "--no-loopback", "--force", "--out", options.directory);
    const narrow = readFileSync(certFile, "utf8");
    await ensureDevelopmentCertificates(options);
    expect(readFileSync(certFile, "utf8")).not.toBe(narrow);
    expect(new X509Certificate(readFileSync(certFile)).checkIP("127.0.0.1")).toBe("127.0.0.1");
    await ensureDevelopmentClient(client);
    expect(readFileSync(clientFiles.certFile, "utf8")).toBe(clientText);
    await run("init", "--force", "--out", options.directory);
    await ensureDevelopmentCertificates(options);
    await ensureDevelopmentClient(client);
    const authority = new X509Certificate(readFileSync(caFile));
    for (const text of texts()) {
      expect(new X509Certificate(text).verify(authority.publicKey)).toBe(true);
    }
    expect(new X509Certificate(readFileSync(clientFiles.certFile)).keyUsage).toEqual([CLIENT_AUTH]);
  });

  it("names the path the operating system refuses", async () => {
    writeFileSync(join(directory, "file"), "");
    const out = join(directory, "file", "certs");
    await expect(run("init", "--out", out)).rejects.toThrow(`${join(out, "ca.key")} can not be`);
    await expect(run("init", "--out", out, "--force")).rejects.toThrow(
      `The directory ${out} can not be made`,
    );
  });
});

describe.skipIf(!hasOpenssl)("openssl", () => {
  it("accepts the chain for each purpose and only for those", async () => {
    await run("init", "--out", directory, "--days", "36500");
    await run("node", "node-1", "--out", directory, "--days", "36000");
    await run("client", "app", "--out", directory);
    const verify = (purpose: string, stem: string, ...more: string[]): number | null =>
      spawnSync("openssl", [
        "verify",
        "-x509_strict",
        "-purpose",
        purpose,
        ...more,
        "-CAfile",
        join(directory, "ca.crt"),
        join(directory, `${stem}.crt`),
      ]).status;
    expect(verify("sslserver", "node-1", "-verify_hostname", "node-1")).toBe(0);
    expect(verify("sslclient", "node-1")).toBe(0);
    expect(verify("sslclient", "client-app")).toBe(0);
    expect(verify("sslserver", "client-app")).not.toBe(0);
    expect(verify("sslserver", "node-1", "-verify_hostname", "node-2")).not.toBe(0);
    const text = execFileSync(
      "openssl",
      ["x509", "-in", join(directory, "node-1.crt"), "-noout", "-text"],
      { encoding: "utf8" },
    );
    expect(text).toMatch(/Subject: CN = node-1/);
    expect(text).toMatch(/X509v3 Basic Constraints: critical\s+CA:FALSE/);
    expect(text).toMatch(/X509v3 Key Usage: critical\s+Digital Signature/);
    expect(text).toMatch(/TLS Web Server Authentication, TLS Web Client Authentication/);
    expect(text).toMatch(/X509v3 Authority Key Identifier/);
    expect(text).toMatch(/NIST CURVE: P-256/);
  });
});
