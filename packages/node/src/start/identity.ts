/**
 * Who this data directory is. The id is a UUID made together with the directory: an empty disk is always somebody new,
 * whatever its name (O05). The incarnation counts starts, durably, before anything is written under it: what an
 * earlier process left on its way can not be taken for this one's. It also remembers that a log was begun: without it
 * an emptied log directory would look like a new node's, and the node would vote anew in terms in which it has voted.
 *
 * A disk that is damaged so that nobody can say what it has voted or acknowledged may go on as a new node (`renewIdentity`):
 * another id, to which nothing is owed. The ids from before are kept, as files beside it name them.
 */
import { randomUUID } from "node:crypto";
import { writeFileDurably, type FileSystem } from "@ferrite/storage";
import { z } from "zod";
import type { NodeIdentity } from "../peers/membership.ts";
import { readJsonFile } from "./json-file.ts";
import { StartError } from "./errors.ts";
import { findStoredParts } from "./stored-parts.ts";

const identitySchema = z.strictObject({
  format: z.literal(1),
  id: z.uuid(),
  name: z.string().min(1),
  incarnation: z.int().min(0),
  /** A log was begun: from then on there has to be one. */
  hasLog: z.boolean().default(false),
  /** Ids that this disk has given up, oldest first. */
  formerIds: z.array(z.uuid()).default([]),
});

type StoredIdentity = z.infer<typeof identitySchema>;

/**
 * Room for the incarnations one process may begin after giving up writes (replica/proposals.ts): a hundred a second for
 * four months. Two processes with one incarnation would lose writes as repeated ones. 2^53 holds eight million starts.
 */
const INCARNATIONS_PER_START = 2 ** 30;

/** Of ids that were given up so many are kept: files beside identity.json name one of the last. */
const FORMER_IDS_MAX = 64;

export interface LoadedIdentity {
  readonly identity: NodeIdentity;
  /** Ids that this disk had before and has given up. */
  readonly formerIds: readonly string[];
  /** Higher than any this directory has used. */
  readonly incarnation: number;
  /** True when the directory was made just now. */
  readonly isNew: boolean;
  /** To be called once the log is open: a log that vanishes later is noticed at the next start. */
  readonly logBegun: () => void;
}

/** The id in `identity.json`, without changing anything; null when there is none yet. @throws StartError DAMAGED_FILE */
export function storedNodeId(fileSystem: FileSystem, dataDirectory: string): string | null {
  const path = pathIn(dataDirectory);
  return fileSystem.exists(path) ? readJsonFile(fileSystem, path, identitySchema).id : null;
}

function pathIn(dataDirectory: string): string {
  return `${dataDirectory}/identity.json`;
}

/**
 * Reads or makes `identity.json` and raises its incarnation.
 * @throws StartError when the file is damaged or belongs to a node of another name.
 */
export function loadIdentity(
  fileSystem: FileSystem,
  at: { readonly dataDirectory: string; readonly nodeName: string },
): LoadedIdentity {
  const path = pathIn(at.dataDirectory);
  const isNew = !fileSystem.exists(path);
  const stored: StoredIdentity = isNew
    ? newIdentity(fileSystem, { ...at, path })
    : readJsonFile(fileSystem, path, identitySchema);
  if (stored.name !== at.nodeName) {
    throw new StartError(
      "WRONG_NAME",
      `${path} belongs to node "${stored.name}", but node-name is "${at.nodeName}". Use that name, or another data directory (dir)`,
    );
  }
  const { hasLog } = findStoredParts(fileSystem, at.dataDirectory);
  if (stored.hasLog && !hasLog) throw logLost(at.dataDirectory);
  const raised = { ...stored, incarnation: stored.incarnation + 1, hasLog };
  write(fileSystem, path, raised);
  return loaded(fileSystem, path, raised, isNew);
}

/**
 * Gives this disk a new id, durably: from here on it is a node that has voted for nobody and acknowledged nothing. For one
 * whose log can not be trusted any more; what is left of that has to be out of the way (`log`, `snapshots`) before a
 * replica is opened, and is no business of this function. The name stays, so the cluster takes it for a new disk under it
 * (O07); the genesis stays, so it knows which cluster to ask.
 * @throws StartError DAMAGED_FILE, MISSING_FILE when there is no identity to renew
 */
export function renewIdentity(fileSystem: FileSystem, dataDirectory: string): LoadedIdentity {
  const path = pathIn(dataDirectory);
  if (!fileSystem.exists(path)) {
    throw new StartError("MISSING_FILE", `${path} is missing: there is no identity to renew`);
  }
  const stored = readJsonFile(fileSystem, path, identitySchema);
  const renewed: StoredIdentity = {
    ...stored,
    id: randomUUID(),
    formerIds: [...stored.formerIds, stored.id].slice(-FORMER_IDS_MAX),
    incarnation: stored.incarnation + 1,
    hasLog: false,
  };
  write(fileSystem, path, renewed);
  return loaded(fileSystem, path, renewed, false);
}

function loaded(
  fileSystem: FileSystem,
  path: string,
  stored: StoredIdentity,
  isNew: boolean,
): LoadedIdentity {
  const { id, name, formerIds } = stored;
  return {
    identity: { id, name },
    formerIds,
    incarnation: stored.incarnation * INCARNATIONS_PER_START,
    isNew,
    logBegun: () => {
      if (!stored.hasLog) write(fileSystem, path, { ...stored, hasLog: true });
    },
  };
}

/** A new id for an old log would be a stranger who answers for what another has promised. */
function newIdentity(
  fileSystem: FileSystem,
  at: { readonly dataDirectory: string; readonly nodeName: string; readonly path: string },
): StoredIdentity {
  const { hasGenesis, hasLog, hasSnapshot } = findStoredParts(fileSystem, at.dataDirectory);
  if (hasGenesis || hasLog || hasSnapshot) {
    throw new StartError(
      "MISSING_FILE",
      `${at.path} is missing, but ${at.dataDirectory} holds the data of a node. Put the file back, or move the data ` +
        "directory away: with an empty one this node joins its cluster again as a new disk under the same name",
    );
  }
  const id = randomUUID();
  return { format: 1, id, name: at.nodeName, incarnation: 0, hasLog: false, formerIds: [] };
}

/** With its log a node has lost its votes: under the same id it could vote twice in one term. */
function logLost(dataDirectory: string): StartError {
  return new StartError(
    "MISSING_FILE",
    `There is no log in ${dataDirectory}/log, but this node had one: its votes and entries are lost. Restore the whole ` +
      "data directory from a copy that is not older than the loss, or move it away: with an empty one this node joins its " +
      "cluster again as a new disk under the same name, and takes its own old place",
  );
}

function write(fileSystem: FileSystem, path: string, identity: StoredIdentity): void {
  writeFileDurably(fileSystem, path, Buffer.from(`${JSON.stringify(identity, null, 2)}\n`));
}
