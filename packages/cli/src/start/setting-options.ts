/** The flags of `ferrite start`: one per setting, from the table of settings. */
import { SETTING_FIELDS, SETTINGS, type FlagValue, type SettingField } from "@ferrite/node/config";
import { InvalidArgumentError, Option, type Command } from "commander";

/** Flags by which a setting is known besides its own name. */
const SECOND_FLAGS: Readonly<Partial<Record<SettingField, string>>> = { dataDir: "--data-dir" };

/** Adds a flag for every setting; those that few need are left out of the help. */
export function addSettingOptions(command: Command): void {
  for (const field of SETTING_FIELDS) {
    const setting = SETTINGS[field];
    const flag = `--${setting.name}`;
    const second = SECOND_FLAGS[field];
    const flags = second === undefined ? flag : `${second}, ${flag}`;
    const option = new Option(`${flags} <${placeholder(setting.kind.label)}>`, help(field));
    command.addOption(setting.common ? option : option.hideHelp());
  }
  command.option(
    "--set <name=value>",
    "any setting, also those not listed here (repeatable)",
    collectSet,
    [],
  );
}

function help(field: SettingField): string {
  const { about, defaultText, defaultMeaning } = SETTINGS[field];
  const sentence = about.slice(0, about.indexOf(".") + 1) || about;
  const shown = defaultMeaning ?? defaultText;
  return shown === "" ? sentence : `${sentence} Default: ${shown}`;
}

function placeholder(label: string): string {
  const word = /^[a-z:]+$/.exec(label)?.[0];
  return word ?? "value";
}

/** What was given on the command line, in the form the configuration takes. A flag of its own beats `--set`. */
export function givenFlags(options: Readonly<Record<string, unknown>>): FlagValue[] {
  const sets = (options["set"] as readonly FlagValue[] | undefined) ?? [];
  const flags: FlagValue[] = [...sets];
  for (const field of SETTING_FIELDS) {
    const { name } = SETTINGS[field];
    const value = options[new Option(`--${name} <value>`).attributeName()];
    if (typeof value === "string") flags.push({ name, value, flag: `--${name}` });
  }
  return flags;
}

/** Reads `name=value`. The flag's text keeps the name only, since the value may be a password. */
export function collectSet(text: string, previous: readonly FlagValue[]): FlagValue[] {
  const at = text.indexOf("=");
  if (at < 1) throw new InvalidArgumentError("It must be name=value.");
  const name = text.slice(0, at);
  return [...previous, { name, value: text.slice(at + 1), flag: `--set ${name}` }];
}
