import { X509Certificate, createPrivateKey } from "node:crypto";
import {
  existsSync,
  mkdirSync,
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
import { DAY_MS } from "../../src/certs/authority.ts";
import { decodeDerInteger, encodeDerInteger } from "../../src/certs/der-integer.ts";
import { withLock } from "../../src/certs/directory-lock.ts";
import { CRL_DAYS_MAX, readRevocationList } from "../../src/certs/revocation-list.ts";
import { certs } from "./certs-runner.ts";
import { hasOpenssl, openssl } from "./openssl.ts";

let directory = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "ferrite-certs-"));
});
afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

const path = (name: string): string => join(directory, name);
const certificate = (name: string): X509Certificate =>
  new X509Certificate(readFileSync(path(name)));
const serialOf = (name: string): string => certificate(name).serialNumber.toLowerCase();

function revokedSerials(): string[] {
  const list = readRevocationList(readFileSync(path("ca.crl")), "ca.crl");
  return list.revocations.map(({ serial }) => serial);
}

interface Issued {
  readonly crlNumber: number;
  readonly certificates: readonly { readonly serial: string; readonly revokedAt: string | null }[];
}

function index(): Issued {
  return JSON.parse(readFileSync(path("ca-index.json"), "utf8")) as Issued;
}

async function newAuthority(...options: string[]): Promise<void> {
  await certs("init", "--out", directory, ...options);
}

