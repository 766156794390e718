/**
 * Gives up what a node can not know any more (O07, R58): with votes that nobody can read it could vote twice in one
 * term. It takes a new id, to which nothing is owed, and its name makes it the successor of its old self: it joins as a
 * learner, is filled by the others, and one change of the membership puts it into its old place.
 *
 * Durable from the first step on, by a marker that stands until the last one is done. Nothing is deleted: log, snapshots,
 * votes and what was encrypted for the old id are renamed.
 */
import {
  isSealed,
  quarantineAll,
  writeFileDurably,
  type FileSystem,
  type RepairPlaces,
} from "@ferrite/storage";
import type { Logger } from "pino";
import { keyringPath } from "../at-rest/keyring-file.ts";

/** More than the magic of a sealed file. */
const HEAD_BYTES = 64;

/** The id a node has now, and those it had before, oldest first. */
export interface RenewedIdentity {
  readonly identity: { readonly id: string };
  readonly formerIds: readonly string[];
}

export interface RenewalPlaces extends RepairPlaces {
  readonly dataDirectory: string;
  /** A file that may be sealed for the id of before. */
  readonly aclFile: string;
}

function markerPath(dataDirectory: string): string {
  return `${dataDirectory}/renewal`;
}

/** From here on the node goes on under a new id, also after a crash. */
export function beginRenewal(fileSystem: FileSystem, dataDirectory: string, why: string): void {
  writeFileDurably(fileSystem, markerPath(dataDirectory), Buffer.from(`${why}\n`));
}

/** To be called at every start before the identity is read. The new identity, or null when none was due. */
export function finishRenewal(
  fileSystem: FileSystem,
  places: RenewalPlaces,
  node: { readonly renew: () => RenewedIdentity; readonly logger: Logger },
): RenewedIdentity | null {
  const { dataDirectory } = places;
  const marker = markerPath(dataDirectory);
  if (!fileSystem.exists(marker)) return null;
  const otherFiles = [keyringPath(dataDirectory), places.aclFile].filter((path) =>
    isBoundToId(fileSystem, path, keyringPath(dataDirectory)),
  );
  quarantineAll(fileSystem, places, otherFiles);
  const renewed = node.renew();
  fileSystem.remove(marker);
  fileSystem.syncDirectory(dataDirectory);
  node.logger.error(
    { id: renewed.identity.id, formerId: renewed.formerIds.at(-1) },
    "this node goes on under a new id and joins its cluster again: what it had voted for could not be read any more. " +
      "The damaged files were renamed",
  );
  return renewed;
}

/** A plain file of a person's is no secret of the old id, and is read as before. */
function isBoundToId(fileSystem: FileSystem, path: string, keyring: string): boolean {
  if (!fileSystem.exists(path)) return false;
  if (path === keyring) return true;
  const handle = fileSystem.open(path, "read");
  try {
    const bytes = new Uint8Array(HEAD_BYTES);
    handle.read(bytes, 0);
    return isSealed(bytes);
  } finally {
    handle.close();
  }
}
