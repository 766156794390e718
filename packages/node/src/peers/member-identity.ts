/**
 * How a certificate shows that it is the one of a member: by covering its registered name, or by a name that
 * peer-allowed-san allows.
 */
import type { X509Certificate } from "node:crypto";
import { canonicalName, isAnonymous, matchesSanPattern } from "./san-pattern.ts";
import type { AlternativeName } from "./san-pattern.ts";

/**
 * `known`: the certificate names the member. `bound`: it has the one name `san` that a pattern allows, which does not say
 * whose it is; the name is to be bound to the member (identity-bindings.ts). `none`: it is not the member's.
 */
export type MemberIdentity =
  | { readonly kind: "known" }
  | { readonly kind: "bound"; readonly san: string }
  | { readonly kind: "none"; readonly text: string };

/** What is asked: a certificate, whose it should be, and what the operator allows besides. */
export interface IdentityQuestion {
  readonly certificate: X509Certificate;
  readonly name: string;
  /** peer-allowed-san */
  readonly allowedSan: readonly string[];
  /** The alternative names of the certificate, from its DER. Only asked for when there are patterns. */
  alternativeNames(): readonly AlternativeName[];
}

/**
 * True when the subject alternative names cover exactly this name. The common name does not count, nor do wildcards:
 * a certificate for `*.example.org` would let one node speak for all. The matching is OpenSSL's, on the encoded names:
 * the text form of the extension must not be taken apart, as a name can contain its separators (CVE-2021-44532).
 */
export function certificateCovers(certificate: X509Certificate, name: string): boolean {
  if (name.includes("\0")) return false;
  const options = { subject: "never", wildcards: false, partialWildcards: false } as const;
  return certificate.checkHost(name, options) !== undefined;
}

/** S31: the identity by which `certificate` may speak for the member `name`, or why it may not. */
export function identityOf(question: IdentityQuestion): MemberIdentity {
  const { certificate, name, allowedSan } = question;
  if (certificateCovers(certificate, name)) return { kind: "known" };
  if (allowedSan.length === 0) {
    return none(
      `The certificate does not cover the name "${name}" (a DNS entry in its subject alternative names).`,
    );
  }
  const names = question.alternativeNames();
  const matching = (patterns: readonly string[]): string[] => [
    ...new Set(
      names
        .filter((each) => patterns.some((pattern) => matchesSanPattern(pattern, each, name)))
        .map(canonicalName),
    ),
  ];
  if (matching(allowedSan.filter((pattern) => !isAnonymous(pattern))).length > 0) {
    return { kind: "known" };
  }
  const anonymous = matching(allowedSan.filter(isAnonymous));
  const [san] = anonymous;
  if (san === undefined) {
    return none(
      `The certificate covers neither the name "${name}" nor a name that peer-allowed-san allows.`,
    );
  }
  if (anonymous.length > 1) {
    return none(
      `The certificate has ${anonymous.length} names that peer-allowed-san allows (${anonymous.join(", ")}): ` +
        "which of them is the node can not be told; make the patterns narrower.",
    );
  }
  return { kind: "bound", san };
}

function none(text: string): MemberIdentity {
  return { kind: "none", text };
}
