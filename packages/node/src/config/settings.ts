/**
 * The settings of a running node: what CONFIG GET shows and CONFIG SET changes. The configuration itself never
 * changes; a successful SET makes a new one and hands it to the listeners, who take from it what concerns them.
 */
import type { SettingsView } from "../server/edge-context.ts";
import { crossCheck } from "./cross-check.ts";
import { globMatches, isGlob } from "./glob.ts";
import type { NodeConfig } from "./node-config.ts";
import { FIXED_SETTINGS, fixedSetting } from "./redis-names.ts";
import {
  fieldOfName,
  SETTING_FIELDS,
  SETTINGS,
  type Setting,
  type SettingField,
} from "./schema.ts";
import { shownValue } from "./show.ts";

/** Called after a change, with the new configuration and the fields in which it differs from the one before. */
export type SettingsListener = (config: NodeConfig, changed: ReadonlySet<keyof NodeConfig>) => void;

/**
 * Asked before a change is made, for what takes time to find out: files that have to be read. Null when it has nothing
 * against it, else a sentence.
 */
export type SettingsCheck = (
  next: NodeConfig,
  changed: ReadonlySet<keyof NodeConfig>,
) => Promise<string | null>;

export class Settings implements SettingsView {
  #config: NodeConfig;
  readonly #listeners = new Set<SettingsListener>();
  readonly #checks: { readonly fields: ReadonlySet<string>; readonly check: SettingsCheck }[] = [];
  readonly #agreed = new Map<SettingField, () => string | undefined>();

  /** `config` with the ports that were really bound, so that CONFIG GET port tells the truth after port 0. */
  constructor(config: NodeConfig) {
    this.#config = config;
  }

  /** The configuration in force now. */
  current(): NodeConfig {
    return this.#config;
  }

  /** What became known after the start (the port that was really bound). Nobody is told. */
  adopt(config: NodeConfig): void {
    this.#config = config;
  }

  /** A setting of the whole cluster: CONFIG GET shows what was agreed, where something was. */
  showAgreed(field: SettingField, value: () => string | undefined): void {
    this.#agreed.set(field, value);
  }

