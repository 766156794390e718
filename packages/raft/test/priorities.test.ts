/** Who leads rather: a wish that decides who campaigns first and who is handed leadership, and never who may lead. */
import { describe, expect, test } from "vitest";
import { enterJoint, encodeConfiguration, EntryKind } from "../src/index.ts";
import { Bench, heartbeat, heartbeatAnswer } from "./harness/bench.ts";
import { ELECTION_TICKS, HEARTBEAT_TICKS, simpleConfiguration } from "./harness/options.ts";

function prioritiesOf(given: Readonly<Record<string, number>>): ReadonlyMap<string, number> {
  return new Map(Object.entries(given));
}

/** Ticks until it campaigns, with nobody to hear. */
function ticksToCampaign(node: Bench): number {
  for (let tick = 1; tick < 20 * ELECTION_TICKS; tick += 1) {
    node.tick();
    if (node.core.role() === "preCandidate") {
      return tick;
    }
  }
  throw new Error("never");
}

function patience(priorities: Readonly<Record<string, number>>): number {
  const usual = ticksToCampaign(new Bench({ id: "a" }));
  const node = new Bench({ id: "a" });
  node.core.setPriorities(prioritiesOf(priorities));
  return ticksToCampaign(node) - usual;
}

describe("who campaigns first", () => {
  test.each([
    { priorities: {}, waits: 0 },
    { priorities: { a: 50 }, waits: 0 },
    { priorities: { a: 60, b: 50, c: 50 }, waits: 0 },
    { priorities: { a: 40 }, waits: 6 },
    { priorities: { a: 40, b: 30 }, waits: 3 },
    { priorities: { a: 0 }, waits: 6 + 2 * ELECTION_TICKS },
    { priorities: { a: 0, b: 0, c: 0 }, waits: 0 },
    { priorities: { a: 40, b: 40, c: 40, stranger: 90 }, waits: 0 },
  ])("with $priorities it waits $waits ticks longer", ({ priorities, waits }) => {
    expect(patience(priorities)).toBe(waits);
  });

  test("after the leader's link broke the waits are short, so that failover stays quick", () => {
    const hurried = (priority: number): number => {
      const node = new Bench({ id: "a", limits: { electionTimeoutTicks: 50 } });
      node.step(heartbeat({ from: "b", to: "a", term: 1 }));
      node.core.setPriorities(prioritiesOf({ a: priority }));
      node.core.peerUnreachable("b");
      return ticksToCampaign(node);
    };
    expect(hurried(50)).toBeLessThanOrEqual(4);
    expect(hurried(40)).toBe(hurried(50) + 2 * 4);
    expect(hurried(0)).toBe(hurried(40) + 25);
  });

  test("it votes for a lower one all the same: a wish must not cost a leader", () => {
    const node = new Bench({ id: "a" });
    node.core.setPriorities(prioritiesOf({ a: 90, b: 0, c: 0 }));
    node.step({
      kind: "voteRequest",
      from: "b",
      to: "a",
      term: 1,
      lastIndex: 0,
      lastTerm: 0,
      transfer: false,
    });
    expect(node.take("voteResponse")).toMatchObject([{ granted: true }]);
  });
});