describe("ferrite certs renew", () => {
  it("(S33) keeps subject, names and uses; dates, serial and key are new, the old pair stays aside", async () => {
    await newAuthority();
    const uri = "spiffe://example.org/ferrite/node-1";
    await certs(
      "node",
      "node-1",
      "--host",
      "10.1.2.3",
      "--uri",
      uri,
      "--days",
      "90",
      "--out",
      directory,
    );
    const before = certificate("node-1.crt");
    const keyBefore = readFileSync(path("node-1.key"), "utf8");
    await certs("renew", "node-1", "--out", directory);
    const after = certificate("node-1.crt");
    expect(after.subject).toBe(before.subject);
    expect(after.subjectAltName).toBe(before.subjectAltName);
    expect(after.subjectAltName).toContain(`URI:${uri}`);
    expect(after.keyUsage).toEqual(before.keyUsage);
    expect(after.serialNumber).not.toBe(before.serialNumber);
    expect(Math.round((after.validToDate.getTime() - Date.now()) / DAY_MS)).toBe(90);
    const key = readFileSync(path("node-1.key"), "utf8");
    expect(key).not.toBe(keyBefore);
    expect(after.checkPrivateKey(createPrivateKey(key))).toBe(true);
    expect(certificate("node-1.crt.old").serialNumber).toBe(before.serialNumber);
    expect(readFileSync(path("node-1.key.old"), "utf8")).toBe(keyBefore);
    for (const file of ["node-1.key", "node-1.key.old"]) {
      expect(statSync(path(file)).mode & 0o777).toBe(0o600);
    }
  });

  it("keeps the key when asked, and makes another kind of key when asked", async () => {
    await newAuthority();
    await certs("client", "app", "--out", directory);
    const key = readFileSync(path("client-app.key"), "utf8");
    await certs("renew", path("client-app.crt"), "--keep-key", "--days", "7", "--out", directory);
    expect(readFileSync(path("client-app.key"), "utf8")).toBe(key);
    expect(certificate("client-app.crt").checkPrivateKey(createPrivateKey(key))).toBe(true);
    await certs("renew", "app", "--algorithm", "ed25519", "--out", directory);
    expect(certificate("client-app.crt").publicKey.asymmetricKeyType).toBe("ed25519");
    await expect(
      certs("renew", "app", "--keep-key", "--algorithm", "ed25519", "--out", directory),
    ).rejects.toThrow("--keep-key keeps the key as it is");
  });

  it("(S34) goes over to another authority only when told to", async () => {
    await newAuthority();
    await certs("node", "node-1", "--out", directory);
    const other = path("new-ca");
    await certs("init", "--out", other);
    const asked = ["renew", "node-1", "--out", directory, "--ca-dir", other];
    await expect(certs(...asked)).rejects.toThrow(/was signed by .* not by .*--new-authority/);
    await certs(...asked, "--new-authority");
    const authority = new X509Certificate(readFileSync(join(other, "ca.crt")));
    expect(certificate("node-1.crt").verify(authority.publicKey)).toBe(true);
    // The index of the authority that signed has it.
    await certs("revoke", "node-1", "--ca-dir", other, "--out", directory);
    expect(existsSync(join(other, "ca.crl"))).toBe(true);
  });

  it("does not put a key without a passphrase in the place of an encrypted one", async () => {
    await newAuthority();
    writeFileSync(path("pass"), "correct horse\n");
    await certs("node", "node-1", "--key-passphrase-file", path("pass"), "--out", directory);
    const before = readFileSync(path("node-1.key"), "utf8");
    await expect(certs("renew", "node-1", "--out", directory)).rejects.toThrow(
      /node-1.key is encrypted: say with --key-passphrase-file/,
    );
    expect(readFileSync(path("node-1.key"), "utf8")).toBe(before);
    await certs("renew", "node-1", "--key-passphrase-file", path("pass"), "--out", directory);
    const key = createPrivateKey({
      key: readFileSync(path("node-1.key")),
      passphrase: "correct horse",
    });
    expect(certificate("node-1.crt").checkPrivateKey(key)).toBe(true);
  });

  it("leaves the old pair in place, and nothing else, when the new one can not be put there", async () => {
    await newAuthority();
    await certs("node", "node-1", "--out", directory);
    const files = readdirSync(directory);
    const texts = ["node-1.crt", "node-1.key"].map((name) => readFileSync(path(name), "utf8"));
    mkdirSync(path("node-1.crt.old"));
    await expect(certs("renew", "node-1", "--out", directory)).rejects.toThrow(
      /node-1.crt can not be replaced/,
    );
    expect(["node-1.crt", "node-1.key"].map((name) => readFileSync(path(name), "utf8"))).toEqual(
      texts,
    );
    const now = readdirSync(directory).filter((name) => !name.endsWith(".old"));
    expect(now).toEqual(files);
  });

  it("refuses what was revoked, an authority, what is not there, and a name that two have", async () => {
    await newAuthority();
    await certs("client", "app", "--out", directory);
    await certs("revoke", "app", "--out", directory);
    await expect(certs("renew", "app", "--out", directory)).rejects.toThrow(/was revoked on/);
    await expect(certs("renew", path("ca.crt"), "--out", directory)).rejects.toThrow(
      /is an authority/,
    );
    await expect(certs("renew", "nobody", "--out", directory)).rejects.toThrow(
      /no certificate of "nobody": neither .*nobody.crt nor .*client-nobody.crt/,
    );
    await certs("node", "app", "--out", directory);
    await expect(certs("renew", "app", "--out", directory)).rejects.toThrow(
      /is a node and a client here/,
    );
    writeFileSync(path("odd.pem"), readFileSync(path("app.crt")));
    await expect(certs("renew", path("odd.pem"), "--out", directory)).rejects.toThrow(/with --key/);
    await expect(certs("renew", path("app.key"), "--out", directory)).rejects.toThrow();
  });
});

