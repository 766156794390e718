/** Makes one generation of credentials of what was read: parsed, checked, and proven by a handshake. */
import type { KeyObject, X509Certificate } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import { verifyChain, subjectText, TrustAnchors } from "./chain.ts";
import type { ChainMemory } from "./chain-memory.ts";
import { CertificateError, certificateError, type CertificateProblem } from "./errors.ts";
import { CERTIFICATES_MAX } from "./limits.ts";
import type { LoadedCredentials } from "./live-credentials.ts";
import { proveByHandshake } from "./loopback-proof.ts";
import { chainProblem, ownCertificateProblems, type OwnCertificate } from "./own-certificate.ts";
import { certificatesOf } from "./pem.ts";
import { openPrivateKey } from "./private-key.ts";
import { nameOf, type RawFiles } from "./read-files.ts";
import type { RevocationList } from "./revocation-list.ts";
import { isStale, RevocationLists, revocationListsOf } from "./revocation-lists.ts";
import type { CredentialSource } from "./source.ts";

/** Certificates that are read without a pause: about 10 ms. */
const AUTHORITIES_AT_ONCE = 20;

/** What a generation is made of; which number it gets is for whoever puts it into service. */
export interface LoadedFiles extends Omit<LoadedCredentials, "generation"> {
  readonly chain: readonly X509Certificate[];
  readonly authorities: readonly X509Certificate[];
  readonly lists: readonly RevocationList[];
  readonly keyIsReadableByOthers: boolean;
  /** What is not good at that moment and does not keep it from serving. Sentences. */
  readonly warnings: (nowMs: number) => readonly string[];
  /** Of the files that it was made of. */
  readonly digest: string;
  /** Equal texts mean equal contents, however the files were written. */
  readonly contents: {
    readonly identity: string;
    readonly trust: string;
    readonly revocations: string;
  };
}

/** Everything that was found, also when it can not be used. */
export interface Examination {
  readonly problems: readonly CertificateProblem[];
  readonly warnings: (nowMs: number) => readonly string[];
  readonly own: OwnCertificate | null;
  readonly anchors: TrustAnchors;
}

/** @throws CertificateError with everything that is wrong */
export async function loadCredentials(
  raw: RawFiles,
  source: CredentialSource,
  memory: ChainMemory,
  nowMs: number,
): Promise<LoadedFiles> {
  const { problems, warnings, own, anchors } = await examine(raw, source, memory, nowMs);
  const [first, ...others] = problems;
  if (first !== undefined) throw new CertificateError([first, ...others]);
  if (own === null || own.key === null) {
    throw certificateError("malformedCertificate", `${nameOf(raw.cert)} can not be used.`);
  }
  const { authorities, lists } = anchors;
  return {
    certificate: own.chain[0],
    chain: own.chain,
    authorities,
    lists: lists.lists,
    warnings,
    keyIsReadableByOthers: raw.key.isReadableByOthers,
    digest: raw.digest,
    contents: {
      // A certificate has one key only.
      identity: fingerprints(own.chain),
      trust: fingerprints(authorities.toSorted(byFingerprint)),
      revocations: lists.lists
        .map((list) => list.fingerprint)
        .sort()
        .join(" "),
    },
    contextOptions: contextOptions(own.chain, own.key, authorities),
    hasAuthorities: authorities.length > 0,
    verify: (chain, usage, atMs) => verifyChain(anchors, chain, usage, atMs),
  };
}

/** Looks at all files and goes on where something is wrong, so that everything is said at once. */
export async function examine(
  raw: RawFiles,
  source: CredentialSource,
  memory: ChainMemory,
  nowMs: number,
): Promise<Examination> {
  const problems: CertificateProblem[] = [];
  const attempt = async <T>(work: () => T | Promise<T>, otherwise: T): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof CertificateError)) throw error;
      problems.push(...error.problems);
      return otherwise;
    }
  };
  const chain = await attempt<readonly X509Certificate[]>(() => certificatesOf(raw.cert), []);
  const key = await attempt<KeyObject | null>(
    () => openPrivateKey(raw.key, raw.passphrase, source.settings.passphrase),
    null,
  );
  const authorities = await attempt<readonly X509Certificate[]>(
    () => readAuthorities(raw, memory, nowMs),
    [],
  );
  const found = raw.revocations;
  const parsed = await attempt(() => (found === null ? [] : revocationListsOf(found)), []);
  const lists = new RevocationLists(parsed, source.staleLists, memory);
  const anchors = new TrustAnchors(authorities, lists, memory);
  if (found !== null) problems.push(...listProblems(anchors, nameOf(found)));
  const own: OwnCertificate | null =
    chain.length === 0 ? null : { chain, key, certFile: raw.cert, keyFile: raw.key };
  if (own !== null) {
    const readable = authorities.length > 0 || raw.authorities.length === 0;
    const ofOwn = ownCertificateProblems(own, source, anchors, nowMs);
    // Authorities that could not be read have been reported; what follows from it has not to be.
    problems.push(...ofOwn.filter(({ code }) => readable || code !== "untrusted"));
    if (problems.length === 0) {
      problems.push(...(await handshakeProblems(own, source, anchors)));
    }
  }
  const warnings = (atMs: number): readonly string[] =>
    own === null ? [] : warningsOf(own, source, anchors, atMs);
  return { problems, warnings, own, anchors };
}

