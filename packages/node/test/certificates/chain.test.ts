import { X509Certificate } from "node:crypto";
import { describe, expect, it } from "vitest";
import { ChainMemory } from "../../src/certificates/chain-memory.ts";
import { TrustAnchors, verifyChain, type ChainUsage } from "../../src/certificates/chain.ts";
import { CHAIN_LENGTH_MAX } from "../../src/certificates/limits.ts";
import type { CertificateRefusal } from "../../src/certificates/live-credentials.ts";
import { RevocationLists } from "../../src/certificates/revocation-lists.ts";
import {
  CLIENT_AUTH,
  DAY_MS,
  dnsName,
  extension,
  makeAuthority,
  makeCertificate,
  makeNode,
  SERVER_AUTH,
  type Made,
} from "./certificate-maker.ts";
import { nameOf, sequence } from "./der-maker.ts";

const root = makeAuthority("Root");

function verify(
  chain: readonly Made[],
  authorities: readonly Made[] = [root],
  usage: ChainUsage = "client",
  memory: ChainMemory = new ChainMemory(),
): CertificateRefusal | null {
  const lists = new RevocationLists([], "accept", memory);
  const anchors = new TrustAnchors(authorities.map(x509), lists, memory);
  return verifyChain(anchors, chain.map(x509), usage, Date.now());
}

function x509({ der }: Made): X509Certificate {
  return new X509Certificate(der);
}

function client(issuer: Made, usages: readonly string[] | undefined = [CLIENT_AUTH]): Made {
  const subject = nameOf("client");
  return makeCertificate({ subject, issuer, ...(usages === undefined ? {} : { usages }) });
}

