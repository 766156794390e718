/** Which names may stand in a certificate, and how they are told apart from addresses. */
import { isIP } from "node:net";
import { CertificateError } from "./errors.ts";

/** Longest common name X.509 allows (RFC 5280, ub-common-name). */
export const SUBJECT_NAME_LENGTH_MAX = 64;
/** Longest DNS name (RFC 1035). */
export const HOST_NAME_LENGTH_MAX = 253;

const DNS_NAME = /^(?!-)[A-Za-z0-9-]{1,63}(?<!-)(\.(?!-)[A-Za-z0-9-]{1,63}(?<!-))*$/;

/** One entry of the subject alternative name extension. */
export interface AlternativeName {
  readonly type: "dns" | "ip";
  readonly value: string;
}

/**
 * Checks a node's or client's name. It becomes a file name and a DNS entry, so it must look like a host name; an
 * address or a wildcard is refused because the name is an identity.
 * @throws CertificateError badArgument
 */
export function checkSubjectName(name: string, whose: "node" | "client"): void {
  if (name.length > SUBJECT_NAME_LENGTH_MAX) {
    throw new CertificateError(
      "badArgument",
      `The ${whose} name "${name}" has ${name.length} characters; the most is ${SUBJECT_NAME_LENGTH_MAX}.`,
    );
  }
  if (isIP(name) !== 0) {
    throw new CertificateError(
      "badArgument",
      `The ${whose} name "${name}" is an address. Give a name, and the address with --host.`,
    );
  }
  if (!DNS_NAME.test(name)) {
    throw new CertificateError(
      "badArgument",
      `The ${whose} name "${name}" can not be used: letters, digits, "-" and ".", like a host name.`,
    );
  }
}

/**
 * Turns a host given by the user into an entry of the certificate.
 * @throws CertificateError badArgument for what is neither a DNS name nor an IP address.
 */
export function alternativeNameOf(host: string): AlternativeName {
  const bare = host.startsWith("[") && host.endsWith("]") ? host.slice(1, -1) : host;
  if (isIP(bare) !== 0) {
    return { type: "ip", value: bare };
  }
  if (bare.length > HOST_NAME_LENGTH_MAX || !DNS_NAME.test(bare)) {
    throw new CertificateError(
      "badArgument",
      `The host "${host}" is neither a DNS name nor an IP address (without port, without wildcard).`,
    );
  }
  return { type: "dns", value: bare };
}
