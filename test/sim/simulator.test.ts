import { describe, expect, it } from "vitest";
import { CANARIES } from "./world/canary.ts";
import { simulate } from "./world/world.ts";

/** A few of many: `pnpm sim --seeds N` runs as many as there is time for. */
const SEEDS = 12;
/** A defect put in on purpose must be found within so many seeds. */
const CANARY_SEEDS_MAX = 400;

/** Every kind of fault must have struck within so many seeds. */
const FAULT_SEEDS_MAX = 300;
const FAULT_KINDS: readonly string[] = [
  "loss",
  "delay",
  "reordering",
  "duplicates",
  "one-way cut",
  "tangle of one-way cuts",
  "bridge",
  "partition",
  "partition into two sides",
  "connection reset",
  "minority stays broken",
  "crash",
  "crash of all",
  "crash of the process",
  "crash loop",
  "crash after voteResponse",
  "crash after appendResponse",
  "crash after election",
  "orderly stop",
  "leadership handed over",
  "pause",
  "clock jump",
  "clock drift",
  "full disk",
  "slow disk",
  "hung disk",
  "failed sync",
  "failed log write",
  "failed snapshot write",
  "trouble while a snapshot is installed",
  "encryption switched on",
  "node key rotated",
  "all files under the newest key",
  "trouble while keys at rest change",
  "failed sync while a key is wrapped anew",
  "client resets its connection",
  "client closes its side and still listens",
  "client dies in the middle of a request",
  "wiped disk",
  "lost syncs",
  "power cut of a disk that lied",
  "bit flip in log",
  "bit flip in snapshot",
  "bit flip in hard state",
  "misdirected write in log",
  "damage repaired, with a floor",
  "membership: add done",
  "membership: remove done",
  "membership: replace done",
  "membership: demote done",
  "removed node ends",
  "mixed versions: a node is upgraded",
];

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

  it("really strikes: every kind of fault happens within some seeds", () => {
    const missing = new Set(FAULT_KINDS);
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
