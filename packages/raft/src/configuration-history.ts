/**
 * Which configuration was in force where in the log. A configuration counts from the moment it is appended, committed
 * or not (paper, section 6), so that cutting the log must bring the one before back.
 */
import { emptyConfiguration } from "./configuration.ts";
import { invariant } from "./errors.ts";
import type { Configuration, Index } from "./types.ts";

interface Step {
  readonly index: Index;
  readonly configuration: Configuration;
}

export class ConfigurationHistory {
  /** Oldest first; the first is that of the snapshot, the last one is in force. Never empty. */
  #steps: Step[];

  constructor(index: Index, configuration: Configuration) {
    this.#steps = [{ index, configuration }];
  }

  /** The configuration in force. */
  current(): Configuration {
    return this.#steps.at(-1)?.configuration ?? emptyConfiguration;
  }

  /** Where the configuration in force was appended. */
  currentIndex(): Index {
    return this.#steps.at(-1)?.index ?? 0;
  }

  /** The configuration in force at `index`: what a snapshot of that position must name. */
  at(index: Index): Configuration {
    const step = this.#steps.findLast((candidate) => candidate.index <= index);
    invariant(step !== undefined, "logIndexOutOfRange", "no configuration is known that far back");
    return step.configuration;
  }

  record(index: Index, configuration: Configuration): void {
    invariant(index > this.currentIndex(), "logGap", "a configuration behind the one in force");
    this.#steps.push({ index, configuration });
  }

  /** The log is cut from `index` on: the configuration before comes back. */
  cutFrom(index: Index): void {
    while (this.#steps.length > 1 && this.currentIndex() >= index) {
      this.#steps.pop();
    }
  }

  /** Positions before `index` will not be asked for any more. */
  compactTo(index: Index): void {
    let keepFrom = 0;
    while ((this.#steps[keepFrom + 1]?.index ?? Infinity) <= index) {
      keepFrom += 1;
    }
    this.#steps = this.#steps.slice(keepFrom);
  }

  /** A snapshot took the place of the log. */
  reset(index: Index, configuration: Configuration): void {
    this.#steps = [{ index, configuration }];
  }
}
