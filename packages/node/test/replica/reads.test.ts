import { describe, expect, it } from "vitest";
import { CopiesWaiters } from "../../src/replica/copies.ts";
import { LinearizableReads } from "../../src/replica/reads.ts";

function harness(): {
  reads: LinearizableReads;
  asked: number[];
  answers: (string | null)[];
  ask: (nowMs?: number) => void;
  pump: (nowMs?: number) => void;
} {
  const reads = new LinearizableReads({ timeoutMs: 1000, askAgainAfterMs: 100, firstRequestId: 1 });
  const asked: number[] = [];
  const answers: (string | null)[] = [];
  return {
    reads,
    asked,
    answers,
    ask: (nowMs = 0) => reads.add((error) => answers.push(error), nowMs),
    pump: (nowMs = 0) => reads.pump((requestId) => asked.push(requestId), nowMs),
  };
}

describe("linearizable reads", () => {
  it("share one read index for all that came since the last round", () => {
    const { ask, pump, asked, reads, answers } = harness();
    ask();
    ask();
    pump();
    pump();
    expect(asked).toEqual([1]);
    reads.confirmed({ requestId: 1, index: 5 });
    reads.serve(5);
    expect(answers).toEqual([null, null]);
  });

  it("take no confirmation that an earlier process of this node asked for", () => {
    const answers: (string | null)[] = [];
    const reads = new LinearizableReads({
      timeoutMs: 1000,
      askAgainAfterMs: 100,
      firstRequestId: 700,
    });
    reads.add((error) => answers.push(error), 0);
    reads.pump((requestId) => expect(requestId).toBe(700), 0);
    reads.confirmed({ requestId: 1, index: 5 });
    reads.serve(5);
    expect(answers).toEqual([]);
  });

  it("R21: are served only when the state machine has reached their index", () => {
    const { ask, pump, reads, answers } = harness();
    ask();
    pump();
    reads.confirmed({ requestId: 1, index: 5 });
    reads.serve(4);
    expect(answers).toEqual([]);
    reads.serve(5);
    expect(answers).toEqual([null]);
  });

  it("R29: are not served by a confirmation that is not theirs", () => {
    const { ask, pump, reads, answers } = harness();
    ask();
    pump();
    reads.confirmed({ requestId: 99, index: 1 });
    reads.serve(1000);
    expect(answers).toEqual([]);
  });

  it("R54: ask again when the leader is lost, without an error for the client", () => {
    const { ask, pump, reads, answers, asked } = harness();
    ask();
    pump();
    reads.failed(1);
    pump();
    expect(asked).toEqual([1, 2]);
    reads.confirmed({ requestId: 2, index: 1 });
    reads.serve(1);
    expect(answers).toEqual([null]);
  });

  it("ask again when the answer does not come", () => {
    const { ask, pump, reads, asked } = harness();
    ask();
    pump();
    reads.tick(100);
    pump(100);
    expect(asked).toEqual([1, 2]);
  });

  it("end with a clear error when no leader confirms them in time, counted from when they came", () => {
    const { ask, pump, reads, answers } = harness();
    ask(0);
    pump(0);
    reads.tick(500);
    pump(500);
    reads.tick(1000);
    expect(answers).toEqual([expect.stringMatching(/^CLUSTERDOWN .*1000 ms/)]);
  });
});

describe("waiting for copies (WAIT)", () => {
  it("answers at once when there are enough", () => {
    const waiters = new CopiesWaiters();
    const counts: number[] = [];
    waiters.add({ index: 7, wanted: 1, deadlineMs: Infinity, done: (count) => counts.push(count) });
    waiters.check(() => 2, 0);
    expect(counts).toEqual([2]);
    expect(waiters.isEmpty).toBe(true);
  });

  it("answers with what there is when the time is up, and not before", () => {
    const waiters = new CopiesWaiters();
    const counts: number[] = [];
    waiters.add({ index: 7, wanted: 2, deadlineMs: 100, done: (count) => counts.push(count) });
    waiters.check(() => 1, 99);
    expect(counts).toEqual([]);
    waiters.check(() => 1, 100);
    expect(counts).toEqual([1]);
  });

  it("does not answer who gave up", () => {
    const waiters = new CopiesWaiters();
    const giveUp = waiters.add({
      index: 7,
      wanted: 2,
      deadlineMs: 100,
      done: () => expect.fail("gave up"),
    });
    giveUp();
    waiters.check(() => 5, 1000);
  });
});
