export * from "./disk/file-system.ts";
export { atRestKeyBytes } from "./disk/at-rest-keys.ts";
export type { AtRestKey, AtRestKeys } from "./disk/at-rest-keys.ts";
export * from "./disk/ports.ts";
export { atRestInventory } from "./disk/at-rest-inventory.ts";
export type {
  AtRestFile,
  AtRestInventory,
  AtRestPlaces,
  AtRestTotal,
} from "./disk/at-rest-inventory.ts";
export { rewrapFile } from "./disk/rewrap-file.ts";
export type { RewrapOutcome } from "./disk/rewrap-file.ts";
export { isSealed, openSealedBytes, sealBytes, sealedBytesMax } from "./disk/sealed-bytes.ts";
export type { SealedFile } from "./disk/sealed-bytes.ts";
export type { RandomBytes } from "./disk/random-bytes.ts";
export { SegmentedLog } from "./disk/segmented-log.ts";
export { InlineLogWriter } from "./disk/inline-log-writer.ts";
export type { Schedule } from "./disk/inline-log-writer.ts";
export { FileSnapshotStore, FileSystemSnapshotStore } from "./disk/file-snapshot-store.ts";
export type { SnapshotStoreOptions } from "./disk/snapshot-loading.ts";
export {
  carryOutRepair,
  endRepair,
  isDamage,
  openRepair,
  quarantineAll,
  renewNote,
} from "./disk/disk-repair.ts";
export type { OpenRepair } from "./disk/disk-repair.ts";
export { planAnew, planRepair } from "./disk/repair-plan.ts";
export type { RepairPlaces, RepairPlan } from "./disk/repair-plan.ts";
export type { KeptLog } from "./disk/repaired-segment.ts";
export type { Damage } from "./disk/log-survey.ts";
export { lockDataDirectory } from "./disk/data-directory.ts";
export type { DataDirectoryLock } from "./disk/data-directory.ts";
export { writeFileDurably } from "./disk/durable-file.ts";
export type { LogOptions } from "./disk/log-options.ts";
export { NodeFileSystem } from "./disk/node-file-system.ts";
export { WorkerLogWriter, openLog } from "./disk/worker-log-writer.ts";
export type { OpenLogOptions } from "./disk/worker-log-writer.ts";
export { StorageError } from "./disk/errors.ts";
export type { StorageErrorCode } from "./disk/errors.ts";
export * from "./keyspace/api.ts";
export { Keyspace } from "./keyspace/keyspace.ts";
export { beginStateHash, type KeyspaceHashWalk } from "./keyspace/streamed-state-hash.ts";
export { KeyspaceError } from "./keyspace/errors.ts";
export type { KeyspaceErrorCode } from "./keyspace/errors.ts";
export { KEY_BYTES_MAX, VALUE_BYTES_MAX } from "./keyspace/entry-layout.ts";
