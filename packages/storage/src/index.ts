export * from "./disk/file-system.ts";
export * from "./disk/ports.ts";
export { SegmentedLog } from "./disk/segmented-log.ts";
export type { LogOptions } from "./disk/log-options.ts";
export { NodeFileSystem } from "./disk/node-file-system.ts";
export { StorageError } from "./disk/errors.ts";
export type { StorageErrorCode } from "./disk/errors.ts";
export * from "./keyspace/api.ts";
