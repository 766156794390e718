/** A known defect as it is put back into the source, and where the simulator is to look for it. */

/** One place of one source file. `find` occurs in it exactly once, or the table is out of date and says so. */
export interface Patch {
  /** From the root of the repository. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

/** Seeds 1 to `seedsMax` of one kind of run. */
export interface Hunt {
  /** "faults": the simulator's own runs, decided by their seed alone; else the name of a directed scenario. */
  readonly in: string;
  readonly seedsMax: number;
}

export interface Mutation {
  /** Of the table; begins with the reference's number when there is one. */
  readonly id: string;
  /** Numbers of the reference (R01 to R58) that this is, in our words and our code. */
  readonly bugs: readonly string[];
  /** What is broken, in a few words. */
  readonly title: string;
  /** Where it was found in the wild, or the rule of the paper that it breaks. */
  readonly source: string;
  readonly patches: readonly Patch[];
  /** Tried in this order. */
  readonly hunts: readonly Hunt[];
}

/** Runs of the simulator as everybody runs it. */
export function inFaults(seedsMax: number): Hunt {
  return { in: "faults", seedsMax };
}

/** Runs of a directed scenario: the schedule is written down, the seed decides about times and bytes. */
export function inScenario(name: string, seedsMax = 20): Hunt {
  return { in: name, seedsMax };
}
