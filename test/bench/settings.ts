/** How long and how large a run is. */
export interface BenchSettings {
  readonly rounds: number;
  /** Rounds before those, of both sides, that are not counted: code is compiled while it runs. */
  readonly uncountedRounds: number;
  readonly warmupMs: number;
  readonly durationMs: number;
  /** Keys that SET and GET draw from. */
  readonly keyCount: number;
  /** Keys loaded for the memory row. */
  readonly memoryKeyCount: number;
  /** How long fixed buffers are filled before the memory row takes its first look. */
  readonly memoryWarmupMs: number;
  readonly valueBytes: number;
  /** False if the run is too short to be compared with anything. */
  readonly conclusive: boolean;
}

export const fullSettings: BenchSettings = {
  rounds: 5,
  uncountedRounds: 2,
  warmupMs: 1500,
  durationMs: 4000,
  keyCount: 100_000,
  memoryKeyCount: 1_000_000,
  memoryWarmupMs: 15_000,
  valueBytes: 64,
  conclusive: true,
};

/** Shows that every row runs; its numbers say nothing. */
export const quickSettings: BenchSettings = {
  rounds: 1,
  uncountedRounds: 1,
  warmupMs: 300,
  durationMs: 700,
  keyCount: 5000,
  memoryKeyCount: 20_000,
  memoryWarmupMs: 500,
  valueBytes: 64,
  conclusive: false,
};
