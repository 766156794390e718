/**
 * Verifies a chain (RFC 5280, 6) up to an authority: signatures, constraints, dates, usages, revocation lists. OpenSSL has
 * done most of it in the handshake; this is for what it can not do: look again at a connection that is open, or at one that
 * was resumed, and say exactly what is wrong.
 *
 * An authority is a self-signed certificate of the bundle. Others in the bundle help to find the way and end nothing, as
 * with OpenSSL.
 */
import type { X509Certificate } from "node:crypto";
import { CLIENT_AUTH, SERVER_AUTH, type CertificateContents } from "./certificate-contents.ts";
import { nameKey, type ChainMemory } from "./chain-memory.ts";
import { CHAIN_LENGTH_MAX, CHAIN_STEPS_MAX, PRESENTED_MAX } from "./limits.ts";
import type { CertificateRefusal } from "./live-credentials.ts";
import { issuerOf, subjectOf } from "./name-text.ts";
import type { RevocationLists } from "./revocation-lists.ts";

export type ChainUsage = "client" | "server" | "both";

const REQUIRED_USAGES: Readonly<Record<ChainUsage, readonly string[]>> = {
  client: [CLIENT_AUTH],
  server: [SERVER_AUTH],
  both: [SERVER_AUTH, CLIENT_AUTH],
};

const USAGE_TEXT: Readonly<Record<ChainUsage, string>> = {
  client: "clientAuth",
  server: "serverAuth",
  both: "serverAuth and clientAuth",
};

/** What one generation of files lets a chain be judged by. */
export class TrustAnchors {
  readonly authorities: readonly X509Certificate[];
  readonly lists: RevocationLists;
  readonly memory: ChainMemory;
  readonly #fingerprints: ReadonlySet<string>;
  readonly #byName: ReadonlyMap<string, readonly X509Certificate[]>;

  constructor(
    authorities: readonly X509Certificate[],
    lists: RevocationLists,
    memory: ChainMemory,
  ) {
    this.authorities = authorities;
    this.lists = lists;
    this.memory = memory;
    this.#fingerprints = new Set(authorities.map((each) => each.fingerprint256));
    this.#byName = Map.groupBy(authorities, (each) => nameKey(subjectOf(each)));
  }

  /** Self-signed and in the bundle: a chain may end here. */
  isEnd(certificate: X509Certificate): boolean {
    return (
      this.#fingerprints.has(certificate.fingerprint256) &&
      certificate.checkIssued(certificate) &&
      this.memory.hasSigned(certificate, certificate)
    );
  }

