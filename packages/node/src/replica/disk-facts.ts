/** What the edge may know of the disk of this node. */
import type { LogPosition } from "@ferrite/raft";
import type { DiskAnswers } from "./disk-watch.ts";

export interface DiskFacts extends DiskAnswers {
  /** Places of damage that were found at the start, or are not made good yet (R42, R58). */
  readonly damages: number;
  /** Where the log ended before it was damaged; null when it is that far (again). */
  readonly missingUpTo: LogPosition | null;
}
