/** Every way the core can fail. Operating conditions (no leader, overloaded) are results, never errors. */

/** The caller handed in something it must not. The core's state is unchanged. */
export type RaftErrorCode =
  /** Configuration bytes that are not what `encodeConfiguration` makes. */
  | "configurationMalformed"
  /** A configuration that can not be, or that must not follow the one in force. */
  | "configurationInvalid"
  /** Options outside their range. */
  | "optionInvalid";

/** A broken invariant: the state can not be trusted any more and the node must stop. */
export type InvariantCode =
  | "snapshotBehindCommit"
  | "restoredStateInconsistent"
  | "logGap"
  | "logTermBackwards"
  | "logIndexOutOfRange"
  | "committedEntryCut"
  | "committedEntryContradicted"
  | "commitBeyondLog"
  | "acknowledgedEntriesLost"
  | "appliedOutOfRange"
  | "compactBeyondApplied"
  | "termBackwards"
  | "voteChanged"
  | "twoLeadersInTerm"
  | "matchBeyondLog"
  | "commitOfForeignTerm"
  | "inflightsFull"
  | "progressMissing"
  | "installWithoutSnapshot";

/** Base of what this package throws; `code` is stable, the text is for people. */
export class RaftError extends Error {
  readonly code: RaftErrorCode | InvariantCode;

  constructor(code: RaftErrorCode | InvariantCode, detail: string) {
    super(`raft: ${code}: ${detail}`);
    this.name = "RaftError";
    this.code = code;
  }
}

/** Thrown in production too: a node that goes on after one of these could lose acknowledged writes. */
export class InvariantError extends RaftError {
  override readonly code: InvariantCode;

  constructor(code: InvariantCode, detail: string) {
    super(code, detail);
    this.name = "InvariantError";
    this.code = code;
  }
}

/** Stops the node when `condition` does not hold. `detail` is a constant text: hot paths build no strings. */
export function invariant(
  condition: boolean,
  code: InvariantCode,
  detail: string,
): asserts condition {
  if (!condition) {
    throw new InvariantError(code, detail);
  }
}
