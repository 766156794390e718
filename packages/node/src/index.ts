/** The door of the node package: start a node, and what its configuration is made of. */
export { ConfigError, type ConfigProblem } from "./config/config-error.ts";
export { closestName, didYouMean } from "./config/did-you-mean.ts";
export { formatHostPort, parseHostPort, type HostPort } from "./config/host-port.ts";
export type { NodeConfig, PeerTlsFiles } from "./config/node-config.ts";
export { parseConfig, type HostFacts, type ParsedConfig } from "./config/parse-config.ts";
export { readConfigFile } from "./config/read-config-file.ts";
export {
  environmentName,
  SETTING_FIELDS,
  SETTINGS,
  settingNames,
  type Setting,
  type SettingField,
} from "./config/schema.ts";
export { redactedSettings } from "./config/show.ts";
export type { ConfigSources, FlagValue } from "./config/sources.ts";
export { createLogger, type LoggerOptions, type LogLevel } from "./logging/logger.ts";
export type { NodeAddresses, NodeHandle, StartNodeOptions } from "./node-handle.ts";
export { StartError, type StartErrorCode } from "./start/errors.ts";
export { startNode } from "./start/start-node.ts";
