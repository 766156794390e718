import { X509Certificate } from "node:crypto";
import { describe, expect, it } from "vitest";
import { ChainMemory } from "../../src/certificates/chain-memory.ts";
import { TrustAnchors, verifyChain } from "../../src/certificates/chain.ts";
import { CertificateError } from "../../src/certificates/errors.ts";
import { REVOCATION_LISTS_MAX } from "../../src/certificates/limits.ts";
import type { CertificateRefusal } from "../../src/certificates/live-credentials.ts";
import {
  RevocationLists,
  revocationListsOf,
  type StalePolicy,
} from "../../src/certificates/revocation-lists.ts";
import {
  ALGORITHMS,
  DAY_MS,
  ecKeys,
  edKeys,
  extension,
  makeAuthority,
  makeList,
  makeListDer,
  makeNode,
  rsaKeys,
  type Made,
} from "./certificate-maker.ts";
import { CredentialWorld } from "./credential-world.ts";
import { der, integer, sequence } from "./der-maker.ts";

const root = makeAuthority("Root");
const file = (content: string | Buffer) => ({
  setting: "tls-crl-file",
  path: "/lists.crl",
  bytes: Buffer.from(content),
  isReadableByOthers: false,
});

function check(
  lists: string | Buffer,
  chain: readonly Made[],
  policy: StalePolicy = "accept",
  authorities: readonly Made[] = [root],
): CertificateRefusal | null {
  const memory = new ChainMemory();
  const parsed = new RevocationLists(revocationListsOf(file(lists)), policy, memory);
  const x509 = ({ der: bytes }: Made): X509Certificate => new X509Certificate(bytes);
  const anchors = new TrustAnchors(authorities.map(x509), parsed, memory);
  return verifyChain(anchors, chain.map(x509), "client", Date.now());
}

