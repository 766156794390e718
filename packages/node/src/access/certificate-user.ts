/**
 * Which user a certificate names (S30): exactly one name of the kind that was asked for, taken from the certificate's own
 * bytes. What is ambiguous names nobody; nothing here falls back to another name or to the default user.
 */
import type { CertificateNames } from "../certificates/certificate-names.ts";
import type { CertificateUserField } from "../config/node-config.ts";
import type { CertificateUserRule } from "../config/tls-kinds.ts";
import { isBrokenSpiffeId } from "./spiffe-id.ts";

export type NamedUser =
  | { readonly ok: true; readonly user: string }
  /** For logs and the trail. */
  | { readonly ok: false; readonly reason: string };

/** What no name may hold: it would be cut off, or look like two, somewhere. */
// oxlint-disable-next-line no-control-regex -- those are meant
const CONTROL = /[\u0000-\u001f\u007f]/;
const URI = /^[A-Za-z][A-Za-z0-9+.-]*:[!-~]+$/;

/** The user's name as a byte string, after `rules`. */
export function namedUser(
  names: CertificateNames,
  field: Exclude<CertificateUserField, "off">,
  rules: readonly CertificateUserRule[],
): NamedUser {
  const found = namesOf(names, field);
  if (found.length !== 1) {
    const count = found.length === 0 ? "no" : String(found.length);
    return refused(`the certificate has ${count} names of kind ${field}, and has to have one`);
  }
  const [name] = found;
  if (name === "" || CONTROL.test(name))
    return refused(`its ${field} is empty or holds control characters`);
  if (field === "SAN-URI" && (!URI.test(name) || isBrokenSpiffeId(name))) {
    return refused("its SAN-URI is not a URI, or not a SPIFFE id as it should be");
  }
  return { ok: true, user: Buffer.from(mapped(name, rules), "utf8").toString("latin1") };
}

function namesOf(
  names: CertificateNames,
  field: Exclude<CertificateUserField, "off">,
): readonly string[] {
  switch (field) {
    case "CN":
      return names.commonNames;
    case "SAN-URI":
      return names.uris;
    case "SAN-DNS":
      return names.dnsNames;
    case "SAN-EMAIL":
      return names.emails;
    default:
      return [];
  }
}

function mapped(name: string, rules: readonly CertificateUserRule[]): string {
  const rule = rules.find((each) =>
    each.isPrefix ? name.startsWith(each.name) : name === each.name,
  );
  return rule?.user ?? name;
}

function refused(reason: string): NamedUser {
  return { ok: false, reason };
}
