/**
 * The writes of one connection that are on their way through the log, oldest first. They are answered in the order
 * they were given, so that a number says which one a put-aside command follows.
 */
import type { RunnableCommand } from "../commands/command.ts";

export class WritesInFlight {
  /** Writes ever submitted. */
  added = 0;
  /** Writes ever answered. */
  answered = 0;
  /** Bytes submitted since nothing was in flight: an upper bound of those in flight. */
  bytes = 0;
  /** What they are, for the counts; `#head` is the oldest. */
  #commands: RunnableCommand[] = [];
  #head = 0;
  #errorsBefore = 0;

  get count(): number {
    return this.added - this.answered;
  }

  add(command: RunnableCommand, sizeBytes: number): void {
    this.added++;
    this.bytes += sizeBytes;
    this.#commands.push(command);
  }

  /** The newest was refused: it is not on its way. */
  takeBack(sizeBytes: number): void {
    this.added--;
    this.bytes -= sizeBytes;
    this.#commands.pop();
  }

  /** The oldest is about to run. */
  beginReply(errorCount: number): void {
    this.#errorsBefore = errorCount;
  }

  /** The oldest is answered. Returns it when the answer was an error. */
  endReply(errorCount: number): RunnableCommand | null {
    const command = this.fail();
    return errorCount === this.#errorsBefore ? null : command;
  }

  /** The oldest is answered without having run. Returns it. */
  fail(): RunnableCommand {
    const command = this.#commands[this.#head];
    if (command === undefined) throw new Error("invariant: an answer without a write");
    this.answered++;
    this.#head++;
    if (this.#head === this.#commands.length) {
      this.#commands.length = 0;
      this.#head = 0;
      this.bytes = 0;
    } else if (this.#head >= COMPACT_AT && this.#head * 2 >= this.#commands.length) {
      this.#commands.splice(0, this.#head);
      this.#head = 0;
    }
    return command;
  }
}

const COMPACT_AT = 1024;
