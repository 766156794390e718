import { describe, expect, it } from "vitest";
import { COMMON_FAULTS } from "./fault-kinds.ts";
import { keptSeeds } from "./kept-seeds.ts";
import { CANARIES } from "./world/canary.ts";
import { simulate } from "./world/world.ts";

/** A few of many: `pnpm sim --seeds N` runs as many as there is time for. */
const SEEDS = 12;
/** A defect put in on purpose must be found within so many seeds. */
const CANARY_SEEDS_MAX = 400;

/** Every common kind of fault must have struck within so many seeds; the rare ones main.ts looks for among more. */
const FAULT_SEEDS_MAX = 100;

describe("the simulated cluster", () => {
  it("keeps its promises under faults, for every one of some seeds", () => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      expect({ seed, problems: simulate({ seed }).problems }).toEqual({ seed, problems: [] });
    }
  });

  it.each([
    { disks: "plain", seed: 4 },
    { disks: "encrypted", seed: 2 },
  ])("replays a seed to the byte, what is on its $disks disks included", ({ disks, seed }) => {
    const first = simulate({ seed });
    expect(first.faults.has("node key rotated")).toBe(disks === "encrypted");
    expect(simulate({ seed }).traceHash).toBe(first.traceHash);
    expect(simulate({ seed: seed + 1 }).traceHash).not.toBe(first.traceHash);
  });

  it("keeps them with the first faults only, too: the beginning of a run is the same", () => {
    const whole = simulate({ seed: 5 });
    const part = simulate({ seed: 5, strikesMax: Math.floor(whole.strikes / 2) });
    expect(part.problems).toEqual([]);
    expect(part.strikes).toBeLessThanOrEqual(whole.strikes);
    expect(simulate({ seed: 5, strikesMax: Infinity }).traceHash).toBe(whole.traceHash);
  });

  it("knows the seeds that once found something", () => {
    expect(keptSeeds().length).toBeGreaterThan(0);
    for (const { history } of keptSeeds()) expect(history).toMatch(/^\d{4}-\d\d-\d\d\s+\S/);
  });

  it("really strikes: every kind of fault happens within some seeds", () => {
    const missing = new Set(COMMON_FAULTS);
    for (let seed = 1; seed <= FAULT_SEEDS_MAX && missing.size > 0; seed++) {
      for (const kind of simulate({ seed }).faults.keys()) missing.delete(kind);
    }
    expect([...missing]).toEqual([]);
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
