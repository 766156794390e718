/** What is known of one setting, whatever its kind. */
import type { ValueKind } from "./value-kinds.ts";

export type SettingGroup =
  | "node"
  | "clients"
  | "tls"
  | "security"
  | "audit"
  | "cluster"
  | "reads and writes"
  | "storage"
  | "observability";

export interface Setting<T> {
  readonly name: string;
  readonly group: SettingGroup;
  readonly kind: ValueKind<T>;
  /** As it would stand in a file. */
  readonly defaultText: string;
  /** What the default means when its text does not say it. */
  readonly defaultMeaning?: string;
  /** Sentences for the documentation and `--help`; the first one alone is the short help. */
  readonly about: string;
  /** CONFIG SET changes it while the node runs. Only where every part that reads it reads it anew. */
  readonly live?: true;
  /** Never shown: not by CONFIG GET, not in logs, not in errors. */
  readonly secret?: true;
  /** Listed by `ferrite start --help`; the others are reached by their flag all the same. */
  readonly common?: true;
  /** Other spellings of the name, in files, flags and CONFIG. */
  readonly alsoNamed?: readonly string[];
  /** Other environment variables it is read from, after its own. */
  readonly environmentAliases?: readonly string[];
}
