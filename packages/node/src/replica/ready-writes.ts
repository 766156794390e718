/**
 * What Readys want on disk, handed to the log in their order, and what each of them releases when it is there: a
 * vote or an acknowledgement is a promise, and leaves only after the write that it promises (ready.ts, rule 3).
 */
import type { Entry, HardState, Message, NodeId, Ready, Term } from "@ferrite/raft";
import type { LogWriter } from "@ferrite/storage";

export interface ReadyWritesEvents {
  /** Entries were handed to the log. */
  written(entries: readonly Entry[]): void;
  /** A Ready is durable: its messages may go, and its last entry counts. */
  durable(messages: readonly Message[], last: Entry | undefined): void;
}

export class ReadyWrites {
  readonly #log: LogWriter;
  readonly #events: ReadyWritesEvents;
  /** Readys on their way to the disk, oldest first: the messages that each releases. */
  readonly #onTheirWay: Message[][] = [];
  /** As handed to the log last. */
  #term: Term;
  #vote: NodeId | null;

  constructor(log: LogWriter, recovered: HardState, events: ReadyWritesEvents) {
    this.#log = log;
    this.#events = events;
    this.#term = recovered.term;
    this.#vote = recovered.vote;
  }

  persist(ready: Ready): void {
    const { hardState, entries, messagesAfterPersist } = ready;
    if (entries.length === 0 && !this.#promises(hardState)) {
      this.#behindTheLast(messagesAfterPersist);
      return;
    }
    if (hardState !== null) {
      this.#term = hardState.term;
      this.#vote = hardState.vote;
    }
    const messages = [...messagesAfterPersist];
    this.#onTheirWay.push(messages);
    this.#events.written(entries);
    this.#log.submit({ hardState, entries }, () => {
      this.#onTheirWay.shift();
      this.#events.durable(messages, entries.at(-1));
    });
  }

  /** The commit index alone is a hint: it travels with the next write and costs no fsync of its own. */
  #promises(hardState: HardState | null): boolean {
    return hardState !== null && (hardState.term !== this.#term || hardState.vote !== this.#vote);
  }

  /** Nothing to write; but what was handed out before must be durable before these messages go. */
  #behindTheLast(messages: readonly Message[]): void {
    // A Ready that only brings news must not call for another round: news of failed reads would ask again for ever.
    if (messages.length === 0) return;
    const last = this.#onTheirWay.at(-1);
    if (last === undefined) this.#events.durable(messages, undefined);
    else last.push(...messages);
  }
}
