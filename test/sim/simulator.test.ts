import { describe, expect, it } from "vitest";
import { CANARIES } from "./world/canary.ts";
import { simulate } from "./world/world.ts";

/** A few of many: `pnpm sim --seeds N` runs as many as there is time for. */
const SEEDS = 12;
/** A defect put in on purpose must be found within so many seeds. */
const CANARY_SEEDS_MAX = 400;

describe("the simulated cluster", () => {
  it("keeps its promises under faults, for every one of some seeds", () => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      expect({ seed, problems: simulate({ seed }).problems }).toEqual({ seed, problems: [] });
    }
  });

  it("replays a seed to the byte", () => {
    const first = simulate({ seed: 4 });
    expect(simulate({ seed: 4 }).traceHash).toBe(first.traceHash);
    expect(simulate({ seed: 5 }).traceHash).not.toBe(first.traceHash);
  });

  it("really strikes: crashes, cuts, pauses and bad networks happen in some seeds", () => {
    const seen = new Set<string>();
    for (let seed = 1; seed <= SEEDS; seed++) {
      for (const kind of simulate({ seed }).faults.keys()) seen.add(kind);
    }
    for (const kind of [
      "crash",
      "crash of all",
      "partition",
      "one-way cut",
      "pause",
      "loss, delay, reorder, duplicate",
      "clock jump",
    ]) {
      expect([...seen]).toContain(kind);
    }
  });

  it.each(Object.entries(CANARIES))(
    "catches a core that is broken on purpose: %s",
    (_name, canary) => {
      for (let seed = 1; seed <= CANARY_SEEDS_MAX; seed++) {
        if (simulate({ seed, canary }).problems.length > 0) return;
      }
      expect.fail(`${CANARY_SEEDS_MAX} seeds did not catch it`);
    },
  );
});