function refusalOf(lists: string | Buffer): string {
  try {
    revocationListsOf(file(lists));
  } catch (error) {
    if (error instanceof CertificateError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return "taken";
}

describe("A revocation list (S35)", () => {
  it("refuses whom it names, and nobody else", () => {
    const bad = makeNode("bad", root);
    const good = makeNode("good", root);
    const list = makeList(root, { revoked: [bad.serial, 77n] });
    expect(check(list, [bad])).toMatchObject({ reason: "revoked" });
    expect(check(list, [good])).toBeNull();
  });

  it("is read from PEM and DER, several in one file, with numbers of any length", () => {
    const bad = makeNode("bad", root, { serial: 0xff00112233445566778899aabbccddeen });
    const small = makeNode("small", root, { serial: 5n });
    const options = { revoked: [bad.serial, small.serial] };
    expect(check(makeListDer(root, options), [bad])).toMatchObject({ reason: "revoked" });
    const other = makeAuthority("Other");
    const both = `words of people\n${makeList(other)}${makeList(root, options)}`;
    expect(check(both, [bad])).toMatchObject({ reason: "revoked" });
    expect(check(both, [small])).toMatchObject({ reason: "revoked" });
  });

  it("is looked at for every link: a revoked authority takes along those below it", () => {
    const middle = makeAuthority("Middle", { issuer: root });
    const leaf = makeNode("leaf", middle);
    const list = makeList(root, { revoked: [middle.serial] });
    expect(check(list, [leaf, middle])).toMatchObject({ reason: "revoked" });
  });

  it("of an authority that only others send counts for its certificates", () => {
    const middle = makeAuthority("Middle", { issuer: root });
    const leaf = makeNode("leaf", middle);
    const list = makeList(middle, { revoked: [leaf.serial] });
    expect(check(list, [leaf, middle])).toMatchObject({ reason: "revoked" });
  });

  it("of one authority says nothing about another's certificate of the same number", () => {
    const other = makeAuthority("Other");
    const list = makeList(other, { revoked: [1234n] });
    const leaf = makeNode("leaf", root, { serial: 1234n });
    expect(check(list, [leaf], "accept", [root, other])).toBeNull();
  });

  it("counts only with the signature of its authority's key", () => {
    const leaf = makeNode("leaf", root);
    const forged = makeList(root, { revoked: [leaf.serial], keys: ecKeys() });
    expect(check(forged, [leaf])).toBeNull();
    expect(check(forged, [leaf], "refuse")).toMatchObject({ reason: "staleRevocationList" });
    const otherKind = makeList(root, { revoked: [leaf.serial], keys: rsaKeys(2048) });
    expect(check(otherKind, [leaf])).toBeNull();
  });

  it("is verified for every kind of key", () => {
    for (const keys of [ecKeys(), rsaKeys(2048), edKeys()]) {
      const authority = makeAuthority("Any", { keys });
      const leaf = makeNode("leaf", authority);
      const list = makeList(authority, { revoked: [leaf.serial] });
      expect(check(list, [leaf], "accept", [authority])).toMatchObject({ reason: "revoked" });
    }
  });

  it("does not count when its authority may not sign lists", () => {
    const mute = makeAuthority("Mute", { authority: { keyUsage: 0x04 } });
    const leaf = makeNode("leaf", mute);
    expect(check(makeList(mute, { revoked: [leaf.serial] }), [leaf], "accept", [mute])).toBeNull();
  });

  it("is replaced by a newer one of the same authority, by its date, then by its number", () => {
    const leaf = makeNode("leaf", root);
    const nowMs = Date.now();
    const list = (thisUpdateMs: number, number: number, isRevoked: boolean): string =>
      makeList(root, { thisUpdateMs, number, revoked: isRevoked ? [leaf.serial] : [] });
    const old = nowMs - DAY_MS;
    expect(check(list(old, 9, true) + list(nowMs - 9000, 1, false), [leaf])).toBeNull();
    expect(check(list(nowMs - 9000, 1, false) + list(old, 9, true), [leaf])).toBeNull();
    const sameMoment = list(old, 2, true) + list(old, 1, false);
    expect(check(sameMoment, [leaf])).toMatchObject({ reason: "revoked" });
  });

  it("that is out of date counts as it is, or refuses everybody: tls-crl-stale", () => {
    const good = makeNode("good", root);
    const bad = makeNode("bad", root);
    const stale = makeList(root, {
      revoked: [bad.serial],
      thisUpdateMs: Date.now() - 2 * DAY_MS,
      nextUpdateMs: Date.now() - DAY_MS,
    });
    expect(check(stale, [good], "accept")).toBeNull();
    expect(check(stale, [bad], "accept")).toMatchObject({ reason: "revoked" });
    expect(check(stale, [good], "refuse")).toMatchObject({ reason: "staleRevocationList" });
    expect(check(stale, [bad], "refuse")).toMatchObject({ reason: "revoked" });
    const early = makeList(root, { thisUpdateMs: Date.now() + DAY_MS });
    expect(check(early, [good], "refuse")).toMatchObject({ reason: "staleRevocationList" });
    const open = makeList(root, { nextUpdateMs: null });
    expect(check(open, [good], "refuse")).toBeNull();
  });

  it("that is missing for one of several authorities lets its certificates in, or not", () => {
    const other = makeAuthority("Other");
    const leaf = makeNode("leaf", other);
    const authorities = [root, other];
    expect(check(makeList(root), [leaf], "accept", authorities)).toBeNull();
    expect(check(makeList(root), [leaf], "refuse", authorities)).toMatchObject({
      reason: "staleRevocationList",
    });
  });

  it("takes a certificate off again with the reason removeFromCRL", () => {
    const leaf = makeNode("leaf", root);
    const reason = (code: number): Buffer => extension("2.5.29.21", der(0x0a, Buffer.from([code])));
    const withReason = (code: number): string =>
      makeList(root, { revoked: [{ serial: leaf.serial, extensions: reason(code) }] });
    expect(check(withReason(8), [leaf])).toBeNull();
    expect(check(withReason(1), [leaf])).toMatchObject({ reason: "revoked" });
  });

  it("that is about more or less than all of one authority is refused, not half honoured", () => {
    const scope = extension("2.5.29.28", sequence(), true);
    expect(refusalOf(makeList(root, { extensions: [scope] }))).toMatch(
      /critical extension 2.5.29.28/,
    );
    const delta = extension("2.5.29.27", integer(1), true);
    expect(refusalOf(makeList(root, { extensions: [delta] }))).toMatch(
      /critical extension 2.5.29.27/,
    );
    const issuer = extension("2.5.29.29", sequence(), true);
    const indirect = makeList(root, { revoked: [{ serial: 1n, extensions: issuer }] });
    expect(refusalOf(indirect)).toMatch(/an entry has the critical extension 2.5.29.29/);
  });

  it("with a signature that can be forged is refused", () => {
    const old = makeAuthority("Old", { keys: rsaKeys(2048) });
    expect(refusalOf(makeList(old, { algorithm: ALGORITHMS.rsaSha1 }))).toMatch(/SHA-1/);
  });

  it("that is cut off, changed or none is refused", () => {
    const list = makeList(root, { revoked: [1n] });
    const whole = makeListDer(root, { revoked: [1n] });
    expect(refusalOf(list.slice(0, -30))).toMatch(/^badRevocationList: .*cut off/);
    expect(refusalOf(whole.subarray(0, -3))).toMatch(/^badRevocationList/);
    expect(refusalOf(Buffer.concat([whole, Buffer.from([0])]))).toMatch(/^badRevocationList/);
    expect(refusalOf(root.pem)).toMatch(/holds no revocation list/);
    expect(refusalOf(makeList(root).repeat(REVOCATION_LISTS_MAX + 1))).toMatch(/^tooLarge/);
  });

  it("of a hundred thousand certificates is read and asked in moments", () => {
    const revoked = Array.from({ length: 100_000 }, (_, i) => (1n << 120n) + BigInt(i));
    const bytes = makeListDer(root, { revoked });
    const startMs = performance.now();
    const [list] = revocationListsOf(file(bytes));
    const tookMs = performance.now() - startMs;
    expect(list?.serials.size).toBe(100_000);
    // Around 50 ms; the bound is far above, for slow machines.
    expect(tookMs).toBeLessThan(1500);
    const bad = makeNode("bad", root, { serial: (1n << 120n) + 99_999n });
    expect(check(bytes, [bad])).toMatchObject({ reason: "revoked" });
  });
});

describe("The revocation lists of a node (S35)", () => {
  const withList = (world: CredentialWorld) => ({
    ...world.files,
    crlFile: world.path("list.crl"),
  });

  it("refuse from the moment that they are read again", async () => {
    const world = new CredentialWorld();
    const peer = makeNode("n2", world.authority);
    world.write("list.crl", makeList(world.authority));
    const credentials = await world.open("peers", { files: withList(world) });
    const chain = [new X509Certificate(peer.der)];
    expect(credentials.current().verify(chain, "both", Date.now())).toBeNull();

    const changes: unknown[] = [];
    credentials.onChange((now, change) => {
      changes.push([change, now.verify(chain, "both", Date.now())?.reason]);
    });
    world.write("list.crl", makeList(world.authority, { revoked: [peer.serial] }));
    expect(await credentials.reload("file")).toMatchObject({ result: "changed" });
    expect(changes).toEqual([[{ identity: false, trust: false, revocations: true }, "revoked"]]);
  });

  it("are not taken when nobody of the authorities has signed them", async () => {
    const world = new CredentialWorld();
    world.write("list.crl", makeList(world.authority, { keys: ecKeys() }));
    await expect(world.open("peers", { files: withList(world) })).rejects.toMatchObject({
      code: "badRevocationList",
    });
  });

  it("are an alarm in health when out of date or missing, and come to their end once", async () => {
    const world = new CredentialWorld();
    const other = makeAuthority("Other");
    world.write("ca.crt", world.authority.pem + other.pem);
    const nextUpdateMs = Date.now() + 2 * DAY_MS;
    world.write("list.crl", makeList(world.authority, { nextUpdateMs }));
    const credentials = await world.open("peers", { files: withList(world) });
    expect(credentials.health().warnings).toEqual([
      expect.stringContaining('has no list of the authority "CN=Other"'),
    ]);
    expect(credentials.health().listsUntilMs).toEqual([Math.floor(nextUpdateMs / 1000) * 1000]);
    world.clock.advance(3 * DAY_MS);
    expect(credentials.health().warnings).toContainEqual(expect.stringContaining("out of date"));
    const ended = world.eventsOf("expired").filter(({ ending }) => ending.kind !== "leaf");
    expect(ended).toHaveLength(1);
  });
});
