/** How each field of a configuration is shown to people and to CONFIG GET, secrets hidden. */
import type { NodeConfig } from "./node-config.ts";
import {
  SETTING_FIELDS,
  SETTINGS,
  type Setting,
  type SettingField,
  type SettingValues,
} from "./schema.ts";

/** What stands in the place of a secret that is set. An empty secret is shown as empty: "no password" is worth knowing. */
export const REDACTED = "(redacted)";

/** The value of one setting as CONFIG GET answers it. */
export function shownValue(config: NodeConfig, field: SettingField): string {
  const setting = SETTINGS[field] as Setting<unknown>;
  const shown = setting.kind.print(settingValue(config, field));
  return setting.secret && shown !== "" ? REDACTED : shown;
}

/**
 * The settings that are not at their defaults, by name, secrets hidden: what may be logged at start. What was derived
 * (a peer port from the port) counts as changed, since the default does not say it.
 */
export function changedSettings(config: NodeConfig): Record<string, string> {
  const shown: Record<string, string> = {};
  for (const field of SETTING_FIELDS) {
    const setting = SETTINGS[field] as Setting<unknown>;
    const value = shownValue(config, field);
    const byDefault = setting.kind.parse(setting.defaultText);
    const isDefault = byDefault.ok && setting.kind.print(byDefault.value) === value;
    if (!isDefault) shown[setting.name] = value;
  }
  return shown;
}

function settingValue<Field extends SettingField>(
  config: NodeConfig,
  field: Field,
): SettingValues[Field] {
  return settingValues(config)[field];
}

/** The configuration taken apart again, as if every derived value had been given. */
function settingValues(config: NodeConfig): SettingValues {
  const optional = new Set(config.bindOptional ?? []);
  const tlsOptional = new Set(config.tlsBindOptional ?? []);
  const tlsBind = config.tlsBind.map((address) => ({
    address,
    optional: tlsOptional.has(address),
  }));
  const sameBind = config.tlsBind.join(" ") === config.bind.join(" ");
  return {
    ...config,
    bind: config.bind.map((address) => ({ address, optional: optional.has(address) })),
    tlsBind: sameBind ? null : tlsBind,
  };
}