describe("ferrite certs revoke", () => {
  it("(S35) by name takes back every certificate of it that is good, and numbers the lists", async () => {
    await newAuthority();
    await certs("client", "app", "--out", directory);
    await certs("client", "other", "--out", directory);
    const first = serialOf("client-app.crt");
    await certs("renew", "app", "--out", directory);
    const second = serialOf("client-app.crt");
    const lines = await certs(
      "revoke",
      "client-app",
      "--reason",
      "keyCompromise",
      "--out",
      directory,
    );
    expect(lines.filter((line) => line.startsWith("Revoked: CN=app"))).toHaveLength(2);
    expect(revokedSerials().toSorted()).toEqual([first, second].toSorted());
    const list = readRevocationList(readFileSync(path("ca.crl")), "ca.crl");
    expect(list).toMatchObject({ number: 1n, revocations: [{ reason: "keyCompromise" }, {}] });
    await certs("crl", "--days", "7", "--out", directory);
    const next = readRevocationList(readFileSync(path("ca.crl")), "ca.crl");
    expect(next.number).toBe(2n);
    expect(next.revocations).toHaveLength(2);
    expect(Math.round((next.nextUpdateMs! - Date.now()) / DAY_MS)).toBe(7);
    expect(index().crlNumber).toBe(2);
    expect(statSync(path("ca-index.json")).mode & 0o777).toBe(0o600);
  });

  it("takes a file or a serial number, several at once, and also what the index does not know", async () => {
    await newAuthority();
    await certs("node", "node-1", "--out", directory);
    await certs("renew", "node-1", "--out", directory);
    await certs("client", "app", "--out", directory);
    const [old, app] = [serialOf("node-1.crt.old"), serialOf("client-app.crt")];
    rmSync(path("ca-index.json"));
    const colons = app.toUpperCase().match(/../g)!.join(":");
    await certs("revoke", path("node-1.crt.old"), colons, "--out", directory);
    expect(revokedSerials().toSorted()).toEqual([app, old].toSorted());
    await expect(certs("revoke", app, "--out", directory)).rejects.toThrow(
      /revoked already, since/,
    );
  });

  it("forgets no revocation when the index is lost, and none that the list alone has", async () => {
    await newAuthority();
    await certs("client", "app", "--out", directory);
    await certs("revoke", "app", "--out", directory);
    const serial = serialOf("client-app.crt");
    rmSync(path("ca-index.json"));
    await certs("client", "next", "--out", directory);
    await certs("crl", "--out", directory);
    expect(revokedSerials()).toEqual([serial]);
    const list = readRevocationList(readFileSync(path("ca.crl")), "ca.crl");
    expect(list.number).toBe(2n);
    expect(index().certificates.find((entry) => entry.serial === serial)?.revokedAt).not.toBeNull();
  });

  it("refuses the authority itself, another's certificate, unknown names, and changes nothing then", async () => {
    await newAuthority();
    await certs("client", "app", "--out", directory);
    const other = path("other");
    await certs("gen", "n1", "--out", other);
    const asked = (target: string): Promise<string[]> =>
      certs("revoke", "app", target, "--out", directory);
    await expect(asked(path("ca.crt"))).rejects.toThrow(/is the authority itself/);
    await expect(asked(join(other, "n1", "cert.pem"))).rejects.toThrow(/only that authority can/);
    await expect(asked("nobody")).rejects.toThrow(/No certificate of "nobody" was issued here/);
    expect(existsSync(path("ca.crl"))).toBe(false);
    expect(index().certificates.every((entry) => entry.revokedAt === null)).toBe(true);
  });

  it("does not go on with a damaged index, another authority's, or another's list", async () => {
    await newAuthority();
    await certs("client", "app", "--out", directory);
    const good = readFileSync(path("ca-index.json"), "utf8");
    writeFileSync(path("ca-index.json"), good.slice(0, -20));
    await expect(certs("revoke", "app", "--out", directory)).rejects.toThrow(/is damaged/);
    await expect(certs("client", "b", "--out", directory)).rejects.toThrow(/is damaged/);
    expect(existsSync(path("client-b.crt"))).toBe(false);
    writeFileSync(
      path("ca-index.json"),
      good.replace(/"authority": "[0-9a-f]{8}/, '"authority": "00000000'),
    );
    await expect(certs("crl", "--out", directory)).rejects.toThrow(/belongs to another authority/);
    writeFileSync(path("ca-index.json"), good);
    const other = path("other");
    await certs("init", "--out", other);
    await certs("crl", "--out", other);
    writeFileSync(path("ca.crl"), readFileSync(join(other, "ca.crl")));
    await expect(certs("crl", "--out", directory)).rejects.toThrow(
      /is a list of another authority/,
    );
  });

  it("starts anew with a new authority", async () => {
    await newAuthority();
    await certs("client", "app", "--out", directory);
    await certs("revoke", "app", "--out", directory);
    await newAuthority("--force");
    expect(existsSync(path("ca.crl"))).toBe(false);
    expect(existsSync(path("ca.crl.old"))).toBe(true);
    await certs("crl", "--out", directory);
    expect(revokedSerials()).toEqual([]);
  });

  it("loses nothing when several programs work in one directory", async () => {
    await newAuthority();
    const names = Array.from({ length: 8 }, (_, at) => `c${at}`);
    await Promise.all(names.map((name) => certs("client", name, "--out", directory)));
    expect(index().certificates).toHaveLength(names.length);
    await Promise.all(names.map((name) => certs("revoke", name, "--out", directory)));
    expect(revokedSerials()).toHaveLength(names.length);
    expect(index().crlNumber).toBe(names.length);
  });

  it.each(["0", "3651", "x"])("refuses %s days for a list", async (days) => {
    expect(CRL_DAYS_MAX).toBe(3650);
    await expect(certs("crl", "--days", days, "--out", directory)).rejects.toThrow(/1 to 3650/);
  });
});

describe("the lock of a directory", () => {
  it("names the one that holds it, and what to remove when that is gone", async () => {
    const lock = path("lock");
    writeFileSync(lock, `${process.pid}\n`);
    await expect(withLock(lock, () => Promise.resolve(), 50)).rejects.toThrow(
      `Process ${process.pid} works in this directory. Wait for it, or when it does not run on any machine remove ${lock}.`,
    );
    // No process has this number: it is beyond what systems give.
    writeFileSync(lock, "2147483646\n");
    await expect(withLock(lock, () => Promise.resolve())).rejects.toThrow(
      /left its lock behind and no longer runs. Remove/,
    );
    rmSync(lock);
    expect(await withLock(lock, () => Promise.resolve(7))).toBe(7);
    await expect(withLock(lock, () => Promise.reject(new Error("inside")))).rejects.toThrow(
      "inside",
    );
    expect(existsSync(lock)).toBe(false);
  });
});

describe("numbers in DER", () => {
  it.each<[bigint, number[]]>([
    [0n, [2, 1, 0]],
    [127n, [2, 1, 0x7f]],
    [128n, [2, 2, 0, 0x80]],
    [65_536n, [2, 3, 1, 0, 0]],
  ])("%s", (value, bytes) => {
    expect([...encodeDerInteger(value)]).toEqual(bytes);
    expect(decodeDerInteger(Uint8Array.from(bytes))).toBe(value);
  });

  it("refuses what is negative, too long or cut", () => {
    expect(() => encodeDerInteger(-1n)).toThrow("negative");
    expect(() => encodeDerInteger(1n << 160n)).toThrow("20 bytes");
    expect(encodeDerInteger((1n << 159n) - 1n)).toHaveLength(22);
    for (const bytes of [[], [2], [2, 2, 1], [4, 1, 1], [2, 1, 0x80], [2, 0]]) {
      expect(decodeDerInteger(Uint8Array.from(bytes))).toBeNull();
    }
  });
});

describe.skipIf(!hasOpenssl)("openssl", () => {
  it.each(["ecdsa-p256", "ecdsa-p384", "rsa-2048", "ed25519"])(
    "(S35) verifies lists and certificates of %s, and refuses what is revoked",
    async (algorithm) => {
      await newAuthority("--algorithm", algorithm);
      for (const name of ["good", "bad"]) {
        await certs("client", name, "--algorithm", algorithm, "--out", directory);
      }
      await certs("revoke", "bad", "--reason", "superseded", "--out", directory);
      const list = openssl(
        "crl",
        "-in",
        path("ca.crl"),
        "-CAfile",
        path("ca.crt"),
        "-verify",
        "-noout",
        "-text",
      );
      expect(list.text).toContain("verify OK");
      expect(list.text).toMatch(/X509v3 CRL Number:\s+1\s/);
      expect(list.text).toMatch(/X509v3 CRL Reason Code:\s+Superseded/);
      const verify = (name: string): string =>
        openssl(
          "verify",
          "-x509_strict",
          "-purpose",
          "sslclient",
          "-crl_check",
          "-CRLfile",
          path("ca.crl"),
          "-CAfile",
          path("ca.crt"),
          path(`client-${name}.crt`),
        ).text;
      expect(verify("good")).toContain(": OK");
      expect(verify("bad")).toContain("certificate revoked");
    },
  );
});