/** @throws CertificateError */
async function readAuthorities(
  raw: RawFiles,
  memory: ChainMemory,
  nowMs: number,
): Promise<readonly X509Certificate[]> {
  const found = new Map<string, X509Certificate>();
  for (const file of raw.authorities) {
    for (const certificate of certificatesOf(file)) {
      const contents = memory.contents(certificate);
      if (contents === null || !contents.isAuthority || contents.mayIssueCertificates === false) {
        const text = `${nameOf(file)} holds "${subjectText(certificate)}", which is not an authority: only authorities belong there.`;
        throw certificateError("badAuthority", text);
      }
      found.set(certificate.fingerprint256, certificate);
      // A system's whole trust store must not keep clients waiting.
      if (found.size % AUTHORITIES_AT_ONCE === 0) await setImmediate();
    }
  }
  const [first] = raw.authorities;
  if (first === undefined) return [];
  if (found.size > CERTIFICATES_MAX) {
    const text = `${nameOf(first)} and the directory beside it hold more than ${CERTIFICATES_MAX} authorities.`;
    throw certificateError("tooLarge", text);
  }
  const authorities = [...found.values()];
  const current = authorities.filter((each) => each.validToDate.getTime() > nowMs);
  if (current.length === 0) {
    const text = `${nameOf(first)} holds only authorities that have ended (on ${authorities[0].validTo}).`;
    throw certificateError("badAuthority", text);
  }
  if (!current.some((each) => isSelfSigned(each, memory))) {
    const text = `${nameOf(first)} holds no self-signed authority that is valid: add the one at the end of the chain.`;
    throw certificateError("badAuthority", text);
  }
  return authorities;
}

function isSelfSigned(certificate: X509Certificate, memory: ChainMemory): boolean {
  return certificate.checkIssued(certificate) && memory.hasSigned(certificate, certificate);
}

/** A list whose signature does not fit is no list: anybody could have written it. */
function listProblems(
  { authorities, lists }: TrustAnchors,
  file: string,
): readonly CertificateProblem[] {
  const foreign = lists.lists.filter(
    (list) =>
      lists.isNamed(list, authorities) &&
      !authorities.some((each) => list.isSignedBy(each.publicKey)),
  );
  return foreign.map(() => ({
    code: "badRevocationList",
    text: `${file} holds a revocation list that was not signed by the authority that it names.`,
  }));
}

async function handshakeProblems(
  own: OwnCertificate,
  source: CredentialSource,
  anchors: TrustAnchors,
): Promise<readonly CertificateProblem[]> {
  if (own.key === null) return [];
  const failure = await proveByHandshake({
    contextOptions: contextOptions(own.chain, own.key, anchors.authorities),
    certificate: own.chain[0],
    isMutual: source.use === "peers",
  });
  if (failure === null) return [];
  const text = `${nameOf(own.certFile)} does not pass a handshake of this node with itself: ${failure}.`;
  return [{ code: "handshakeFailed", text }];
}

function contextOptions(
  chain: readonly X509Certificate[],
  key: KeyObject,
  authorities: readonly X509Certificate[],
): LoadedCredentials["contextOptions"] {
  return {
    cert: chain.map((each) => each.toString()).join(""),
    key: key.export({ type: "pkcs8", format: "pem" }),
    ...(authorities.length === 0 ? {} : { ca: authorities.map((each) => each.toString()) }),
  };
}

function warningsOf(
  own: OwnCertificate,
  source: CredentialSource,
  anchors: TrustAnchors,
  nowMs: number,
): readonly string[] {
  const { authorities, lists } = anchors;
  const warnings: string[] = [];
  if (source.use !== "peers" && authorities.length > 0) {
    const problem = chainProblem(own.chain, anchors, nowMs);
    if (problem !== null) {
      warnings.push(
        `${nameOf(own.certFile)} was signed by another authority than those in ${source.settings.authorities}. That is fine when clients know it.`,
      );
    }
  }
  for (const authority of authorities) {
    if (authority.validToDate.getTime() <= nowMs) {
      warnings.push(`The authority "${subjectText(authority)}" ended on ${authority.validTo}.`);
    }
  }
  for (const list of lists.lists) {
    if (isStale(list, nowMs)) warnings.push(staleText(list, source));
    if (!lists.isNamed(list, authorities)) {
      warnings.push(
        `${source.settings.revocations} has a list of an authority that is not in ${source.settings.authorities}; it counts where others send that authority's certificate.`,
      );
    }
  }
  if (lists.lists.length > 0) warnings.push(...unlisted(anchors, source));
  return warnings;
}

function staleText(list: RevocationList, { settings, staleLists }: CredentialSource): string {
  const end = list.nextUpdateMs === null ? "" : ` (next update ${isoDate(list.nextUpdateMs)})`;
  const meaning = staleLists === "accept" ? "it counts as it is" : "its certificates are refused";
  return `A list in ${settings.revocations} is out of date${end}; ${meaning} (tls-crl-stale).`;
}

function unlisted({ authorities, lists }: TrustAnchors, source: CredentialSource): string[] {
  const meaning =
    source.staleLists === "accept" ? "none of its is revoked" : "its certificates are refused";
  return authorities
    .filter((each) => lists.newestOf(each) === null)
    .map(
      (each) =>
        `${source.settings.revocations} has no list of the authority "${subjectText(each)}"; ${meaning} (tls-crl-stale).`,
    );
}

function isoDate(ms: number): string {
  return new Date(ms).toISOString();
}

function fingerprints(certificates: readonly X509Certificate[]): string {
  return certificates.map((each) => each.fingerprint256).join(" ");
}

function byFingerprint(a: X509Certificate, b: X509Certificate): number {
  return a.fingerprint256 < b.fingerprint256 ? -1 : 1;
}
