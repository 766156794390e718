/** Where log, snapshots, votes and the note about a repair are in a data directory. */
import type { AtRestKeys, RepairPlaces } from "@ferrite/storage";
import { placesIn } from "../at-rest/node-disk.ts";
import type { NodeConfig } from "../config/node-config.ts";
import type { RenewalPlaces } from "./renewal.ts";

export function repairPlaces(node: {
  readonly dataDir: string;
  readonly clusterId: string;
  readonly logSegmentBytes: number;
  readonly encryption: AtRestKeys | null;
}): RepairPlaces {
  const { dataDir, clusterId, encryption } = node;
  const { logDirectory, snapshotDirectory } = placesIn(dataDir);
  const owner = { clusterId, groupId: 0, encryption };
  return {
    log: {
      ...owner,
      directory: logDirectory,
      voteFile: `${dataDir}/votes`,
      segmentBytes: node.logSegmentBytes,
    },
    snapshots: { ...owner, directory: snapshotDirectory },
    notePath: `${dataDir}/repair`,
  };
}

/** What a node gives up with its id. Nothing is read under these places, so whose they are does not matter. */
export function renewalPlaces(config: NodeConfig): RenewalPlaces {
  const { dataDir } = config;
  return {
    ...repairPlaces({ ...config, clusterId: "", encryption: null }),
    dataDirectory: dataDir,
    aclFile: config.aclFile ?? `${dataDir}/acl.conf`,
  };
}
