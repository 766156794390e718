/**
 * What an encrypted file is bound to: a copy under another name, of another node or of another cluster does not open.
 */
import { createHash } from "node:crypto";

export interface FileIdentity {
  /** What the file is for: `log`, `snapshot`, or the kind of a sealed file. */
  readonly kind: string;
  /** Its name in its directory, which holds its number. */
  readonly name: string;
  /** Null: bound to the node alone, made before there was a cluster. */
  readonly clusterId: string | null;
  readonly groupId: number;
}

/** Of every kind of encrypted file at once; another number makes other keys. */
const envelopeVersion = 1;

export const fileContextBytes = 32;

/**
 * The identity as 32 bytes (SHA-256), for the AAD of everything in the file. Parts are preceded by their lengths, so
 * that no two identities give the same bytes.
 */
export function fileContext(identity: FileIdentity, nodeId: string): Uint8Array {
  const parts = [
    "ferrite at rest",
    String(envelopeVersion),
    identity.kind,
    identity.name,
    String(identity.groupId),
    nodeId,
    // A cluster without a name is not the same as no cluster.
    ...(identity.clusterId === null ? [] : [identity.clusterId]),
  ];
  const hash = createHash("sha256");
  for (const part of parts) {
    hash.update(`${Buffer.byteLength(part)}:`);
    hash.update(part);
  }
  return new Uint8Array(hash.digest());
}
