/** SPIFFE ids (SPIFFE-ID specification, 2): `spiffe://trust-domain/path`. Node checks URIs of certificates nowhere (S30). */

/** Of the whole id, as the specification has it. */
const ID_BYTES_MAX = 2048;
const TRUST_DOMAIN = /^[a-z0-9._-]{1,255}$/;
const SEGMENT = /^[A-Za-z0-9._-]+$/;
const SCHEME = "spiffe://";

/**
 * Whether `uri` claims to be a SPIFFE id and is none: no port, no user, no query, no escapes, no dots for segments, no
 * empty segment. Two spellings of one id would be two users, or one user too many.
 */
export function isBrokenSpiffeId(uri: string): boolean {
  if (!/^spiffe:/i.test(uri)) return false;
  if (!uri.startsWith(SCHEME) || uri.length > ID_BYTES_MAX) return true;
  const [trustDomain, ...segments] = uri.slice(SCHEME.length).split("/");
  if (!TRUST_DOMAIN.test(trustDomain)) return true;
  return segments.some((each) => !SEGMENT.test(each) || each === "." || each === "..");
}
