import { beforeEach, describe, expect, it } from "vitest";
import { ASKS_PER_CLOCK_READ, Freshness } from "../../src/replica/freshness.ts";

let nowMs: number;
let isAlone: boolean;
let questions: ((errorText: string | null) => void)[];
let freshness: Freshness;
let endTurn: () => void;
let clockReads: number;

/** As the first command of a turn of the event loop gets it. */
function refusal(): string | null {
  endTurn();
  return freshness.refusal();
}

/** Ticks until `atMs`; the oldest question is answered meanwhile by `answer`. */
function runTo(atMs: number, answer?: string | null): void {
  for (; nowMs < atMs; nowMs += 10) {
    freshness.tick();
    if (answer !== undefined) questions.shift()?.(answer);
  }
}

beforeEach(() => {
  nowMs = 1_000_000;
  isAlone = false;
  questions = [];
  clockReads = 0;
  endTurn = () => undefined;
  freshness = new Freshness(
    {
      monotonicMs: () => {
        clockReads++;
        return nowMs;
      },
      defer: (run) => {
        endTurn = run;
      },
      confirm: (done) => void questions.push(done),
      isAlone: () => isAlone,
    },
    10_000,
  );
});

describe("the freshness of the users", () => {
  it("is unknown until a majority has confirmed it once", () => {
    freshness.tick();
    expect(refusal()).toMatch(/^CLUSTERDOWN .* since it was started/);
    questions[0](null);
    expect(refusal()).toBeNull();
  });

  it("ends the bound after the question was asked, not after it was answered (S09)", () => {
    freshness.tick();
    nowMs += 4000;
    questions[0](null);
    nowMs += 5999;
    expect(refusal()).toBeNull();
    nowMs += 1;
    expect(refusal()).toBe(
      "CLUSTERDOWN this node has had no contact with a majority of the cluster for 10000 ms, so that it can not know who may do what (acl-max-staleness-ms)",
    );
  });

  it("lasts while the questions are answered, and comes back when they are again", () => {
    runTo(1_100_000, null);
    expect(refusal()).toBeNull();
    questions = [];
    runTo(1_120_000, "CLUSTERDOWN no leader");
    expect(refusal()).toMatch(/^CLUSTERDOWN/);
    runTo(1_120_020, null);
    expect(refusal()).toBeNull();
  });

  it("has one question open at a time, and asks no more often than once a second", () => {
    runTo(1_010_000);
    expect(questions).toHaveLength(1);
    let asked = 0;
    for (; nowMs < 1_020_000; nowMs += 10) {
      freshness.tick();
      const question = questions.shift();
      if (question !== undefined) asked++;
      question?.(null);
    }
    // The first answer is to a question of long ago.
    expect(asked).toBe(11);
  });

  it("asks eight times within a short bound, and takes another bound at once", () => {
    freshness.tick();
    questions.shift()!(null);
    freshness.maxStalenessMs = 800;
    nowMs += 799;
    expect(refusal()).toBeNull();
    nowMs += 1;
    expect(refusal()).toMatch(/for 800 ms/);
    expect(freshness.maxStalenessMs).toBe(800);
    freshness.tick();
    questions.shift()!(null);
    nowMs += 99;
    freshness.tick();
    expect(questions).toHaveLength(0);
    nowMs += 1;
    freshness.tick();
    expect(questions).toHaveLength(1);
  });

  it("does not wait for a timer to see that it ended: a process may stand still", () => {
    freshness.tick();
    questions[0](null);
    nowMs += 3_600_000;
    expect(refusal()).toMatch(/^CLUSTERDOWN/);
  });

  it("can be given up, and then comes back only with a question that was asked after that", () => {
    freshness.tick();
    questions.shift()!(null);
    nowMs += 2000;
    freshness.tick();
    freshness.forget();
    questions.shift()!(null);
    expect(refusal()).toMatch(/^CLUSTERDOWN/);
    freshness.tick();
    questions.shift()!(null);
    expect(refusal()).toBeNull();
  });

  it("is looked up on the clock once a turn, and once in so many asks", () => {
    freshness.tick();
    questions.shift()!(null);
    clockReads = 0;
    for (let ask = 0; ask < ASKS_PER_CLOCK_READ; ask++) freshness.refusal();
    expect(clockReads).toBe(1);
    nowMs += 10_000;
    expect(freshness.refusal()).toMatch(/^CLUSTERDOWN/);
    expect(clockReads).toBe(2);
  });

  it("never ends for the only member of a cluster", () => {
    isAlone = true;
    freshness.tick();
    nowMs += 3_600_000;
    expect(refusal()).toBeNull();
  });
});
