/** `genesis.json`: the members a cluster was formed with. Written once, durably, before the first vote. */
import { writeFileDurably, type FileSystem } from "@ferrite/storage";
import { z } from "zod";
import type { Genesis, NodeIdentity } from "../peers/membership.ts";
import { readJsonFile } from "./json-file.ts";
import { StartError } from "./errors.ts";
import { findStoredParts } from "./stored-parts.ts";

const genesisSchema = z.strictObject({
  format: z.literal(1),
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

/** Null when no cluster was formed here yet. @throws StartError */
export function loadGenesis(
  fileSystem: FileSystem,
  dataDirectory: string,
  identity: NodeIdentity,
): Genesis | null {
  const path = pathIn(dataDirectory);
  if (!fileSystem.exists(path)) {
    refuseOrphans(fileSystem, dataDirectory, path);
    return null;
  }
  const { clusterId, members } = readJsonFile(fileSystem, path, genesisSchema);
  if (!members.some((member) => member.id === identity.id && member.name === identity.name)) {
    throw new StartError(
      "WRONG_CLUSTER",
      `${path} does not name this node (${identity.name}, ${identity.id}) as a member: it was copied from another node`,
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
 * A node that was made alone would go on alone with peers set, and serve other data than they do; one that has members
 * and no peers would wait for them for ever, on links it has no certificates for.
 * @throws StartError WRONG_CLUSTER
 */
export function checkPeersFit(
  genesis: Genesis,
  config: { readonly dataDir: string; readonly peers: readonly { readonly name: string }[] },
): void {
  const isAlone = genesis.members.length === 1;
  if (isAlone === (config.peers.length === 0)) return;
  const names = (list: readonly { readonly name: string }[]): string =>
    list.map(({ name }) => name).join(", ");
  throw new StartError(
    "WRONG_CLUSTER",
    isAlone
      ? `${config.dataDir} holds a cluster of one, but peers names ${names(config.peers)}. Leave peers out, or use ` +
          "another data directory (dir) to form a cluster with them"
      : `${config.dataDir} holds a node of the cluster of ${names(genesis.members)}, but no peers are set. Set peers ` +
          "and the peer-tls files, or use another data directory (dir) for a cluster of one",
  );
}

export function persistGenesis(
  fileSystem: FileSystem,
  dataDirectory: string,
  genesis: Genesis,
): void {
  const text = `${JSON.stringify({ format: 1, ...genesis }, null, 2)}\n`;
  writeFileDurably(fileSystem, pathIn(dataDirectory), Buffer.from(text));
}
