/** The birth certificate of a cluster: the same on every node, because it is computed and not chosen. */
import { createHash } from "node:crypto";
import type { Genesis, Member } from "./membership.ts";
import { uuidText } from "./node-id-bytes.ts";

/**
 * The cluster that these members form under this token. The id depends on the token and on each member's name and
 * node id (its disk), not on addresses, which are hints.
 */
export function genesisOf(clusterToken: string, members: readonly Member[]): Genesis {
  const sorted = members.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const hash = createHash("sha256");
  for (const text of [
    "ferrite cluster id",
    clusterToken,
    ...sorted.flatMap((m) => [m.name, m.id]),
  ]) {
    // The length first: otherwise two lists of words could run together to the same bytes.
    hash.update(`${Buffer.byteLength(text)}:`).update(text);
  }
  const hex = hash.digest("hex");
  // Version 8 and variant 10 of RFC 9562: a UUID made by a rule of our own.
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 0x3) | 0x8).toString(16);
  const shaped = `${hex.slice(0, 12)}8${hex.slice(13, 16)}${variant}${hex.slice(17, 32)}`;
  return { clusterId: uuidText(shaped), members: sorted };
}

/** What nodes show each other instead of the token. */
export function clusterTokenHash(clusterToken: string): string {
  return createHash("sha256").update("ferrite cluster token:").update(clusterToken).digest("hex");
}
