/** What one checker has found. */
export interface Verdict {
  readonly checker: string;
  /** How many things it looked at: a checker that saw nothing has shown nothing. */
  readonly examined: number;
  /** Things that were not decided, because that would have taken too long. */
  readonly undecided: number;
  /** As sentences; none is good. */
  readonly violations: readonly string[];
}

export function verdict(
  checker: string,
  examined: number,
  violations: readonly string[],
  undecided = 0,
): Verdict {
  return { checker, examined, undecided, violations };
}
