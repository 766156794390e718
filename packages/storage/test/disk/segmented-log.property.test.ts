import { isDeepStrictEqual } from "node:util";
import { assert, integer, property } from "fast-check";
import { describe, expect, it } from "vitest";
import { SegmentedLog } from "../../src/disk/segmented-log.ts";
import { FaultFileSystem } from "./fault-file-system.ts";
import type { AtRestKeys } from "../../src/disk/at-rest-keys.ts";
import { entries, hardState, modes, optionsWith, plain } from "./log-fixtures.ts";
import {
  emptyState,
  isVoidBehind,
  lastIndexOf,
  recoveredFrom,
  reset,
  termAt,
  written,
} from "./log-model.ts";
import type { ModelState } from "./log-model.ts";
import { SeededRandom } from "./seeded-random.ts";

/** One life of a log under random work and crashes, checked against the model. */
class Run {
  readonly #random: SeededRandom;
  readonly #disk: FaultFileSystem = new FaultFileSystem();
  #log: SegmentedLog;
  /** States that a crash may leave: the first is durable. */
  #possible: ModelState[] = [emptyState];
  #snapshot = { index: 0, term: 0 };
  #term = 1;
  crashes = 0;
  tornTails = 0;

  readonly #encryption: AtRestKeys | null;

  constructor(seed: number, encryption: AtRestKeys | null) {
    this.#encryption = encryption;
    this.#random = new SeededRandom(seed);
    this.#log = SegmentedLog.open(this.#disk, this.#options()).log;
  }

  #options() {
    return optionsWith({
      after: this.#snapshot,
      encryption: this.#encryption,
      randomBytes: (count) => this.#random.bytes(count),
      randomSalt: () => this.#random.between(0, 2 ** 32 - 1),
    });
  }

  step(): void {
    const dice = this.#random.next();
    if (dice < 0.45) {
      this.#append();
    } else if (dice < 0.75) {
      this.#guarded(() => this.#sync());
    } else if (dice < 0.82) {
      this.#guarded(() => this.#log.prepare());
    } else if (dice < 0.88) {
      this.#guarded(() => this.#compact());
    } else if (dice < 0.89) {
      this.#log.roll();
    } else if (dice < 0.91) {
      this.#guarded(() => this.#reset());
    } else if (dice < 0.95) {
      this.#crash();
    } else {
      // The machine will stop somewhere in the next operations on the disk.
      this.#disk.stepsLeft ??= this.#random.between(0, 6);
    }
  }

  #newest(): ModelState {
    return this.#possible.at(-1)!;
  }

  #append(): void {
    const state = this.#newest();
    const last = lastIndexOf(state);
    const first = this.#random.chance(0.2)
      ? this.#random.between(Math.max(this.#snapshot.index, state.baseIndex) + 1, last + 1)
      : last + 1;
    this.#term += this.#random.chance(0.3) ? 1 : 0;
    const sizeBytes = this.#random.chance(0.05) ? 9000 : this.#random.between(40, 900);
    const count = this.#random.between(0, 3);
    const write = {
      entries:
        first > Math.max(this.#snapshot.index, state.baseIndex)
          ? entries(first, count, this.#term, sizeBytes)
          : [],
      hardState: this.#random.chance(0.3)
        ? hardState(this.#term, this.#random.between(0, 9))
        : null,
    };
    this.#log.append(write);
    this.#possible.push(written(state, write));
  }

  #sync(): void {
    this.#log.sync();
    this.#possible = [this.#newest()];
  }

  #compact(): void {
    const durable = this.#possible[0];
    const index = this.#random.between(this.#snapshot.index, lastIndexOf(durable));
    const term = termAt(durable, index);
    const isCutByWaiting = this.#possible.some((state) => termAt(state, index) !== term);
    if (term !== null && !isCutByWaiting) {
      this.#snapshot = { index, term };
      this.#log.compact(index);
    }
  }

  #reset(): void {
    const position = {
      index: this.#snapshot.index + this.#random.between(1, 30),
      term: this.#term,
    };
    // The snapshot is durable before the log is told: from here on a restart begins with it.
    this.#snapshot = position;
    this.#possible.push(reset(this.#newest(), position));
    this.#log.reset(position);
    this.#possible = [this.#newest()];
  }

  #guarded(action: () => void): void {
    try {
      action();
    } catch (error) {
      if (this.#disk.stepsLeft !== 0) {
        throw error;
      }
      this.#crash();
    }
  }

  /** Power is lost; or the process alone ends, and what it wrote stays in memory until power is lost later. */
  #crash(): void {
    this.crashes += 1;
    if (this.#random.chance(0.6)) {
      this.#disk.crash(this.#random);
    }
    const recovered = this.#reopen();
    const found = [plain(recovered.entries), recovered.hardState];
    const matching = this.#possible.filter((state) => {
      const expected = recoveredFrom(state, this.#snapshot);
      return isDeepStrictEqual([plain(expected.entries), expected.hardState], found);
    });
    const state = matching[0];
    if (state === undefined) {
      throw new Error("recovery found a state that no prefix of the writes leads to");
    }
    this.#possible = [isVoidBehind(state, this.#snapshot) ? reset(state, this.#snapshot) : state];
  }

  /** Crashes in the middle of recovery, too. */
  #reopen() {
    for (;;) {
      this.#disk.stepsLeft = this.#random.chance(0.2) ? this.#random.between(0, 8) : null;
      try {
        const { log, recovered } = SegmentedLog.open(this.#disk, this.#options());
        this.#disk.stepsLeft = null;
        this.#log = log;
        this.tornTails += recovered.tornTailBytes > 0 ? 1 : 0;
        return recovered;
      } catch (error) {
        if (this.#disk.stepsLeft !== 0) {
          throw error;
        }
        if (this.#random.chance(0.6)) {
          this.#disk.crash(this.#random);
        }
      }
    }
  }
}

describe.each(modes)("a $mode segmented log under random work and crashes", ({ encryption }) => {
  it("R14, R22: recovers what was synced, and of what was on its way a prefix in order", () => {
    let crashes = 0;
    let tornTails = 0;
    assert(
      property(integer(), (seed) => {
        const run = new Run(seed, encryption);
        for (let i = 0; i < 150; i += 1) {
          run.step();
        }
        crashes += run.crashes;
        tornTails += run.tornTails;
      }),
      { numRuns: 80 },
    );
    // A test that never crashed in the middle of a write would prove nothing.
    expect(crashes).toBeGreaterThan(100);
    expect(tornTails).toBeGreaterThan(5);
  });
});
