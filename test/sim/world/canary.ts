/**
 * Defects that can be put into a simulated cluster on purpose. A simulator that does not find them proves nothing by
 * finding nothing.
 */
export interface Canary {
  /** A leader counts copies of an entry of an earlier term as a commit (figure 8 of the paper). */
  readonly commitOldTerm: boolean;
  /** The vote is not on disk when the term is. */
  readonly loseVote: boolean;
  /** Writes are reported durable when they are not. */
  readonly ackBeforeSync: boolean;
}

export const NO_CANARY: Canary = { commitOldTerm: false, loseVote: false, ackBeforeSync: false };

export const CANARIES: Readonly<Record<string, Canary>> = {
  "commit-old-term": { ...NO_CANARY, commitOldTerm: true },
  "lose-vote": { ...NO_CANARY, loseVote: true },
  "ack-before-sync": { ...NO_CANARY, ackBeforeSync: true },
};
