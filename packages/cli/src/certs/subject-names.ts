/** Which names may stand in a certificate, and how they are told apart from addresses. */
import { isIP } from "node:net";
import { CertificateError } from "./errors.ts";

/** Longest common name X.509 allows (RFC 5280, ub-common-name). */
export const SUBJECT_NAME_LENGTH_MAX = 64;
/** Longest DNS name (RFC 1035). */
export const HOST_NAME_LENGTH_MAX = 253;

const DNS_NAME = /^(?!-)[A-Za-z0-9-]{1,63}(?<!-)(\.(?!-)[A-Za-z0-9-]{1,63}(?<!-))*$/;

/** A client's name: what a user may be called, less what would be odd in the name of a file. */
const CLIENT_NAME = /^[A-Za-z0-9][A-Za-z0-9._@+-]*$/;
/** RFC 3986: a scheme, and of the characters that may follow only those that need no second look. */
const URI = /^[a-z][a-z0-9+.-]*:\/\/[A-Za-z0-9._~:/?#@!$&'()*+;=%-]+$/;
const EMAIL = /^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[^@]+$/;
/** The SPIFFE standard's limit for an id. */
export const URI_LENGTH_MAX = 2048;

/** One entry of the subject alternative name extension. */
export interface AlternativeName {
  readonly type: "dns" | "ip" | "url" | "email";
  readonly value: string;
}

/**
 * Checks a node's name. It becomes a file name and a DNS entry, so it must look like a host name; an
 * address or a wildcard is refused because the name is an identity.
 * @throws CertificateError badArgument
 */
export function checkNodeName(name: string): void {
  if (name.length > SUBJECT_NAME_LENGTH_MAX) {
    throw new CertificateError(
      "badArgument",
      `The node name "${name}" has ${name.length} characters; the most is ${SUBJECT_NAME_LENGTH_MAX}.`,
    );
  }
  if (isIP(name) !== 0) {
    throw new CertificateError(
      "badArgument",
      `The node name "${name}" is an address. Give a name, and the address with --host.`,
    );
  }
  if (!DNS_NAME.test(name)) {
    throw new CertificateError(
      "badArgument",
      `The node name "${name}" can not be used: letters, digits, "-" and ".", like a host name.`,
    );
  }
}

/**
 * Checks a client's name, which is the name of its user where certificates are mapped by CN.
 * @throws CertificateError badArgument
 */
export function checkClientName(name: string): void {
  if (name.length > SUBJECT_NAME_LENGTH_MAX) {
    throw new CertificateError(
      "badArgument",
      `The client name "${name}" has ${name.length} characters; the most is ${SUBJECT_NAME_LENGTH_MAX}.`,
    );
  }
  if (!CLIENT_NAME.test(name)) {
    throw new CertificateError(
      "badArgument",
      `The client name "${name}" can not be used: letters, digits, "-", "_", ".", "@" and "+".`,
    );
  }
}

/** Whether this can stand in a certificate as a DNS name. */
export function isHostName(name: string): boolean {
  return name.length <= HOST_NAME_LENGTH_MAX && DNS_NAME.test(name) && isIP(name) === 0;
}

/** @throws CertificateError badArgument for what is not a URI with a scheme and "//" */
export function uriNameOf(uri: string): AlternativeName {
  if (uri.length > URI_LENGTH_MAX || !URI.test(uri) || !URL.canParse(uri)) {
    throw new CertificateError(
      "badArgument",
      `"${uri}" is not a URI like spiffe://example.org/ferrite/node-1, of at most ${URI_LENGTH_MAX} characters.`,
    );
  }
  return { type: "url", value: uri };
}

/** @throws CertificateError badArgument for what is not an e-mail address in ASCII */
export function emailNameOf(email: string): AlternativeName {
  if (!EMAIL.test(email) || !isHostName(email.slice(email.indexOf("@") + 1))) {
    throw new CertificateError("badArgument", `"${email}" is not an e-mail address.`);
  }
  return { type: "email", value: email };
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
