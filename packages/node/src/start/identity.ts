/**
 * Who this data directory is. The id is a UUID made together with the directory: an empty disk is always somebody new,
 * whatever its name (O05). The incarnation counts starts, durably, before anything is written under it: what an
 * earlier process left on its way can not be taken for this one's.
 */
import { randomUUID } from "node:crypto";
import { writeFileDurably, type FileSystem } from "@ferrite/storage";
import { z } from "zod";
import type { NodeIdentity } from "../peers/membership.ts";
import { readJsonFile } from "./json-file.ts";
import { StartError } from "./errors.ts";

const identitySchema = z.strictObject({
  format: z.literal(1),
  id: z.uuid(),
  name: z.string().min(1),
  incarnation: z.int().min(0),
});

/**
 * Room for the incarnations one process may begin after giving up writes (replica/proposals.ts): a hundred a second for
 * four months. Two processes with one incarnation would lose writes as repeated ones. 2^53 holds eight million starts.
 */
const INCARNATIONS_PER_START = 2 ** 30;

export interface LoadedIdentity {
  readonly identity: NodeIdentity;
  /** Higher than any this directory has used. */
  readonly incarnation: number;
  /** True when the directory was made just now. */
  readonly isNew: boolean;
}

/**
 * Reads or makes `identity.json` and raises its incarnation.
 * @throws StartError when the file is damaged or belongs to a node of another name.
 */
export function loadIdentity(
  fileSystem: FileSystem,
  at: { readonly dataDirectory: string; readonly nodeName: string },
): LoadedIdentity {
  const path = `${at.dataDirectory}/identity.json`;
  const isNew = !fileSystem.exists(path);
  const stored = isNew
    ? { format: 1 as const, id: randomUUID() as string, name: at.nodeName, incarnation: 0 }
    : readJsonFile(fileSystem, path, identitySchema);
  if (stored.name !== at.nodeName) {
    throw new StartError(
      "WRONG_NAME",
      `${path} belongs to node "${stored.name}", but node-name is "${at.nodeName}". Use that name, or another data directory (dir)`,
    );
  }
  const raised = { ...stored, incarnation: stored.incarnation + 1 };
  writeFileDurably(fileSystem, path, Buffer.from(`${JSON.stringify(raised, null, 2)}\n`));
  return {
    identity: { id: stored.id, name: stored.name },
    incarnation: raised.incarnation * INCARNATIONS_PER_START,
    isNew,
  };
}
