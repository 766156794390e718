/** What a simulation shows to its invariants. Each invariant is one file; it throws `Violation` when it is broken. */
import type { Entry, EntryKind, LogPosition, Message } from "@ferrite/raft";

export class Violation extends Error {
  readonly invariant: string;

  constructor(invariant: string, message: string) {
    super(`${invariant}: ${message}`);
    this.name = "Violation";
    this.invariant = invariant;
  }
}

/** What one log entry is, without its bytes. */
export interface EntryMark {
  readonly term: number;
  /** Checksum of kind and data. */
  readonly sum: number;
  readonly kind: EntryKind;
  /** Term of the entry before it; -1 when that is in a snapshot. */
  readonly previousTerm: number;
}

/** A node's log as it stands, written or on its way to the disk. Index to mark. */
export interface LogMirror {
  readonly marks: ReadonlyMap<number, EntryMark>;
  readonly lastIndex: number;
  /** Index of the newest snapshot below it. */
  readonly baseIndex: number;
}

export interface NodeFacts {
  readonly name: string;
  readonly role: string;
  readonly term: number;
  readonly commitIndex: number;
  readonly appliedIndex: number;
  readonly lastIndex: number;
  /** Whether a client's read would be answered now. */
  readonly servesReads: boolean;
}

export interface Invariant {
  /** After every step, for every node that is up. */
  step?(node: NodeFacts): void;
  /** A node came back after a crash with what its disk kept. */
  restarted?(node: NodeFacts): void;
  becameLeader?(node: NodeFacts, log: LogMirror): void;
  /** Before the entries are put into the mirror. */
  logWritten?(
    node: NodeFacts,
    log: LogMirror,
    entries: readonly Entry[],
    marks: readonly EntryMark[],
  ): void;
  applied?(
    node: NodeFacts,
    index: number,
    mark: { readonly term: number; readonly sum: number },
  ): void;
  /** A message has arrived, and is about to be taken in. */
  delivered?(from: string, to: string, message: Message): void;
  /** A node hands a message over. `floor`: where its log ended before it was damaged, or null. */
  sent?(from: string, to: string, message: Message, floor: LogPosition | null): void;
}