  /** Those that may have issued it, by name alone: a bundle can hold thousands. */
  namedAsIssuerOf(certificate: X509Certificate): readonly X509Certificate[] {
    const key = nameKey(issuerOf(certificate));
    return [...(this.#byName.get(key) ?? []), ...this.memory.intermediatesNamed(key)];
  }
}

/** Null: the chain is good. `chain` has the leaf first; the order of the rest does not matter. */
export function verifyChain(
  anchors: TrustAnchors,
  chain: readonly X509Certificate[],
  usage: ChainUsage,
  nowMs: number,
): CertificateRefusal | null {
  const [leaf] = chain;
  if (leaf === undefined) return { reason: "missing", text: "no certificate was shown" };
  const contents = anchors.memory.contents(leaf);
  if (contents === null) return malformed(leaf);
  const own = checkDates(leaf, nowMs) ?? checkUsage(contents, leaf, usage);
  if (own !== null) return own;
  const search = new PathSearch(anchors, chain.slice(1, PRESENTED_MAX), usage, nowMs);
  const path = search.from([leaf]);
  if (path === null) {
    return search.refusal ?? { reason: "untrusted", text: `${shown(leaf)} leads to no authority` };
  }
  for (const each of path.slice(1, -1)) anchors.memory.rememberIntermediate(each);
  return anchors.lists.checkPath(path, nowMs);
}

function checkDates(certificate: X509Certificate, nowMs: number): CertificateRefusal | null {
  if (certificate.validToDate.getTime() <= nowMs) {
    const text = `${shown(certificate)} ended on ${certificate.validToDate.toISOString()}`;
    return { reason: "expired", text };
  }
  if (certificate.validFromDate.getTime() > nowMs) {
    const text = `${shown(certificate)} begins on ${certificate.validFromDate.toISOString()}`;
    return { reason: "notYetValid", text };
  }
  return null;
}

/**
 * Without the extension every use is allowed, as OpenSSL has it. Not for `both`: a node's certificate says that it is one,
 * or any certificate of the authority could open the peer port (S31).
 */
function checkUsage(
  contents: CertificateContents,
  certificate: X509Certificate,
  usage: ChainUsage,
): CertificateRefusal | null {
  const { extendedUsages } = contents;
  if (extendedUsages === null && usage !== "both") return null;
  if (REQUIRED_USAGES[usage].every((each) => extendedUsages?.includes(each))) return null;
  const text = `${shown(certificate)} is for another use: its extended key usage must allow ${USAGE_TEXT[usage]}`;
  return { reason: "wrongUse", text };
}

/** Looks for a way from the leaf to an authority, depth first. The first obstacle that was found is the one reported. */
class PathSearch {
  readonly #anchors: TrustAnchors;
  readonly #presented: readonly X509Certificate[];
  readonly #usage: ChainUsage;
  readonly #nowMs: number;
  #steps = 0;
  refusal: CertificateRefusal | null = null;

  constructor(
    anchors: TrustAnchors,
    presented: readonly X509Certificate[],
    usage: ChainUsage,
    nowMs: number,
  ) {
    this.#anchors = anchors;
    this.#usage = usage;
    this.#nowMs = nowMs;
    this.#presented = presented;
  }

  from(path: readonly X509Certificate[]): readonly X509Certificate[] | null {
    const current = path[path.length - 1];
    if (this.#anchors.isEnd(current)) return path;
    if (path.length >= CHAIN_LENGTH_MAX) return null;
    const seen = new Set(path.map((each) => each.fingerprint256));
    const candidates = [...this.#anchors.namedAsIssuerOf(current), ...this.#presented];
    for (const candidate of candidates) {
      if (!current.checkIssued(candidate) || seen.has(candidate.fingerprint256)) continue;
      seen.add(candidate.fingerprint256);
      if (++this.#steps > CHAIN_STEPS_MAX) return null;
      if (!this.#anchors.memory.hasSigned(candidate, current)) continue;
      const obstacle = this.#obstacle(candidate, authoritiesBelow(path));
      if (obstacle !== null) {
        this.refusal ??= obstacle;
        continue;
      }
      const found = this.from([...path, candidate]);
      if (found !== null) return found;
    }
    return null;
  }

  /** Why this issuer may not be one, with so many authorities below it. */
  #obstacle(issuer: X509Certificate, below: number): CertificateRefusal | null {
    const contents = this.#anchors.memory.contents(issuer);
    if (contents === null) return malformed(issuer);
    if (!contents.isAuthority || contents.mayIssueCertificates === false) {
      return { reason: "untrusted", text: `${shown(issuer)} is not an authority` };
    }
    if (contents.pathLength !== null && contents.pathLength < below) {
      const text = `${shown(issuer)} may have ${contents.pathLength} authorities below it, not ${below}`;
      return { reason: "untrusted", text };
    }
    const { extendedUsages } = contents;
    if (
      extendedUsages !== null &&
      !REQUIRED_USAGES[this.#usage].every((each) => extendedUsages.includes(each))
    ) {
      const text = `the authority ${shown(issuer)} is not for ${USAGE_TEXT[this.#usage]}`;
      return { reason: "wrongUse", text };
    }
    return checkDates(issuer, this.#nowMs);
  }
}

/** Those that an authority issued to itself, to change its key, do not count (RFC 5280, 6.1.4 l). */
function authoritiesBelow(path: readonly X509Certificate[]): number {
  return path.slice(1).filter((each) => issuerOf(each) !== subjectOf(each)).length;
}

function malformed(certificate: X509Certificate): CertificateRefusal {
  const text = `the certificate with the fingerprint ${certificate.fingerprint256} is malformed`;
  return { reason: "malformed", text };
}

/** A name for messages only: OpenSSL writes each part on a line of its own and escapes what is not printable. */
export function shown(certificate: X509Certificate): string {
  return `"${subjectText(certificate)}"`;
}

/** The subject on one line, for people. Never to be compared or taken apart. */
export function subjectText(certificate: X509Certificate): string {
  const text = subjectOf(certificate).replaceAll("\n", ", ");
  return text === "" ? `number ${certificate.serialNumber}` : text;
}
