/** What INFO says about commands, errors and rates. */
import type { RunnableCommand } from "../commands/command.ts";
import type { CommandStatistic, ServerCounters, ServerStatistics } from "./edge-context.ts";

/** Error replies by code word. The number of words is bounded: commands choose them, clients do not. */
export class ErrorCounts {
  readonly #counters: ServerCounters;
  readonly #byCode = new Map<string, number>();

  constructor(counters: ServerCounters) {
    this.#counters = counters;
  }

  count(text: string): void {
    this.#counters.errorReplies++;
    const blank = text.indexOf(" ");
    const code = blank < 0 ? text : text.slice(0, blank);
    this.#byCode.set(code, (this.#byCode.get(code) ?? 0) + 1);
  }

  list(): readonly (readonly [string, number])[] {
    return [...this.#byCode].toSorted((one, other) => (one[0] < other[0] ? -1 : 1));
  }

  reset(): void {
    this.#byCode.clear();
  }
}

/** Counts of one command; the hot path adds to the fields directly. */
export class CommandCounts implements CommandStatistic {
  readonly name: string;
  calls = 0;
  timedCalls = 0;
  timedMicroseconds = 0;
  rejectedCalls = 0;
  failedCalls = 0;

  constructor(name: string) {
    this.name = name;
  }

  get microseconds(): number {
    return this.timedCalls === 0 ? 0 : (this.timedMicroseconds / this.timedCalls) * this.calls;
  }

  /** Adds one call that began at `startedMs` of the monotonic clock. */
  addTimed(startedMs: number): void {
    this.timedCalls++;
    this.timedMicroseconds += (performance.now() - startedMs) * 1000;
  }
}

/** A call in this many is timed; a power of two. */
export const TIMED_CALLS_INTERVAL = 64;
const RATE_SAMPLES = 16;

/** What is set back with the statistics. */
interface Resettable {
  reset(): void;
}

export class Statistics implements ServerStatistics {
  readonly errorCounts: ErrorCounts;
  readonly #counters: ServerCounters;
  readonly #byCommand = new Map<RunnableCommand, CommandCounts>();
  readonly #operations = new RateSampler();
  readonly #inputBytes = new RateSampler();
  readonly #outputBytes = new RateSampler();
  readonly #others: readonly Resettable[];

  /** `others` are set back by CONFIG RESETSTAT too. */
  constructor(counters: ServerCounters, others: readonly Resettable[] = []) {
    this.#counters = counters;
    this.#others = others;
    this.errorCounts = new ErrorCounts(counters);
  }

  of(command: RunnableCommand): CommandCounts {
    const counts = this.#byCommand.get(command);
    return counts === undefined ? this.#add(command) : counts;
  }

  /** Takes a sample of the running counters; the server calls it a few times a second. */
  sample(nowMs: number): void {
    this.#operations.sample(this.#counters.commandsProcessed, nowMs);
    this.#inputBytes.sample(this.#counters.netInputBytes, nowMs);
    this.#outputBytes.sample(this.#counters.netOutputBytes, nowMs);
  }

  get instantaneousOperationsPerSecond(): number {
    return Math.round(this.#operations.perSecond());
  }

  get instantaneousInputKilobytesPerSecond(): number {
    return this.#inputBytes.perSecond() / 1024;
  }

  get instantaneousOutputKilobytesPerSecond(): number {
    return this.#outputBytes.perSecond() / 1024;
  }

  commands(): readonly CommandStatistic[] {
    return [...this.#byCommand.values()].filter((one) => one.calls > 0 || one.rejectedCalls > 0);
  }

  errors(): readonly (readonly [string, number])[] {
    return this.errorCounts.list();
  }

  reset(): void {
    this.#byCommand.clear();
    this.errorCounts.reset();
    const counters = this.#counters;
    counters.connectionsReceived = 0;
    counters.commandsProcessed = 0;
    counters.rejectedConnections = 0;
    counters.netInputBytes = 0;
    counters.netOutputBytes = 0;
    counters.keyspaceHits = 0;
    counters.keyspaceMisses = 0;
    counters.expiredKeys = 0;
    counters.errorReplies = 0;
    counters.protocolErrors = 0;
    for (const other of this.#others) other.reset();
    for (const sampler of [this.#operations, this.#inputBytes, this.#outputBytes]) sampler.reset();
  }

  #add(command: RunnableCommand): CommandCounts {
    const counts = new CommandCounts(command.name);
    this.#byCommand.set(command, counts);
    return counts;
  }
}

/** All at 0. */
export function newCounters(): ServerCounters {
  return {
    connectionsReceived: 0,
    commandsProcessed: 0,
    rejectedConnections: 0,
    netInputBytes: 0,
    netOutputBytes: 0,
    keyspaceHits: 0,
    keyspaceMisses: 0,
    expiredKeys: 0,
    errorReplies: 0,
    protocolErrors: 0,
  };
}

/** The mean of the last samples of a running counter, as Redis' instantaneous_* values. */
class RateSampler {
  #rates: number[] = [];
  #lastValue = 0;
  #lastMs = 0;

  sample(value: number, nowMs: number): void {
    const elapsedMs = nowMs - this.#lastMs;
    if (this.#lastMs > 0 && elapsedMs > 0) {
      this.#rates.push((Math.max(0, value - this.#lastValue) * 1000) / elapsedMs);
      if (this.#rates.length > RATE_SAMPLES) this.#rates.shift();
    }
    this.#lastValue = value;
    this.#lastMs = nowMs;
  }

  perSecond(): number {
    if (this.#rates.length === 0) return 0;
    return this.#rates.reduce((sum, rate) => sum + rate, 0) / this.#rates.length;
  }

  reset(): void {
    this.#rates = [];
    this.#lastValue = 0;
  }
}
