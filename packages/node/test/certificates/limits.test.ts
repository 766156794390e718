import { X509Certificate } from "node:crypto";
import { symlinkSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { ChainMemory, nameKey } from "../../src/certificates/chain-memory.ts";
import { TrustAnchors, verifyChain } from "../../src/certificates/chain.ts";
import {
  AUTHORITY_FILE_BYTES_MAX,
  CERTIFICATES_MAX,
  CHAIN_STEPS_MAX,
  LINKS_MAX,
  PRESENTED_MAX,
  REMEMBERED_MAX,
  REVOCATION_FILE_BYTES_MAX,
} from "../../src/certificates/limits.ts";
import { proveByHandshake } from "../../src/certificates/loopback-proof.ts";
import { certificatesOf } from "../../src/certificates/pem.ts";
import { readFiles } from "../../src/certificates/read-files.ts";
import { RevocationLists } from "../../src/certificates/revocation-lists.ts";
import { watchPoints } from "../../src/certificates/watch-points.ts";
import { makeAuthority, makeNode, type Made } from "./certificate-maker.ts";
import { CredentialWorld } from "./credential-world.ts";

const root = makeAuthority("Root");
const x509 = ({ der }: Made): X509Certificate => new X509Certificate(der);

function verify(chain: readonly Made[]): string | null {
  const memory = new ChainMemory();
  const lists = new RevocationLists([], "accept", memory);
  const anchors = new TrustAnchors([x509(root)], lists, memory);
  return verifyChain(anchors, chain.map(x509), "client", Date.now())?.reason ?? null;
}

describe("The limits of what is read", () => {
  it("are larger for authorities and revocation lists than for one certificate", async () => {
    const world = new CredentialWorld();
    const asked = new Map<string, number>();
    const { files } = world.ports;
    const read = (path: string, bytesMax: number) => {
      asked.set(path, bytesMax);
      return files.read(path, bytesMax);
    };
    const crlFile = world.write("list.crl", "x");
    const source = world.source("peers", { files: { ...world.files, crlFile } });
    await readFiles(source, { ...files, read });
    expect(asked.get(world.path("ca.crt"))).toBe(AUTHORITY_FILE_BYTES_MAX);
    expect(asked.get(crlFile)).toBe(REVOCATION_FILE_BYTES_MAX);

    await expect(files.read(crlFile, 0)).rejects.toThrow(crlFile);
    await expect(files.read(crlFile, 1)).resolves.toMatchObject({ isReadableByOthers: false });
  });

  it("hold for the number of certificates in a file", () => {
    const file = (count: number) => ({
      setting: "tls-ca-cert-file",
      path: "/ca.crt",
      bytes: Buffer.from("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n".repeat(count)),
      isReadableByOthers: false,
    });
    expect(() => certificatesOf(file(CERTIFICATES_MAX + 1))).toThrow(/more than 10000/);
    expect(() => certificatesOf(file(CERTIFICATES_MAX))).toThrow(/Certificate 1 .* is damaged/);
  });

  it("hold for links that lead to a file", () => {
    const world = new CredentialWorld();
    for (let count = 1; count <= LINKS_MAX + 1; count++) {
      const target = count === 1 ? "node.crt" : `link-${count - 1}`;
      symlinkSync(target, world.path(`link-${count}`));
    }
    const namesFor = (link: number): number => {
      const [names] = watchPoints([world.path(`link-${link}`)]).values();
      return names === "all" ? -1 : (names?.size ?? 0);
    };
    expect(namesFor(LINKS_MAX)).toBe(LINKS_MAX + 1);
    // The last one is not followed any more.
    expect(namesFor(LINKS_MAX + 1)).toBe(LINKS_MAX + 1);
  });
});

describe("The limits of what others send", () => {
  it("end with the certificates that are looked at", () => {
    const middle = makeAuthority("Middle", { issuer: root });
    const leaf = makeNode("leaf", middle);
    const noise = Array.from({ length: PRESENTED_MAX }, () => leaf);
    expect(verify([leaf, ...noise.slice(2), middle])).toBeNull();
    expect(verify([leaf, ...noise, middle])).toBe("untrusted");
  });

  it("end a search that goes around among many of one name", () => {
    const keys = root.keys;
    const crowd = Array.from({ length: PRESENTED_MAX - 2 }, () =>
      makeAuthority("Crowd", { issuer: makeAuthority("Crowd", { keys }), keys }),
    );
    const leaf = makeNode("leaf", crowd[0] ?? root);
    const startMs = performance.now();
    expect(verify([leaf, ...crowd])).toBe("untrusted");
    // All ways through thirty certificates would take longer than the world has been there.
    expect(performance.now() - startMs).toBeLessThan(2000);
    expect(CHAIN_STEPS_MAX).toBeLessThan(1000);
  });

  it("let the memory forget what was not asked for the longest", () => {
    const memory = new ChainMemory();
    const named = (index: number): X509Certificate =>
      ({ fingerprint256: `${index}`, subject: `CN=${index}` }) as X509Certificate;
    for (let index = 0; index <= REMEMBERED_MAX; index++) memory.rememberIntermediate(named(index));
    expect(memory.intermediatesNamed(nameKey("CN=0"))).toEqual([]);
    expect(memory.intermediatesNamed(nameKey("cn=1"))).toHaveLength(1);
  });
});

describe("A certificate that has to prove itself (S33)", () => {
  const node = makeNode("n1", root);
  const contextOptions = { cert: node.pem, key: node.keyPem, ca: root.pem };

  it("does so when the other side is shown it", async () => {
    const proof = { contextOptions, certificate: x509(node) };
    expect(await proveByHandshake({ ...proof, isMutual: true })).toBeNull();
    expect(await proveByHandshake({ ...proof, isMutual: false })).toBeNull();
  });

  it("fails when another one is shown, when it is not trusted, and when no context can be made", async () => {
    const certificate = x509(makeNode("n1", root));
    expect(await proveByHandshake({ contextOptions, certificate, isMutual: false })).toBe(
      "another certificate than the one in the file was shown",
    );
    const ca = makeAuthority("Other").pem;
    const untrusted = { contextOptions: { ...contextOptions, ca }, certificate: x509(node) };
    expect(await proveByHandshake({ ...untrusted, isMutual: true })).toMatch(/certificate/);
    const broken = { ...contextOptions, key: makeNode("n1", root).keyPem };
    const mismatch = { contextOptions: broken, certificate: x509(node), isMutual: false };
    expect(await proveByHandshake(mismatch)).toMatch(/key values mismatch/);
  });
});
