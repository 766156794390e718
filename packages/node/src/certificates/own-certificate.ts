/** What is asked of the certificate that this node shows, before anybody sees it. */
import type { KeyObject, X509Certificate } from "node:crypto";
import { CLIENT_AUTH, SERVER_AUTH } from "./certificate-contents.ts";
import { subjectText, verifyChain, type TrustAnchors } from "./chain.ts";
import type { CertificateErrorCode, CertificateProblem } from "./errors.ts";
import { RSA_KEY_BITS_MIN } from "./limits.ts";
import type { CredentialUse } from "./live-credentials.ts";
import { issuerOf, subjectOf } from "./name-text.ts";
import { nameOf, type RawFile } from "./read-files.ts";
import { brokenHash } from "./signature-algorithms.ts";
import type { CredentialSource } from "./source.ts";

export interface OwnCertificate {
  /** The own one first, then what stands between it and its authority. */
  readonly chain: readonly X509Certificate[];
  readonly certFile: RawFile;
  /** Null: it could not be opened, which is a problem already reported. */
  readonly key: KeyObject | null;
  readonly keyFile: RawFile;
}

/** How a certificate is used decides what it must allow. */
const USAGES: Readonly<Record<CredentialUse, readonly (readonly [string, string])[]>> = {
  clients: [[SERVER_AUTH, "serverAuth"]],
  peers: [
    [SERVER_AUTH, "serverAuth"],
    [CLIENT_AUTH, "clientAuth"],
  ],
  syslog: [[CLIENT_AUTH, "clientAuth"]],
};

const FIXES: Readonly<Record<CredentialUse, string>> = {
  clients: "ferrite certs node",
  peers: "ferrite certs node",
  syslog: "ferrite certs client",
};

/** Everything that is wrong with it, in the order in which it would be noticed. Empty: it may be shown. */
export function ownCertificateProblems(
  own: OwnCertificate,
  source: CredentialSource,
  anchors: TrustAnchors,
  nowMs: number,
): readonly CertificateProblem[] {
  const problems: CertificateProblem[] = [];
  const [certificate] = own.chain;
  const name = nameOf(own.certFile);
  const add = (code: CertificateErrorCode, text: string): number => problems.push({ code, text });
  if (own.key !== null && !certificate.checkPrivateKey(own.key)) {
    add("keyMismatch", mismatchText(own, own.key));
  }
  const contents = anchors.memory.contents(certificate);
  if (contents === null) {
    add("malformedCertificate", `${name} holds a certificate that does not follow RFC 5280.`);
    return problems;
  }
  const make = FIXES[source.use];
  if (certificate.validToDate.getTime() <= nowMs) {
    add("expired", `${name} ended on ${certificate.validTo}. Make a new one: ${make}`);
  }
  if (certificate.validFromDate.getTime() > nowMs) {
    const when = `begins on ${certificate.validFrom}, which is in the future`;
    add("notYetValid", `${name} ${when}: is this machine's clock right?`);
  }
  const { extendedUsages } = contents;
  // Without the extension everything is allowed, but a node has to say that it is one (S31).
  const isOpen = extendedUsages === null && source.use !== "peers";
  const missing = USAGES[source.use].filter(([id]) => extendedUsages?.includes(id) !== true);
  if (!isOpen && missing.length > 0) {
    const wanted = missing.map(([, text]) => text).join(" and ");
    add(
      "wrongUse",
      `${name} does not allow ${wanted} in its extended key usage. Make one: ${make}`,
    );
  }
  const nameProblem = source.require?.(certificate) ?? null;
  if (nameProblem !== null) add("wrongName", `${name} ${nameProblem}`);
  problems.push(...weaknesses(own.chain, anchors, name));
  // Only with authorities that have to be its own: those of clients may be others.
  const dates = problems.some(({ code }) => code === "expired" || code === "notYetValid");
  if (source.use === "peers" && !dates) {
    const chain = chainProblem(own.chain, anchors, nowMs);
    if (chain !== null) {
      const same = "all nodes of a cluster need certificates of the same authorities";
      const text = `${name} does not lead to an authority of ${source.settings.authorities}: ${chain.text}; ${same}.`;
      problems.push({ code: "untrusted", text });
    }
  }
  return problems;
}

/**
 * Whether it leads to an authority, or why not. Its usages are left to the check above, which has the better words; that it
 * was revoked is for those who are shown it to say.
 */
export function chainProblem(
  chain: readonly X509Certificate[],
  anchors: TrustAnchors,
  nowMs: number,
): { readonly text: string } | null {
  const refusal = verifyChain(anchors, chain, "server", nowMs);
  if (refusal === null) return null;
  const aboutChain = ["untrusted", "expired", "notYetValid", "malformed"].includes(refusal.reason);
  return aboutChain ? refusal : null;
}

function mismatchText({ chain, certFile, key, keyFile }: OwnCertificate, open: KeyObject): string {
  const later = chain.findIndex((each) => each.checkPrivateKey(open));
  if (later > 0) {
    return `${nameOf(certFile)} has the certificate of the key at place ${later + 1}: it must come first.`;
  }
  const kinds = [open.asymmetricKeyType, chain[0].publicKey.asymmetricKeyType];
  const differ = kinds[0] === kinds[1] || key === null ? "" : ` (${kinds[0]} and ${kinds[1]})`;
  return `${nameOf(keyFile)} does not belong to ${nameOf(certFile)}${differ}: give the key that was made with it.`;
}

/** Self-signed ones are not looked at: nobody trusts them because of their signature. */
function weaknesses(
  chain: readonly X509Certificate[],
  { memory }: TrustAnchors,
  name: string,
): readonly CertificateProblem[] {
  return chain.flatMap((each): readonly CertificateProblem[] => {
    const { asymmetricKeyType, asymmetricKeyDetails } = each.publicKey;
    const bits = asymmetricKeyDetails?.modulusLength ?? RSA_KEY_BITS_MIN;
    if (asymmetricKeyType === "rsa" && bits < RSA_KEY_BITS_MIN) {
      const what = `an RSA key of ${bits} bits ("${subjectText(each)}")`;
      return [
        { code: "weak", text: `${name} has ${what}; at least ${RSA_KEY_BITS_MIN} are needed.` },
      ];
    }
    const contents = memory.contents(each);
    const broken = contents === null ? null : brokenHash(contents.signatureAlgorithm);
    if (broken === null || issuerOf(each) === subjectOf(each)) return [];
    const what = `a certificate signed with ${broken} ("${subjectText(each)}")`;
    return [{ code: "weak", text: `${name} has ${what}, which can be forged.` }];
  });
}
