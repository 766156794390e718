/** Options for cores under test: small windows, so that limits are met early. */
import type {
  Configuration,
  Entry,
  HardState,
  LogPosition,
  RaftOptions,
  SnapshotMeta,
} from "../../src/index.ts";
import { EntryKind } from "../../src/index.ts";

export const ELECTION_TICKS = 10;
export const HEARTBEAT_TICKS = 2;

export function simpleConfiguration(
  voters: readonly string[],
  learners: readonly string[] = [],
): Configuration {
  return { voters, votersOutgoing: [], learners, learnersNext: [] };
}

export interface CoreSetup {
  readonly id: string;
  readonly voters?: readonly string[];
  readonly learners?: readonly string[];
  readonly seed?: number;
  readonly hardState?: HardState;
  readonly snapshot?: SnapshotMeta;
  readonly entries?: readonly Entry[];
  readonly floor?: LogPosition;
  readonly leases?: boolean;
  readonly limits?: Partial<RaftOptions>;
}

export function optionsOf(setup: CoreSetup): RaftOptions {
  const entries = setup.entries ?? [];
  const configuration = simpleConfiguration(setup.voters ?? ["a", "b", "c"], setup.learners);
  return {
    id: setup.id,
    seed: setup.seed ?? 1,
    electionTimeoutTicks: ELECTION_TICKS,
    heartbeatIntervalTicks: HEARTBEAT_TICKS,
    inflightMessagesMax: 4,
    inflightBytesMax: 4096,
    appendBytesMax: 64,
    uncommittedBytesMax: 4096,
    snapshotChunkBytes: 16,
    leases: setup.leases ?? false,
    ...setup.limits,
    restored: {
      hardState: setup.hardState ?? { term: entries.at(-1)?.term ?? 0, vote: null, commit: 0 },
      snapshot: setup.snapshot ?? { index: 0, term: 0, configuration, sizeBytes: 0 },
      entries,
      floor: setup.floor ?? null,
    },
  };
}

/** Entries with these terms from index 1 (or `first`) on; each carries its own position as data. */
export function entriesOf(terms: readonly number[], first = 1): readonly Entry[] {
  return terms.map((term, position) => entryOf(first + position, term));
}

export function entryOf(index: number, term: number, text = `${index}.${term}`): Entry {
  return { index, term, kind: EntryKind.Normal, data: bytesOf(text) };
}

export function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

export function textOf(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}
