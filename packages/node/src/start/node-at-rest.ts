/** Encryption at rest in a node: what boots it, and what it follows once there are log, snapshots and trail. */
import { atRestInventory, type FileSystem } from "@ferrite/storage";
import type { AuditTrail } from "../audit/audit-trail.ts";
import type { AtRestLogger, AtRestService } from "../at-rest/at-rest-service.ts";
import { NodeDisk, placesIn } from "../at-rest/node-disk.ts";
import { prepareAtRest, type PreparedAtRest } from "../at-rest/prepare-at-rest.ts";
import { AT_REST_SOURCE_FIELDS } from "../config/at-rest-settings.ts";
import type { Settings } from "../config/settings.ts";
import { storedNodeId } from "./identity.ts";
import type { RunningReplica } from "./open-replica.ts";

/**
 * Before the node takes its identity. Null when nothing is encrypted.
 * @throws AtRestError; nothing was changed
 */
export async function prepareNodeAtRest(parts: {
  readonly settings: Settings;
  readonly fileSystem: FileSystem;
  readonly logger: AtRestLogger;
}): Promise<PreparedAtRest | null> {
  const { settings, fileSystem, logger } = parts;
  const { dataDir } = settings.current();
  return await prepareAtRest({
    fileSystem,
    dataDirectory: dataDir,
    config: () => settings.current(),
    findFiles: () => {
      const { files, plain } = atRestInventory(fileSystem, placesIn(dataDir));
      const encrypted = files.find((file) => file.encrypted)?.path ?? null;
      return { encrypted, hasPlain: plain.files > 0 };
    },
    storedNodeId: () => storedNodeId(fileSystem, dataDir),
    logger,
  });
}

/** Files follow the keys from now on; the source of the key-encryption key may be moved by CONFIG SET. */
export function attachAtRest(
  atRest: AtRestService,
  parts: {
    readonly settings: Settings;
    readonly fileSystem: FileSystem;
    readonly running: RunningReplica;
    readonly audit: AuditTrail;
    /** Path of the ACL file. */
    readonly aclFile: string;
    readonly logger: AtRestLogger;
  },
): void {
  const { settings, fileSystem, running, audit, aclFile, logger } = parts;
  const { replica, disk } = running;
  atRest.attach({
    audit,
    disk: new NodeDisk({
      fileSystem,
      dataDirectory: settings.current().dataDir,
      sealedFiles: [aclFile],
      ...disk,
      state: {
        lastIndex: () => replica.core.lastIndex(),
        appliedIndex: () => replica.machine.appliedIndex,
        takeSnapshot: () => replica.snapshots.takeNow(),
      },
      onFailed: (error) => {
        logger.error({ err: error }, "a snapshot was not rewritten; it is tried again");
      },
    }),
  });
  settings.onChange((_, changed) => {
    if (AT_REST_SOURCE_FIELDS.some((field) => changed.has(field))) void atRest.rewrap(null);
  });
}
