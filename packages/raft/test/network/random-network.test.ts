import { describe, expect, test } from "vitest";
import { InvariantError } from "../../src/index.ts";
import { breakCommitRule } from "../../src/testing.ts";
import type { Canary } from "../harness/test-node.ts";
import { InvariantBroken } from "./observer.ts";
import type { NetworkSetup, Outcome } from "./network-setup.ts";
import { RandomNetwork } from "./random-network.ts";

/** Runs per kind of network; `RAFT_SEEDS=5000` looks harder. */
const SEEDS = Number(process.env["RAFT_SEEDS"] ?? 150);

/** Faults, then calm: safety is checked at every step, and in the end all members must have the same state. */
function run(setup: NetworkSetup): Outcome {
  const network = new RandomNetwork(setup);
  network.runFaults(setup.steps);
  network.heal();
  let accepted = false;
  for (let attempt = 0; attempt < 40 && !accepted; attempt += 1) {
    network.runCalm(10);
    accepted = network.proposeAtLeader();
  }
  expect(accepted, "a leader takes a proposal after healing").toBe(true);
  network.runCalm(120);
  const leader = network.leader();
  const readsBefore = network.readsConfirmed;
  network.members().forEach((node) => network.readAt(node));
  network.runCalm(4);
  expect(network.readsConfirmed - readsBefore, "every member can read").toBe(
    network.members().length,
  );
  for (const node of network.members()) {
    expect(node.appliedIndex, `${node.id} has applied all`).toBe(leader?.core.lastIndex());
    expect(node.state, `${node.id} has the leader's state`).toBe(leader?.state);
  }
  return {
    commitIndex: leader?.core.commitIndex() ?? 0,
    term: leader?.core.term() ?? 0,
    readsConfirmed: network.readsConfirmed,
    snapshotsInstalled: network.snapshotsInstalled,
    logsDamaged: network.logsDamaged,
    leasesSeen: network.leasesSeen,
  };
}

function runSeeds(setup: Omit<NetworkSetup, "seed">, seeds: number): Outcome {
  const total = {
    commitIndex: 0,
    term: 0,
    readsConfirmed: 0,
    snapshotsInstalled: 0,
    logsDamaged: 0,
    leasesSeen: 0,
  };
  for (let seed = 1; seed <= seeds; seed += 1) {
    try {
      const outcome = run({ ...setup, seed });
      total.commitIndex += outcome.commitIndex;
      total.term += outcome.term;
      total.readsConfirmed += outcome.readsConfirmed;
      total.snapshotsInstalled += outcome.snapshotsInstalled;
      total.logsDamaged += outcome.logsDamaged;
      total.leasesSeen += outcome.leasesSeen;
    } catch (error) {
      throw new Error(`seed ${seed} of ${JSON.stringify(setup)}`, { cause: error });
    }
  }
  return total;
}

/** Runs seeds until one fails. A defect counts as found only by an invariant, of the test or of the core itself. */
function whatStops(setup: Omit<NetworkSetup, "seed">, seeds: number): string {
  try {
    runSeeds(setup, seeds);
  } catch (error) {
    const cause: unknown = error instanceof Error ? error.cause : error;
    return cause instanceof InvariantBroken || cause instanceof InvariantError
      ? "an invariant"
      : String(cause);
  }
  return "nothing";
}

describe("a random bad network", () => {
  test.each([
    { nodes: 3, steps: 3000 },
    { nodes: 5, steps: 5000 },
  ])("keeps the five invariants of figure 3 and converges with $nodes nodes", (setup) => {
    const total = runSeeds(setup, SEEDS);
    // The walk must have been somewhere: elections, commits, reads and snapshots in every run on average.
    expect(total.term).toBeGreaterThan(SEEDS);
    expect(total.commitIndex).toBeGreaterThan(10 * SEEDS);
    expect(total.readsConfirmed).toBeGreaterThan(SEEDS);
    expect(total.snapshotsInstalled).toBeGreaterThan(0);
  });

  test("keeps them while members come and go by joint consensus", () => {
    const total = runSeeds({ nodes: 5, steps: 5000, membershipChanges: true }, SEEDS);
    expect(total.commitIndex).toBeGreaterThan(10 * SEEDS);
  });

  test.each([
    { nodes: 3, steps: 3000 },
    { nodes: 5, steps: 5000 },
  ])(
    "keeps them while ends of logs become unreadable on a minority of $nodes (R42, R58)",
    (setup) => {
      const total = runSeeds({ ...setup, damage: true }, SEEDS);
      expect(total.logsDamaged).toBeGreaterThan(2 * SEEDS);
      expect(total.commitIndex).toBeGreaterThan(10 * SEEDS);
    },
  );

  test.each([
    { nodes: 3, steps: 3000 },
    { nodes: 5, steps: 5000, membershipChanges: true },
    { nodes: 5, steps: 5000, storm: true },
  ])("has a lease only where all is known that is committed: %o", (setup) => {
    const total = runSeeds({ ...setup, leases: true }, SEEDS);
    expect(total.leasesSeen).toBeGreaterThan(10 * SEEDS);
  });

  test("catches a driver that forgets where a damaged log ended (R58)", () => {
    const setup = { nodes: 3, steps: 3000, damage: true, storm: true } as const;
    expect(whatStops({ ...setup, canary: "forgetFloorAtRestart" }, 500)).toBe("an invariant");
  });

  test.each<Canary>(["forgetVoteAtRestart", "acknowledgeBeforePersist", "loseLogTailAtRestart"])(
    "catches a driver that does this: %s",
    (canary) => {
      expect(whatStops({ nodes: 3, steps: 3000, canary, storm: true }, 1500)).toBe("an invariant");
    },
  );

  test("catches a core that commits entries of earlier terms by counting (figure 8)", () => {
    const mend = breakCommitRule();
    try {
      expect(whatStops({ nodes: 3, steps: 3000, storm: true }, 500)).toBe("an invariant");
    } finally {
      mend();
    }
  });

  test("replays a seed exactly", () => {
    const setup = { nodes: 5, steps: 1500, seed: 77, membershipChanges: true };
    expect(run(setup)).toEqual(run(setup));
  });
});
