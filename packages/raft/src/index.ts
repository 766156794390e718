export * from "./types.ts";
export * from "./ready.ts";
export type * from "./core-api.ts";
export type { LogPosition } from "./damage-floor.ts";
export { RaftCore } from "./core.ts";
export {
  configurationListMax,
  decodeConfiguration,
  encodeConfiguration,
  enterJoint,
  isJoint,
  leaveJoint,
  nodeIdBytesMax,
  validateConfiguration,
} from "./configuration.ts";
export { InvariantError, RaftError } from "./errors.ts";
export type { InvariantCode, RaftErrorCode } from "./errors.ts";
export { committedEntriesPerReadyMax } from "./state.ts";
export { snapshotChunksInFlightMax } from "./snapshot-transfer.ts";
export { leaseLengthTicks } from "./lease.ts";
export { defaultPriority } from "./priorities.ts";
export { readRoundsInFlightMax } from "./read-only.ts";
