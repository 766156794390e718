/** Which algorithms sign certificates and lists, by object identifier, and which of them are not good enough any more. */

/** What `node:crypto` calls the hash; null: the algorithm has its own (Ed25519). */
const HASHES: ReadonlyMap<string, string | null> = new Map([
  ["1.2.840.113549.1.1.11", "sha256"],
  ["1.2.840.113549.1.1.12", "sha384"],
  ["1.2.840.113549.1.1.13", "sha512"],
  ["1.2.840.10045.4.3.2", "sha256"],
  ["1.2.840.10045.4.3.3", "sha384"],
  ["1.2.840.10045.4.3.4", "sha512"],
  ["1.3.101.112", null],
  ["1.3.101.113", null],
]);

/** Collisions can be made: somebody may have had another certificate signed than the one that shows up (2008, 2017). */
const BROKEN: ReadonlyMap<string, string> = new Map([
  ["1.2.840.113549.1.1.2", "MD2"],
  ["1.2.840.113549.1.1.4", "MD5"],
  ["1.2.840.113549.1.1.5", "SHA-1"],
  ["1.2.840.10040.4.3", "SHA-1"],
  ["1.2.840.10045.4.1", "SHA-1"],
  ["1.3.14.3.2.29", "SHA-1"],
]);

/** The hash to verify with; undefined: not known here. RSASSA-PSS needs its parameters and is not read. */
export function hashOfAlgorithm(identifier: string): string | null | undefined {
  return HASHES.get(identifier);
}

/** The name of the broken hash of a signature, or null. */
export function brokenHash(identifier: string): string | null {
  return BROKEN.get(identifier) ?? null;
}
