/**
 * A log as it should be: a list of entries and a hard state. `possible` are the states that recovery may find after a
 * crash now: the durable one, and those that writes on their way would lead to, in order.
 */
import type { Entry, HardState } from "@ferrite/raft";
import type { LogWrite } from "../../src/disk/ports.ts";

export interface ModelState {
  /** Entries from `baseIndex` + 1 on. */
  readonly baseIndex: number;
  readonly baseTerm: number;
  readonly entries: readonly Entry[];
  readonly hardState: HardState | null;
}

export const emptyState: ModelState = { baseIndex: 0, baseTerm: 0, entries: [], hardState: null };

export function lastIndexOf(state: ModelState): number {
  return state.baseIndex + state.entries.length;
}

/** The term of the entry at `index`, or null when the state does not know it. */
export function termAt(state: ModelState, index: number): number | null {
  if (index === state.baseIndex) {
    return state.baseTerm;
  }
  return state.entries[index - state.baseIndex - 1]?.term ?? null;
}

export function written(state: ModelState, write: LogWrite): ModelState {
  const first = write.entries[0];
  const kept =
    first === undefined ? state.entries : state.entries.slice(0, first.index - state.baseIndex - 1);
  return {
    ...state,
    entries: [...kept, ...write.entries],
    hardState: write.hardState ?? state.hardState,
  };
}

export function reset(
  state: ModelState,
  position: { readonly index: number; readonly term: number },
): ModelState {
  return {
    baseIndex: position.index,
    baseTerm: position.term,
    entries: [],
    hardState: state.hardState,
  };
}

/** Whether a log in that state has nothing to add to a snapshot at `after`. */
export function isVoidBehind(
  state: ModelState,
  after: { readonly index: number; readonly term: number },
): boolean {
  const known = termAt(state, after.index);
  return lastIndexOf(state) < after.index || (known !== null && known !== after.term);
}

/** What opening with a snapshot at `after` has to give. */
export function recoveredFrom(
  state: ModelState,
  after: { readonly index: number; readonly term: number },
): { readonly entries: readonly Entry[]; readonly hardState: HardState | null } {
  return {
    entries: isVoidBehind(state, after)
      ? []
      : state.entries.filter((entry) => entry.index > after.index),
    hardState: state.hardState,
  };
}
