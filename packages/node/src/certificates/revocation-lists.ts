/**
 * What is revoked, by all authorities. Not left to OpenSSL's `crl` option: with it, one list past its next update refuses
 * every certificate, there is no choice about it, and connections that are open are not looked at again.
 */
import type { X509Certificate } from "node:crypto";
import type { ChainMemory } from "./chain-memory.ts";
import { certificateError } from "./errors.ts";
import { REVOCATION_LISTS_MAX } from "./limits.ts";
import type { CertificateRefusal } from "./live-credentials.ts";
import { subjectOf } from "./name-text.ts";
import { isDer, pemBlocks } from "./pem.ts";
import { nameOf, type RawFile } from "./read-files.ts";
import { parseRevocationList, type RevocationList } from "./revocation-list.ts";

/** tls-crl-stale: whether a list past its next update, or one that is missing, still lets certificates in. */
export type StalePolicy = "accept" | "refuse";

export class RevocationLists {
  readonly lists: readonly RevocationList[];
  readonly #policy: StalePolicy;
  readonly #memory: ChainMemory;
  readonly #byIssuer: ReadonlyMap<string, readonly RevocationList[]>;
  /** Per issuer's fingerprint, once its signature was looked at. */
  readonly #newest = new Map<string, RevocationList | null>();

  constructor(lists: readonly RevocationList[], policy: StalePolicy, memory: ChainMemory) {
    this.lists = lists;
    this.#policy = policy;
    this.#memory = memory;
    this.#byIssuer = Map.groupBy(lists, (list) => list.issuer);
  }

  /** Every certificate of a chain but the authority at its end, on the list of the one above it. */
  checkPath(path: readonly X509Certificate[], nowMs: number): CertificateRefusal | null {
    if (this.lists.length === 0) return null;
    for (let index = 0; index + 1 < path.length; index++) {
      const refusal = this.#check(path[index], path[index + 1], nowMs);
      if (refusal !== null) return refusal;
    }
    return null;
  }

  #check(
    certificate: X509Certificate,
    issuer: X509Certificate,
    nowMs: number,
  ): CertificateRefusal | null {
    const list = this.newestOf(issuer);
    const serial = this.#memory.contents(certificate)?.serial ?? "";
    if (list?.serials.has(serial) === true) {
      const text = `the certificate with the number ${certificate.serialNumber} was revoked by its authority`;
      return { reason: "revoked", text };
    }
    if (this.#policy === "accept" || (list !== null && !isStale(list, nowMs))) return null;
    const text =
      list === null
        ? `there is no revocation list of its authority ${oneLine(issuer)}, and tls-crl-stale is refuse`
        : `the revocation list of its authority ${oneLine(issuer)} is out of date, and tls-crl-stale is refuse`;
    return { reason: "staleRevocationList", text };
  }

  /** The list that counts for an authority: signed with its key, the newest of several. */
  newestOf(issuer: X509Certificate): RevocationList | null {
    const known = this.#newest.get(issuer.fingerprint256);
    if (known !== undefined) return known;
    const contents = this.#memory.contents(issuer);
    const name = contents?.subject.toString("hex") ?? "";
    const own =
      contents?.mayIssueLists === false
        ? []
        : (this.#byIssuer.get(name) ?? []).filter((list) => list.isSignedBy(issuer.publicKey));
    const newest = own.toSorted(newestFirst)[0] ?? null;
    this.#newest.set(issuer.fingerprint256, newest);
    return newest;
  }

  /** Whether some authority of the bundle has this name. */
  isNamed(list: RevocationList, authorities: readonly X509Certificate[]): boolean {
    return authorities.some(
      (each) => this.#memory.contents(each)?.subject.toString("hex") === list.issuer,
    );
  }
}

function newestFirst(a: RevocationList, b: RevocationList): number {
  if (a.thisUpdateMs !== b.thisUpdateMs) return b.thisUpdateMs - a.thisUpdateMs;
  return a.number === b.number ? 0 : a.number < b.number ? 1 : -1;
}

/** Past its next update, or not in force yet. */
export function isStale(list: RevocationList, nowMs: number): boolean {
  return list.thisUpdateMs > nowMs || (list.nextUpdateMs !== null && list.nextUpdateMs <= nowMs);
}

function oneLine(certificate: X509Certificate): string {
  return `"${subjectOf(certificate).replaceAll("\n", ", ")}"`;
}

/** The lists of a file: one or many in PEM, or one in DER. @throws CertificateError badRevocationList */
export function revocationListsOf(file: RawFile): readonly RevocationList[] {
  if (isDer(file.bytes)) return [parse(file, file.bytes, 0)];
  const blocks = pemBlocks(file.bytes);
  if (blocks === null) {
    const text = `${nameOf(file)} is cut off: a block begins in it that does not end.`;
    throw certificateError("badRevocationList", text);
  }
  const found = blocks.filter(({ label }) => label === "X509 CRL");
  if (found.length === 0) {
    throw certificateError("badRevocationList", `${nameOf(file)} holds no revocation list.`);
  }
  if (found.length > REVOCATION_LISTS_MAX) {
    const text = `${nameOf(file)} holds more than ${REVOCATION_LISTS_MAX} revocation lists.`;
    throw certificateError("tooLarge", text);
  }
  return found.map(({ der }, index) => parse(file, der, index));
}

function parse(file: RawFile, der: Buffer, index: number): RevocationList {
  try {
    return parseRevocationList(der);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const text = `Revocation list ${index + 1} in ${nameOf(file)} can not be used: ${reason}.`;
    throw certificateError("badRevocationList", text);
  }
}
