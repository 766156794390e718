/**
 * What is left to know of a log whose end can not be read any more (R42, R58): where it ended.
 *
 *      1 ......... intact ......... | x x x x x damaged x x x x | floor
 *      kept                           lost, and perhaps            (index, term) of the
 *                                     acknowledged once            last entry there was
 *
 * Whatever this node acknowledged lies at or before the floor. While its durable log is behind the floor it keeps what
 * those acknowledgements promised without having the entries: it votes for nobody whose log is shorter, and does not
 * ask for votes itself. DESIGN.md says why that is enough.
 */
import type { Index, Term } from "./types.ts";

/** A place in some log: the entry at `index` has `term`. */
export interface LogPosition {
  readonly index: Index;
  readonly term: Term;
}

/**
 * Is a log that ends at `end` at least as up to date as one that ends at `other` (paper, section 5.4.1)? The later term
 * decides, then the length: a log that is shorter but of a later leader has replaced the longer one.
 */
export function isAtLeast(end: LogPosition, other: LogPosition): boolean {
  return end.term > other.term || (end.term === other.term && end.index >= other.index);
}
