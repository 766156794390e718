/** The seam between the RESP edge and the replica: bytes in, replies out, in batches. */
import type { Argv } from "../resp/argv.ts";
import type { Reply } from "../resp/reply.ts";
import type { ReadCommand, WriteCommand } from "../commands/command.ts";
import type { Consistency } from "../commands/consistency-levels.ts";

/** Who waits for a write. A connection implements it once, for all its writes, which finish in the order they were given. */
export interface WriteClient {
  /** Where the answer of the oldest unfinished write goes. Asked once per write, just before it runs. */
  replyForWrite(): Reply;
  /** The oldest unfinished write has run at log position `index` and its answer is in the reply. */
  writeApplied(index: number): void;
  /** The oldest unfinished write may not run any more: rules have changed since it was taken. Its answer follows. */
  writeDenied?(command: WriteCommand, errorText: string): void;
  /** The oldest unfinished write did not run (CLUSTERDOWN ...) or may have (UNKNOWNOUTCOME ...). */
  writeFailed(errorText: string): void;
}

export interface WritePath {
  /**
   * Takes a write into the current batch. An error text when it can not be taken (definite: not applied), else null.
   * `userId` is the user under whom the caller has checked the write, in this same synchronous step, against the users as
   * they are now: when they change before it is applied, it is checked again there, and may be answered NOPERM (S03).
   */
  submit(
    buffer: Buffer,
    start: number,
    end: number,
    client: WriteClient,
    userId: number,
  ): string | null;
  /** Calls `done(null)` when a read started now on this node is linearizable, or with an error text. */
  confirmRead(done: (errorText: string | null) => void): void;
  /** Is a read of this level right in this same synchronous step, without a confirmation? `boundMs` is for bounded ones. */
  mayReadNow(level: Consistency, boundMs: number): boolean;
  /** Runs a read against the local state. */
  runRead(command: ReadCommand, argv: Argv, reply: Reply): void;
  /** Refuses reads by staleness (replica-serve-stale-data no): an error text or null. */
  readRefusal(): string | null;
}

/** Finds a command by the bytes of its name (case-insensitive) and, for a container, its sub-command. */
export interface WriteLookup {
  lookupWrite(argv: Argv): WriteCommand | null;
}