describe("A chain", () => {
  it("is good when it leads to an authority, directly or over others, in any order", () => {
    const middle = makeAuthority("Middle", { issuer: root });
    const low = makeAuthority("Low", { issuer: middle });
    expect(verify([client(root)])).toBeNull();
    const leaf = client(low);
    expect(verify([leaf, low, middle])).toBeNull();
    expect(verify([leaf, middle, low])).toBeNull();
    expect(verify([leaf, middle, low, root])).toBeNull();
  });

  it("may find its way over authorities of the bundle that end nothing themselves", () => {
    const middle = makeAuthority("Middle", { issuer: root });
    const leaf = client(middle);
    expect(verify([leaf], [root, middle])).toBeNull();
    expect(verify([leaf], [middle])).toMatchObject({ reason: "untrusted" });
  });

  it("is found by its leaf alone once it was seen whole: a resumed session brings no more (S35)", () => {
    const memory = new ChainMemory();
    const middle = makeAuthority("Middle", { issuer: root });
    const leaf = client(middle);
    expect(verify([leaf], [root], "client", memory)).toMatchObject({ reason: "untrusted" });
    expect(verify([leaf, middle], [root], "client", memory)).toBeNull();
    expect(verify([leaf], [root], "client", memory)).toBeNull();
  });

  it("is missing when nothing was shown", () => {
    expect(verify([])).toMatchObject({ reason: "missing" });
  });

  it("is refused without the authority, or with one that only has its name", () => {
    const impostor = makeAuthority("Root");
    expect(verify([client(impostor)])).toMatchObject({ reason: "untrusted" });
    expect(verify([client(impostor), impostor])).toMatchObject({ reason: "untrusted" });
    expect(verify([client(root)], [])).toMatchObject({ reason: "untrusted" });
  });

  it("is refused when a client signs another one", () => {
    const signer = client(root);
    expect(verify([client(signer), signer])).toMatchObject({ reason: "untrusted" });
    const marked = makeAuthority("No signing", { issuer: root, authority: { keyUsage: 0x02 } });
    expect(verify([client(marked), marked])).toMatchObject({ reason: "untrusted" });
  });

  it("keeps to the number of authorities that one may have below it", () => {
    const narrow = makeAuthority("Narrow", { authority: { pathLength: 0 } });
    const middle = makeAuthority("Middle", { issuer: narrow });
    expect(verify([client(narrow)], [narrow])).toBeNull();
    expect(verify([client(middle), middle], [narrow])).toMatchObject({
      reason: "untrusted",
      text: expect.stringContaining("may have 0 authorities below it") as string,
    });
  });

  it("does not count authorities that changed their key there (RFC 5280, 6.1.4)", () => {
    const before = makeAuthority("Renewed", { authority: { pathLength: 0 } });
    const after = makeAuthority("Renewed", { issuer: before });
    expect(verify([client(after), after], [before])).toBeNull();
  });

  it("is refused beyond so many certificates", () => {
    const chain: Made[] = [];
    for (let count = 0; count < CHAIN_LENGTH_MAX; count++) {
      chain.unshift(makeAuthority(`Level ${count}`, { issuer: chain[0] ?? root }));
    }
    const shorter = chain.slice(2);
    expect(verify([client(shorter[0] ?? root), ...shorter, ...chain.slice(0, 2)])).toBeNull();
    expect(verify([client(chain[0] ?? root), ...chain])).toMatchObject({ reason: "untrusted" });
  });

  it("is refused when any of its certificates has ended, or has not begun", () => {
    const past = Date.now() - 1000;
    const future = Date.now() + DAY_MS;
    expect(verify([makeNode("n", root, { untilMs: past })])).toMatchObject({ reason: "expired" });
    expect(verify([makeNode("n", root, { fromMs: future })])).toMatchObject({
      reason: "notYetValid",
    });
    const middle = makeAuthority("Middle", { issuer: root, untilMs: past });
    expect(verify([client(middle), middle])).toMatchObject({ reason: "expired" });
    const old = makeAuthority("Old", { untilMs: past });
    expect(verify([client(old)], [old])).toMatchObject({ reason: "expired" });
  });

  it("takes another way where one has ended: authorities are renewed with their key", () => {
    const old = makeAuthority("Middle", { issuer: root, untilMs: Date.now() - 1000 });
    const renewed = makeAuthority("Middle", { issuer: root, keys: old.keys });
    expect(verify([client(old), old, renewed])).toBeNull();
    expect(verify([client(old), renewed, old])).toBeNull();
  });

  it("is for its use: a client can not be a server, nor open the peer port (S31)", () => {
    const one = client(root);
    expect(verify([one], [root], "client")).toBeNull();
    expect(verify([one], [root], "server")).toMatchObject({ reason: "wrongUse" });
    expect(verify([one], [root], "both")).toMatchObject({ reason: "wrongUse" });
    expect(verify([client(root, [SERVER_AUTH])])).toMatchObject({ reason: "wrongUse" });
    expect(verify([makeNode("n", root)], [root], "both")).toBeNull();
  });

  it("may be for everything where it says nothing, as with OpenSSL; not so for nodes (S31)", () => {
    const open = makeCertificate({ issuer: root });
    expect(verify([open], [root], "client")).toBeNull();
    expect(verify([open], [root], "server")).toBeNull();
    expect(verify([open], [root], "both")).toMatchObject({ reason: "wrongUse" });
  });

  it("does not count the use that stands for any: OpenSSL does not either", () => {
    expect(verify([client(root, ["2.5.29.37.0"])])).toMatchObject({ reason: "wrongUse" });
  });

  it("keeps to what an authority is for", () => {
    const servers = makeAuthority("Servers only", { issuer: root, usages: [SERVER_AUTH] });
    const leaf = makeNode("n", servers);
    expect(verify([leaf, servers], [root], "server")).toBeNull();
    expect(verify([leaf, servers], [root], "client")).toMatchObject({ reason: "wrongUse" });
  });

  it("is malformed with an extension that is there twice", () => {
    const twice = makeCertificate({
      issuer: root,
      dnsNames: ["a"],
      extensions: [extension("2.5.29.17", sequence(dnsName("b")))],
    });
    expect(verify([twice])).toMatchObject({ reason: "malformed" });
  });

  it("may begin with a certificate without a subject, as those of SPIFFE do; one without an issuer leads nowhere (S30)", () => {
    const nameless = makeCertificate({ subject: sequence(), issuer: root, usages: [CLIENT_AUTH] });
    expect(verify([nameless])).toBeNull();
    const alone = makeCertificate({ subject: sequence(), usages: [CLIENT_AUTH] });
    expect(verify([alone])).toMatchObject({ reason: "untrusted" });
    const ended = makeCertificate({ subject: sequence(), issuer: root, untilMs: Date.now() - 1 });
    expect(verify([ended])).toMatchObject({ reason: "expired" });
  });

  it("is refused over an authority whose key can not be read, and nothing is thrown (S30)", () => {
    const middle = makeAuthority("Middle", { issuer: root });
    const curve = Buffer.from("06082a8648ce3d030107", "hex");
    const der = Buffer.from(middle.der);
    der[der.indexOf(curve) + curve.length - 1] = 0x7f;
    const broken = { ...middle, der };
    expect(() => x509(broken).publicKey).toThrow();
    expect(verify([client(middle), broken])).toMatchObject({ reason: "untrusted" });
    expect(verify([broken])).toMatchObject({ reason: "untrusted" });
  });

  it("does not go around in circles", () => {
    const a = makeAuthority("A");
    const b = makeAuthority("B", { issuer: a });
    const aAgain = makeAuthority("A", { issuer: b, keys: a.keys });
    expect(verify([client(a), aAgain, b], [root])).toMatchObject({ reason: "untrusted" });
  });
});
