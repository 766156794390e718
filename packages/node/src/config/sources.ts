/**
 * Collects what flags, environment and file say, checks each value, and lets the strongest source win:
 * flag, environment, file, default.
 */
import type { ConfigProblem } from "./config-error.ts";
import { parseConfFile, type Directive } from "./conf-file.ts";
import { didYouMean } from "./did-you-mean.ts";
import { FIXED_SETTINGS, fixedSetting } from "./redis-names.ts";
import {
  environmentName,
  fieldOfName,
  SETTING_FIELDS,
  SETTINGS,
  settingNames,
  type Setting,
  type SettingField,
  type SettingValues,
} from "./schema.ts";

/** A setting given on the command line. `flag` is what the person typed, for errors. */
export interface FlagValue {
  readonly name: string;
  readonly value: string;
  readonly flag: string;
}

export interface ConfigSources {
  readonly flags?: readonly FlagValue[];
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** A file's name (for errors) and its content. */
  readonly file?: { readonly path: string; readonly content: string } | null;
}

/** The winning value of every setting and where each came from. */
export interface CollectedSettings {
  readonly values: SettingValues;
  readonly sourceOf: (field: SettingField) => string;
  readonly problems: readonly ConfigProblem[];
}

/** Variables with our prefix that are no settings: read by the command line. */
const RESERVED_VARIABLES: ReadonlySet<string> = new Set(["FERRITE_CONFIG", "FERRITE_PASSWORD"]);

/** What a value came from when nobody gave it. */
export const DEFAULT_SOURCE = "default";

interface Given {
  readonly text: string;
  readonly source: string;
}

/** Merges the sources. A value that is refused leaves the default in its place and a problem in the list. */
export function collectSettings(sources: ConfigSources): CollectedSettings {
  const problems: ConfigProblem[] = [];
  const given = new Map<SettingField, Given>();
  if (sources.file) readFile(sources.file, given, problems);
  readEnvironment(sources.environment ?? {}, given, problems);
  readFlags(sources.flags ?? [], given, problems);

  const values: Partial<Record<SettingField, unknown>> = {};
  for (const field of SETTING_FIELDS) values[field] = parseOne(field, given.get(field), problems);
  return {
    values: values as unknown as SettingValues,
    sourceOf: (field) => given.get(field)?.source ?? DEFAULT_SOURCE,
    problems,
  };
}

function parseOne(
  field: SettingField,
  given: Given | undefined,
  problems: ConfigProblem[],
): unknown {
  const setting: Setting<unknown> = SETTINGS[field];
  const fallback = setting.kind.parse(setting.defaultText);
  if (!fallback.ok) throw new Error(`the default of ${setting.name} is not legal`);
  if (given === undefined) return fallback.value;
  const parsed = setting.kind.parse(given.text);
  if (parsed.ok) return parsed.value;
  problems.push({
    setting: setting.name,
    source: given.source,
    text: `${setting.name}: ${parsed.problem}${setting.secret ? "" : ` (got ${JSON.stringify(given.text)})`}`,
  });
  return fallback.value;
}

function readFlags(
  flags: readonly FlagValue[],
  given: Map<SettingField, Given>,
  problems: ConfigProblem[],
): void {
  for (const { name, value, flag } of flags) {
    const field = fieldOfName(name);
    if (field !== undefined) given.set(field, { text: value, source: flag });
    else refuseUnknown({ name, value, source: flag }, "setting", problems);
  }
}

function readEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
  given: Map<SettingField, Given>,
  problems: ConfigProblem[],
): void {
  const known = new Map<string, SettingField>();
  for (const field of SETTING_FIELDS) {
    const setting: Setting<never> = SETTINGS[field] as unknown as Setting<never>;
    const own = environmentName(setting.name);
    known.set(own, field);
    for (const variable of [...(setting.environmentAliases ?? []).toReversed(), own]) {
      const text = environment[variable];
      if (text === undefined || isServiceLink(variable, text)) continue;
      // A variable that is set but empty stands for "not set" in most shells and compose files.
      if (text === "" && variable !== own) continue;
      given.set(field, { text, source: variable });
    }
  }
  for (const [variable, text] of Object.entries(environment)) {
    if (!variable.startsWith("FERRITE_") || known.has(variable)) continue;
    if (RESERVED_VARIABLES.has(variable) || isServiceLink(variable, text ?? "")) continue;
    const hint = didYouMean(variable, known.keys());
    problems.push({ setting: null, source: variable, text: `unknown setting${hint}` });
  }
}

/**
 * Kubernetes and old Docker links put the address of a service called "ferrite" into variables such as
 * FERRITE_PORT=tcp://10.0.0.1:6379 of every container beside it. Those are not meant for us.
 */
function isServiceLink(variable: string, text: string): boolean {
  return (
    /_SERVICE_(HOST|PORT)(_[A-Z0-9_]+)?$/.test(variable) ||
    /_PORT_\d+_(TCP|UDP)(_(ADDR|PORT|PROTO))?$/.test(variable) ||
    (variable.endsWith("_PORT") && /^(tcp|udp):\/\//.test(text))
  );
}

function readFile(
  file: { readonly path: string; readonly content: string },
  given: Map<SettingField, Given>,
  problems: ConfigProblem[],
): void {
  const parsed = parseConfFile(file.content);
  for (const error of parsed.errors) {
    problems.push({ setting: null, source: `${file.path}:${error.line}`, text: error.text });
  }
  for (const directive of parsed.directives) {
    readDirective(directive, `${file.path}:${directive.line}`, { given, problems });
  }
}

function readDirective(
  directive: Directive,
  source: string,
  into: { readonly given: Map<SettingField, Given>; readonly problems: ConfigProblem[] },
): void {
  const { name, words } = directive;
  const field = fieldOfName(name);
  if (field === undefined) {
    refuseUnknown({ name, value: words.join(" "), source }, "directive", into.problems);
    return;
  }
  const setting = SETTINGS[field];
  if (words.length === 0 || (words.length > 1 && !setting.kind.manyWords)) {
    const expected = setting.kind.manyWords ? "at least one value" : "one value";
    const text = `${setting.name}: takes ${expected}, got ${words.length}`;
    into.problems.push({ setting: setting.name, source, text });
    return;
  }
  into.given.set(field, { text: words.join(" "), source });
}

/** A name that is no setting: fine when it is one of Redis' with the value it always has here. */
function refuseUnknown(
  given: { readonly name: string; readonly value: string; readonly source: string },
  noun: "setting" | "directive",
  problems: ConfigProblem[],
): void {
  const { name, value, source } = given;
  const fixed = fixedSetting(name);
  if (fixed !== undefined) {
    if (fixed.value === value.toLowerCase()) return;
    const shown = fixed.value === "" ? '""' : fixed.value;
    problems.push({
      setting: fixed.name,
      source,
      text: `${fixed.name} is always ${shown}: ${fixed.reason}`,
    });
    return;
  }
  const names = [...settingNames(), ...FIXED_SETTINGS.map((setting) => setting.name)];
  problems.push({
    setting: null,
    source,
    text: `unknown ${noun} "${name}"${didYouMean(name.toLowerCase(), names)}`,
  });
}
