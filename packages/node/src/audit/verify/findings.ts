/** What a verification says. */
export type ProblemKind =
  /** A record's bytes do not have the hash that stands behind them. */
  | "changed"
  /** A line that is no record. */
  | "malformed"
  /** Records are missing before this one. */
  | "gap"
  /** A record stands where an earlier one was, or twice. */
  | "order"
  /** A record does not follow the one before it, which was replaced. */
  | "chain"
  /** The chain was begun anew: what was before can not be proved to be complete. */
  | "restart"
  /** A record of another node. */
  | "foreign"
  /** The cluster witnessed another record at this place. */
  | "anchor"
  /** The trail ends before what the cluster has witnessed. */
  | "cut"
  /** The trail was made with a key, and none or another one was given. */
  | "key";

export interface Problem {
  readonly kind: ProblemKind;
  /** File and line of the first record that is broken; null when it is missing. */
  readonly file: string | null;
  readonly line: number | null;
  readonly sequence: number | null;
  readonly text: string;
}

export interface VerificationReport {
  /** Null when nothing is wrong. Verification ends at the first problem: behind it nothing can be believed. */
  readonly problem: Problem | null;
  readonly files: number;
  readonly records: number;
  readonly nodeId: string | null;
  readonly firstSequence: number | null;
  readonly last: { readonly sequence: number; readonly hash: string } | null;
  /** The anchor the trail was held against, or null. */
  readonly anchor: { readonly sequence: number; readonly hash: string } | null;
  /** What is no proof of anything but should be known. */
  readonly notices: readonly string[];
}
