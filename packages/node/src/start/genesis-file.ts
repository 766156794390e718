/**
 * `genesis.json`: the members a cluster was formed with. Written once, durably, before the first vote. A node that joins
 * later has the same one, which does not list it; so the file says whose it is.
 */
import { writeFileDurably, type FileSystem } from "@ferrite/storage";
import { z } from "zod";
import type { Genesis, NodeIdentity } from "../peers/membership.ts";
import { readJsonFile } from "./json-file.ts";
import { StartError } from "./errors.ts";
import { findStoredParts } from "./stored-parts.ts";

const genesisSchema = z.strictObject({
  /** 1 had no owner: every node was listed. */
  format: z.union([z.literal(1), z.literal(2)]),
  owner: z.uuid().nullable().default(null),
  clusterId: z.uuid(),
  members: z
    .array(
      z.strictObject({
        id: z.uuid(),
        name: z.string().min(1),
        peerAddress: z.string(),
        clientAddress: z.string(),
      }),
    )
    .min(1),
});

function pathIn(dataDirectory: string): string {
  return `${dataDirectory}/genesis.json`;
}

/** Whose file it may be: this node's, under its id or one that it had on this disk before. */
export interface GenesisOwner extends NodeIdentity {
  readonly formerIds: readonly string[];
}

/** Null when no cluster was formed here yet. @throws StartError */
export function loadGenesis(
  fileSystem: FileSystem,
  dataDirectory: string,
  owner: GenesisOwner,
): Genesis | null {
  const path = pathIn(dataDirectory);
  if (!fileSystem.exists(path)) {
    refuseOrphans(fileSystem, dataDirectory, path);
    return null;
  }
  const stored = readJsonFile(fileSystem, path, genesisSchema);
  const { clusterId, members } = stored;
  const ids = [owner.id, ...owner.formerIds];
  const isOwn =
    stored.owner === null
      ? members.some(({ id, name }) => ids.includes(id) && name === owner.name)
      : ids.includes(stored.owner);
  if (!isOwn) {
    throw new StartError(
      "WRONG_CLUSTER",
      `${path} is not the file of this node (${owner.name}, ${owner.id}): it was copied from another node. To start as ` +
        "a new node that joins the cluster, use an empty data directory (dir)",
    );
  }
  return { clusterId, members };
}

/** The members are written before the first entry of a log: a log without them has lost them, and is nobody else's. */
function refuseOrphans(fileSystem: FileSystem, dataDirectory: string, path: string): void {
  const { hasLog, hasSnapshot } = findStoredParts(fileSystem, dataDirectory);
  if (!hasLog && !hasSnapshot) return;
  throw new StartError(
    "MISSING_FILE",
    `${path} is missing, but ${dataDirectory} holds the data of a node. Put the file back (it is the same on all members ` +
      "of the cluster), or move the data directory away to start as a new node",
  );
}

/**
 * A node that belongs to a cluster with others needs to reach them; without peers it would be a cluster of one with their
 * data, or wait for them for ever on links that it has no certificates for.
 * @throws StartError WRONG_CLUSTER
 */
export function checkPeersFit(
  genesis: Genesis,
  identity: NodeIdentity,
  config: { readonly dataDir: string; readonly peers: readonly { readonly name: string }[] },
): void {
  if (config.peers.length > 0 || isFoundedAlone(genesis, identity)) return;
  throw new StartError(
    "WRONG_CLUSTER",
    `${config.dataDir} holds a node of the cluster of ${namesOf(genesis.members)}, but no peers are set. Set peers ` +
      "and the peer-tls files, or use another data directory (dir) for a cluster of one",
  );
}

/**
 * A node that was made alone, and is alone by its log, would go on alone with peers set, and serve other data than they
 * do. One that others have joined since may name them, and needs certificates to reach them.
 * @param isAlone whether the recovered log counts on this disk only
 * @throws StartError WRONG_CLUSTER
 */
export function checkRecoveredFits(
  isAlone: boolean,
  config: {
    readonly dataDir: string;
    readonly peers: readonly { readonly name: string }[];
    readonly hasPeerCertificates: boolean;
  },
): void {
  if (isAlone && config.peers.length > 0) {
    throw new StartError(
      "WRONG_CLUSTER",
      `${config.dataDir} holds a cluster of one, but peers names ${namesOf(config.peers)}. Leave peers out, and let ` +
        "them join it (ferrite member add), or use another data directory (dir) to form a cluster with them",
    );
  }
  if (!isAlone && !config.hasPeerCertificates) {
    throw new StartError(
      "WRONG_CLUSTER",
      `${config.dataDir} holds a node of a cluster that others have joined, and there are no certificates for the links ` +
        "to them. Set the peer-tls files",
    );
  }
}

/** Did this very disk form a cluster of one? */
function isFoundedAlone(genesis: Genesis, identity: NodeIdentity): boolean {
  return genesis.members.every((member) => member.id === identity.id);
}

function namesOf(list: readonly { readonly name: string }[]): string {
  return list.map(({ name }) => name).join(", ");
}

/** Durable when it returns. */
export function persistGenesis(
  fileSystem: FileSystem,
  dataDirectory: string,
  genesis: Genesis,
  owner: NodeIdentity,
): void {
  const text = `${JSON.stringify({ format: 2, owner: owner.id, ...genesis }, null, 2)}\n`;
  writeFileDurably(fileSystem, pathIn(dataDirectory), Buffer.from(text));
}
