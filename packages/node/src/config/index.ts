/**
 * Settings without the server: what a program needs to read, check and show a configuration. Apart from the package's
 * main door, because loading a whole server to print a help text would take longer than the help text takes to read.
 */
export { ConfigError, type ConfigProblem } from "./config-error.ts";
export { formatHostPort, parseHostPort, type HostPort } from "./host-port.ts";
export type { NodeConfig } from "./node-config.ts";
export { parseConfig, type HostFacts, type ParsedConfig } from "./parse-config.ts";
export { readConfigFile } from "./read-config-file.ts";
export { SETTING_FIELDS, SETTINGS, type Setting, type SettingField } from "./schema.ts";
export { changedSettings } from "./show.ts";
export type { ConfigSources, FlagValue } from "./sources.ts";
