/**
 * How the ACL file stands on disk: sealed where the node encrypts what it keeps, as it is elsewhere. A file in plain text is
 * read in both cases, because people write them by hand; a sealed one is read with its keys only.
 */
import { isSealed, openSealedBytes, sealBytes, type AtRestKeys } from "@ferrite/storage";
import { AccessError } from "./errors.ts";
import type { ServerLogger } from "../server/logger.ts";

const SEALED_HEADER_BYTES = 512;
/** The file is bound to what it is, not to where it stands: `aclfile` may be moved. */
const SEALED_AS = { kind: "acl", name: "acl.conf" } as const;

export interface FileSealing {
  /** What `seal` adds. */
  readonly headerBytes: number;
  seal(contents: Uint8Array): Uint8Array;
  /** @throws an error whose message names the file and says what to do */
  open(path: string, stored: Uint8Array): Uint8Array;
}

/** The keys of a node that encrypts. */
export interface SealingKeys {
  readonly clusterId: string;
  keys(): AtRestKeys;
}

/** Without keys nothing is sealed, and what is sealed is refused. */
export function fileSealing(
  atRest: SealingKeys | null,
  logger: Pick<ServerLogger, "warn">,
): FileSealing {
  return atRest === null ? PLAIN : sealed(atRest, logger);
}

const PLAIN: FileSealing = {
  headerBytes: 0,
  seal: (contents) => contents,
  open(path, stored) {
    if (!isSealed(stored)) return stored;
    throw new AccessError(
      "ACL_FILE_REFUSED",
      `${path} is not read: it is encrypted, and at-rest-encryption is no. Set it to yes, with the key-encryption key ` +
        "of the node that wrote the file, or write the users down anew (ACL LIST tells them)",
    );
  },
};

function sealed(atRest: SealingKeys, logger: Pick<ServerLogger, "warn">): FileSealing {
  const { clusterId } = atRest;
  return {
    headerBytes: SEALED_HEADER_BYTES,
    seal: (contents) => sealBytes(atRest.keys(), { ...SEALED_AS, clusterId }, contents),
    open(path, stored) {
      if (isSealed(stored)) {
        return openSealedBytes(atRest.keys(), { ...SEALED_AS, clusterId, path }, stored);
      }
      logger.warn(
        { file: path },
        "the ACL file is not encrypted, though at-rest-encryption is on; ACL SAVE encrypts it",
      );
      return stored;
    },
  };
}