  /** Listens for changes until the returned function is called. A listener must not throw. */
  onChange(listener: SettingsListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** `check` is asked by `prepare` when one of these fields would change. */
  checkBefore(fields: readonly (keyof NodeConfig)[], check: SettingsCheck): void {
    this.#checks.push({ fields: new Set(fields), check });
  }

  /** A setting's value as CONFIG GET shows it (secrets hidden), or undefined when there is no such setting. */
  get(name: string): string | undefined {
    const field = fieldOfName(name);
    if (field === undefined) return fixedSetting(name)?.value;
    return this.#agreed.get(field)?.() ?? shownValue(this.#config, field);
  }

  /**
   * Name and value of every setting that a pattern matches, each once. A pattern without wildcards answers under the
   * spelling it was asked with, as Redis does.
   */
  match(patterns: readonly string[]): readonly (readonly [string, string])[] {
    const found = new Map<string, readonly [string, string]>();
    for (const pattern of patterns) {
      if (isGlob(pattern)) {
        for (const name of allNames()) {
          if (!found.has(name) && globMatches(pattern, name))
            found.set(name, [name, this.get(name) ?? ""]);
        }
      } else {
        const name = pattern.toLowerCase();
        const value = this.get(name);
        if (value !== undefined && !found.has(name)) found.set(name, [pattern, value]);
      }
    }
    return [...found.values()];
  }

  /**
   * CONFIG SET: all pairs or none. Returns the error as Redis words it, or null after the change has been made and the
   * listeners were told.
   */
  set(pairs: readonly (readonly [string, string])[]): string | null {
    const next = this.#after(pairs);
    if (typeof next === "string") return next;
    this.#replace(next);
    return null;
  }

  /** What `set` would answer, without changing anything. */
  check(pairs: readonly (readonly [string, string])[]): string | null {
    const next = this.#after(pairs);
    return typeof next === "string" ? next : null;
  }

  /**
   * To be waited for before `set`: null when nothing has to be, else a promise of the error or of null. What `check` would
   * refuse is left to `set`.
   */
  prepare(pairs: readonly (readonly [string, string])[]): Promise<string | null> | null {
    const next = this.#after(pairs);
    if (typeof next === "string") return null;
    const changed = this.#changedIn(next);
    const checks = this.#checks.filter(({ fields }) =>
      [...changed].some((field) => fields.has(field)),
    );
    if (checks.length === 0) return null;
    return this.#ask(
      checks.map(({ check }) => check),
      next,
      changed,
      pairs,
    );
  }

  async #ask(
    checks: readonly SettingsCheck[],
    next: NodeConfig,
    changed: ReadonlySet<keyof NodeConfig>,
    pairs: readonly (readonly [string, string])[],
  ): Promise<string | null> {
    for (const check of checks) {
      const problem = await check(next, changed);
      if (problem === null) continue;
      const culprit = pairs.find(([name]) => changed.has(fieldOfName(name) as keyof NodeConfig));
      return failed(culprit?.[0] ?? "", problem);
    }
    return null;
  }

  /** The configuration that the pairs make of the present one, or why they can not. */
  #after(pairs: readonly (readonly [string, string])[]): NodeConfig | string {
    const refusal = refuseNames(pairs.map(([name]) => name));
    if (refusal !== null) return refusal;

    const update: Record<string, unknown> = {};
    for (const [name, text] of pairs) {
      const field = fieldOfName(name);
      if (field === undefined) {
        const problem = refuseFixed(name, text);
        if (problem !== null) return failed(name, problem);
        continue;
      }
      const parsed = (SETTINGS[field] as Setting<unknown>).kind.parse(text);
      if (!parsed.ok) return failed(name, parsed.problem);
      // A legal text that says nothing about what is limited here: other classes of clients. Elsewhere null is "none".
      const saysNothing = parsed.value === null && field === "clientOutputBufferBytesMax";
      if (!saysNothing) update[field] = parsed.value;
    }
    const next: NodeConfig = { ...this.#config, ...(update as Partial<NodeConfig>) };
    const [problem] = crossCheck(next, () => "");
    if (problem === undefined) return next;
    const culprit = pairs.find(([name]) => name.toLowerCase() === problem.setting) ?? pairs[0];
    const prefix = `${problem.setting}: `;
    const own = culprit?.[0].toLowerCase() === problem.setting;
    return failed(culprit?.[0] ?? "", own ? problem.text.slice(prefix.length) : problem.text);
  }

  #replace(next: NodeConfig): void {
    const changed = this.#changedIn(next);
    this.#config = next;
    if (changed.size > 0) for (const listener of this.#listeners) listener(next, changed);
  }

  #changedIn(next: NodeConfig): ReadonlySet<keyof NodeConfig> {
    const fields = Object.keys(next) as (keyof NodeConfig)[];
    return new Set(fields.filter((field) => next[field] !== this.#config[field]));
  }
}

function allNames(): string[] {
  return [
    ...SETTING_FIELDS.map((field: SettingField) => SETTINGS[field].name),
    ...FIXED_SETTINGS.map((setting) => setting.name),
  ];
}

/** What Redis checks before it looks at any value: the name is known, may be changed, and is given once. */
function refuseNames(names: readonly string[]): string | null {
  const seen = new Set<string>();
  for (const name of names) {
    const field = fieldOfName(name);
    const fixed = fixedSetting(name);
    if (field === undefined && fixed === undefined) {
      return `ERR Unknown option or number of arguments for CONFIG SET - '${name}'`;
    }
    const live = field === undefined ? fixed?.immutable === false : SETTINGS[field].live === true;
    if (!live) return failed(name, "can't set immutable config");
    if (seen.has(name.toLowerCase())) return failed(name, "duplicate parameter");
    seen.add(name.toLowerCase());
  }
  return null;
}

function refuseFixed(name: string, text: string): string | null {
  const fixed = fixedSetting(name);
  if (fixed === undefined || fixed.value === text.toLowerCase()) return null;
  return `it is always '${fixed.value}' here: ${fixed.reason}`;
}

function failed(name: string, problem: string): string {
  return `ERR CONFIG SET failed (possibly related to argument '${name}') - ${problem}`;
}
