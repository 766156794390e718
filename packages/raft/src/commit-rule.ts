/**
 * When a leader may take a majority's copies for a commit. A rule in a place of its own, so that tests can break it and see that
 * it is missed (testing.ts); nothing in production ever replaces it.
 */
import type { RaftLog } from "./log.ts";
import type { Index, Term } from "./types.ts";

export const commitRule: { allows: (log: RaftLog, index: Index, term: Term) => boolean } = {
  /** Only entries of the leader's own term are committed by counting (paper, section 5.4.2, figure 8). */
  allows: (log, index, term) => log.matches(index, term),
};