describe("a leader of lower priority", () => {
  const WAIT = 10 * ELECTION_TICKS;

  function leader(priorities: Readonly<Record<string, number>>): Bench {
    const bench = new Bench({ id: "a" });
    bench.core.setPriorities(prioritiesOf(priorities));
    return bench.makeLeader().acknowledge("b").acknowledge("c").forget();
  }

  /** Time passes with everybody there. */
  function run(bench: Bench, ticks: number): void {
    for (let tick = 0; tick < ticks; tick += 1) {
      bench.tick();
      for (const from of ["b", "c"]) {
        bench.step(heartbeatAnswer({ from, to: "a", term: 1 }));
      }
    }
  }

  test("hands over to a caught-up voter of a higher one, after a while", () => {
    const bench = leader({ c: 80, b: 70 });
    run(bench, WAIT - 1);
    expect(bench.take("timeoutNow")).toEqual([]);
    run(bench, 1);
    expect(bench.take("timeoutNow")[0]).toMatchObject({ to: "c" });
  });

  test.each([{}, { a: 50, b: 50 }, { a: 60, b: 55 }, { x: 99 }])(
    "stays when nobody's is higher: %o",
    (priorities) => {
      const bench = leader(priorities);
      run(bench, 5 * WAIT);
      expect(bench.take("timeoutNow")).toEqual([]);
    },
  );

  test("does not when the other lacks what is committed, or is not heard of", () => {
    const bench = leader({ c: 80 });
    bench.propose().acknowledge("b");
    for (let tick = 0; tick < 2 * WAIT; tick += 1) {
      run(bench, 1);
      // Not even begun: that would hold writes for nothing.
      expect(bench.core.status().transferTarget).toBeNull();
    }
    const deaf = leader({ c: 80 });
    for (let tick = 0; tick < 2 * WAIT; tick += 1) {
      deaf.tick().step(heartbeatAnswer({ from: "b", to: "a", term: 1 }));
    }
    expect(deaf.take("timeoutNow")).toEqual([]);
    expect(deaf.core.role()).toBe("leader");
  });

  test("does not in the middle of a change of the configuration", () => {
    const bench = leader({ c: 80 });
    const target = simpleConfiguration(["a", "b", "c", "d", "e"]);
    const joint = enterJoint(bench.core.status().configuration, target);
    bench.core.propose(encodeConfiguration(joint), EntryKind.Configuration);
    bench.drain();
    run(bench, 2 * WAIT);
    expect(bench.take("timeoutNow")).toEqual([]);
  });

  test("tries again when it fails, more rarely each time, and takes proposals in between", () => {
    const bench = leader({ c: 80 });
    const attempts: number[] = [];
    let underWay = false;
    for (let tick = 0; tick < 20 * WAIT; tick += 1) {
      run(bench, 1);
      const now = bench.core.status().transferTarget !== null;
      if (now && !underWay) {
        attempts.push(tick);
      }
      underWay = now;
    }
    const waits = attempts.slice(1).map((at, place) => at - (attempts[place] ?? 0));
    expect(waits.slice(0, 3)).toEqual([2 * WAIT, 4 * WAIT, 8 * WAIT]);
    expect(bench.core.status().transferTarget).toBeNull();
    bench.propose();
  });

  test("priorities that change are acted on without a new election", () => {
    const bench = leader({});
    run(bench, WAIT / 2);
    bench.core.setPriorities(prioritiesOf({ b: 51 }));
    run(bench, WAIT);
    expect(bench.take("timeoutNow")[0]).toMatchObject({ to: "b" });
  });
});

describe("handing over without a target", () => {
  test("of equally caught-up voters the one of the highest priority takes over, never one of 0", () => {
    const bench = new Bench({ id: "a", voters: ["a", "b", "c", "d"] }).makeLeader();
    bench.core.setPriorities(prioritiesOf({ b: 0, c: 60, d: 70 }));
    bench.acknowledge("b").acknowledge("c").acknowledge("d");
    bench.core.transferLeadership();
    expect(bench.core.status().transferTarget).toBe("d");
  });

  test("one of 0 does not even when its log is longer, as long as another has all that is committed", () => {
    const bench = new Bench({ id: "a", voters: ["a", "b", "c", "d", "e"] }).makeLeader();
    bench.core.setPriorities(prioritiesOf({ b: 0 }));
    bench.acknowledge("b").acknowledge("c").propose().acknowledge("b", 2);
    expect(bench.core.commitIndex()).toBe(1);
    bench.core.transferLeadership();
    expect(bench.core.status().transferTarget).toBe("c");
  });

  test("a longer log goes before a higher priority", () => {
    const bench = new Bench({ id: "a" }).makeLeader();
    bench.core.setPriorities(prioritiesOf({ b: 60, c: 70 }));
    bench.acknowledge("b").acknowledge("c").propose().acknowledge("b", 2);
    bench.core.transferLeadership();
    expect(bench.core.status().transferTarget).toBe("b");
  });

  test("one of priority 0 takes over when no other has all that is committed", () => {
    const bench = new Bench({ id: "a" }).makeLeader();
    bench.core.setPriorities(prioritiesOf({ b: 0 }));
    bench.acknowledge("b").acknowledge("c").propose().acknowledge("b", 2);
    bench.core.transferLeadership();
    expect(bench.core.status().transferTarget).toBe("b");
  });

  test("can be called off: proposals are taken again at once", () => {
    const bench = new Bench({ id: "a" }).makeLeader().acknowledge("b").propose();
    bench.core.transferLeadership("b");
    expect(bench.core.cancelTransfer()).toBe(true);
    bench.propose();
    expect(bench.core.cancelTransfer()).toBe(false);
    bench.tick(HEARTBEAT_TICKS);
    expect(bench.take("timeoutNow")).toEqual([]);
  });
});
