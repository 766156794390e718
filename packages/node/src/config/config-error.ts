/** One thing that is wrong with the settings: where it was given, what is wrong and what to do about it. */
export interface ConfigProblem {
  /** The setting it is about, or null when it is about none in particular. */
  readonly setting: string | null;
  /** Where the value came from: `--port`, `FERRITE_PORT`, `ferrite.conf:12`, `default`. */
  readonly source: string;
  readonly text: string;
}

/**
 * The settings can not be used. All problems are reported at once, so that one attempt shows everything there is to
 * repair.
 */
export class ConfigError extends Error {
  readonly code = "FERRITE_CONFIG_INVALID";
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    super(problems.map((problem) => `${problem.source}: ${problem.text}`).join("\n"));
    this.name = "ConfigError";
    this.problems = problems;
  }
}
