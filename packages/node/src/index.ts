/** The door of the node package: start a node, and what its configuration is made of. */
export * from "./config/index.ts";
export { createLogger, type LoggerOptions, type LogLevel } from "./logging/logger.ts";
export type { NodeAddresses, NodeHandle, StartNodeOptions } from "./node-handle.ts";
export { StartError, type StartErrorCode } from "./start/errors.ts";
export { startNode } from "./start/start-node.ts";
