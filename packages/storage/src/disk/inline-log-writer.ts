/**
 * The `LogWriter` port on the caller's own thread, with every step under the control of `schedule`: for the simulator,
 * which runs it on a virtual disk in virtual time. Group commit, order and space handling are those of the production
 * writer; one conformance suite runs against both.
 */
import type { Index, Term } from "@ferrite/raft";
import type { AtRestKeys } from "./at-rest-keys.ts";
import { StorageError } from "./errors.ts";
import { checkAtRestKeys } from "./file-envelope.ts";
import { spaceRetryMs } from "./log-worker-loop.ts";
import type { KeyedLogWriter, LogWrite, LogWriterEvents } from "./ports.ts";
import type { SegmentedLog } from "./segmented-log.ts";

/** Runs `task` after `delayMs` (0: as soon as the caller sees fit), never at once. */
export type Schedule = (task: () => void, delayMs: number) => void;

type Request =
  | { readonly kind: "write"; readonly write: LogWrite; readonly onDone: () => void }
  | { readonly kind: "useKeys"; readonly keys: AtRestKeys }
  | { readonly kind: "roll"; readonly onDone: () => void }
  | {
      readonly kind: "reset";
      readonly position: { readonly index: Index; readonly term: Term };
      readonly onDone: () => void;
    }
  | { readonly kind: "close"; readonly onDone: () => void };

/** Waits until everything before it is durable. */
type Barrier = Extract<Request, { readonly kind: "reset" | "close" }>;

function isBarrier(request: Request): request is Barrier {
  return request.kind === "reset" || request.kind === "close";
}

export class InlineLogWriter implements KeyedLogWriter {
  readonly #log: SegmentedLog;
  readonly #events: LogWriterEvents;
  readonly #schedule: Schedule;
  readonly #requests: Request[] = [];
  /** Of writes that the log has taken and not made durable. */
  #taken: (() => void)[] = [];
  /** Of what is durable and not told yet. */
  #done: (() => void)[] = [];
  /** Of rolls that the log has been asked for. */
  #rolls: (() => void)[] = [];
  #compactIndex = 0;
  /** Whether a run at once, or a later one that looks for room, is on its way. */
  #runScheduled = false;
  #retryScheduled = false;
  #full = false;
  #state: "open" | "closing" | "ended" = "open";

  /** What is encrypted, and with which random numbers, was said when `log` was opened. */
  constructor(log: SegmentedLog, events: LogWriterEvents, schedule: Schedule) {
    this.#log = log;
    this.#events = events;
    this.#schedule = schedule;
  }

  submit(write: LogWrite, onDurable: () => void): void {
    this.#request({ kind: "write", write, onDone: onDurable });
  }

  compact(index: Index): void {
    this.#compactIndex = Math.max(this.#compactIndex, index);
    this.#wake();
  }

  reset(position: { readonly index: Index; readonly term: Term }, onDurable: () => void): void {
    this.#request({ kind: "reset", position, onDone: onDurable });
  }

  useKeys(keys: AtRestKeys): void {
    checkAtRestKeys(keys);
    this.#request({ kind: "useKeys", keys });
  }

  roll(onRolled: () => void): void {
    this.#request({ kind: "roll", onDone: onRolled });
  }

  close(onClosed: () => void): void {
    if (this.#state === "ended") {
      onClosed();
      return;
    }
    this.#request({ kind: "close", onDone: onClosed });
    this.#state = "closing";
  }

  #request(request: Request): void {
    if (this.#state === "closing") {
      throw new StorageError("closed", "The log was used after close");
    }
    if (this.#state === "open") {
      this.#requests.push(request);
      this.#wake();
    }
  }

  #wake(): void {
    if (!this.#runScheduled && this.#state !== "ended") {
      this.#runScheduled = true;
      this.#schedule(() => {
        this.#runScheduled = false;
        this.#run();
      }, 0);
    }
  }

  #retryLater(): void {
    if (!this.#retryScheduled) {
      this.#retryScheduled = true;
      this.#schedule(() => {
        this.#retryScheduled = false;
        this.#run();
      }, spaceRetryMs);
    }
  }

  #run(): void {
    if (this.#state === "ended") {
      return;
    }
    let full = false;
    try {
      this.#log.compact(this.#compactIndex);
      this.#carryOut();
      this.#prepare();
    } catch (error) {
      if (!(error instanceof StorageError) || error.code !== "noSpace") {
        this.#fail(error);
        return;
      }
      full = true;
    }
    this.#tellDone();
    this.#noteSpace(full);
  }

  #prepare(): void {
    // Closing ends it in `#carryOut`.
    if (this.#state === "ended") {
      return;
    }
    this.#log.prepare();
    if (this.#log.isRolling) {
      this.#wake();
    } else if (this.#rolls.length > 0) {
      this.#done.push(...this.#rolls);
      this.#rolls = [];
    }
  }

  /** Throws `noSpace` in the middle; what is left is tried again. */
  #carryOut(): void {
    for (;;) {
      this.#takeWrites();
      this.#log.sync();
      this.#done.push(...this.#taken);
      this.#taken = [];
      const barrier = this.#requests[0];
      if (barrier === undefined || !isBarrier(barrier)) {
        return;
      }
      if (barrier.kind === "reset") {
        this.#log.reset(barrier.position);
        this.#done.push(barrier.onDone);
        this.#requests.shift();
      } else {
        this.#end(barrier.onDone);
        return;
      }
    }
  }

  #takeWrites(): void {
    for (;;) {
      const request = this.#requests[0];
      if (request === undefined || isBarrier(request)) {
        return;
      }
      this.#take(request);
      this.#requests.shift();
    }
  }

  #take(request: Exclude<Request, Barrier>): void {
    switch (request.kind) {
      case "write":
        this.#log.append(request.write);
        this.#taken.push(request.onDone);
        return;
      case "useKeys":
        this.#log.useKeys(request.keys);
        return;
      case "roll":
        this.#log.roll();
        this.#rolls.push(request.onDone);
        return;
    }
  }

  #end(onClosed: () => void): void {
    this.#state = "ended";
    this.#requests.length = 0;
    this.#taken = [];
    this.#log.close();
    this.#done.push(onClosed);
  }

  /** Told in a step of its own: a crash may fall between durable and told. */
  #tellDone(): void {
    if (this.#done.length === 0) {
      return;
    }
    this.#schedule(() => {
      const done = this.#done;
      this.#done = [];
      for (const onDone of done) {
        onDone();
      }
    }, 0);
  }

  #noteSpace(full: boolean): void {
    if (full !== this.#full) {
      this.#full = full;
      this.#events.onSpace(full);
    }
    const last = this.#requests.at(-1);
    if (full && this.#state === "closing" && last?.kind === "close") {
      // There is no room for what was submitted last: it was never acknowledged, and nobody waits for it any more.
      this.#end(last.onDone);
      this.#tellDone();
    } else if (full) {
      this.#retryLater();
    }
  }

  #fail(error: unknown): void {
    this.#state = "ended";
    this.#tellDone();
    this.#events.onFailure(error instanceof Error ? error : new Error(String(error)));
  }
}
