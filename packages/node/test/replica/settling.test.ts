import type { PeerProgress, RaftCoreApi } from "@ferrite/raft";
import { beforeEach, describe, expect, it } from "vitest";
import { AppliedReports } from "../../src/replica/applied-reports.ts";
import { SettleWaiters } from "../../src/replica/settle-waiters.ts";
import { Settlements, SETTLEMENTS_MAX } from "../../src/replica/settlements.ts";
import type { PeerPayload } from "../../src/replica/transport.ts";

let nowMs: number;
let role: string;
let appliedIndex: number;
let active: Map<string, boolean>;
let sent: [to: string, payload: PeerPayload][];
let answered: string[];
let confirmations: ((errorText: string | null) => void)[];
let pushes: number;
let settlements: Settlements;

function progressOf(isActive: boolean): PeerProgress {
  return {
    matchIndex: 0,
    nextIndex: 1,
    state: "replicate",
    active: isActive,
    inflightMessages: 0,
    inflightBytes: 0,
    learner: false,
  };
}

const core = {
  role: () => role,
  pushCommit: () => void pushes++,
  status: () => ({
    role,
    progress: new Map([...active].map(([id, isActive]) => [id, progressOf(isActive)] as const)),
  }),
} as unknown as RaftCoreApi;

function asked(): string[] {
  return sent.map(([to, payload]) =>
    payload.kind === "appliedQuery" ? `${to} ${payload.index}` : payload.kind,
  );
}

beforeEach(() => {
  nowMs = 0;
  role = "leader";
  appliedIndex = 100;
  active = new Map([
    ["b", true],
    ["c", true],
  ]);
  sent = [];
  answered = [];
  confirmations = [];
  pushes = 0;
  settlements = new Settlements({
    nodeId: "a",
    core,
    monotonicMs: () => nowMs,
    appliedIndex: () => appliedIndex,
    confirmLeading: (done) => void confirmations.push(done),
    send: (to, payload) => void sent.push([to, payload]),
    answer: (to, requestId) => void answered.push(`${to} ${requestId}`),
  });
});

/** A question arrives, and the round that follows it. */
function add(from: string, query: { readonly requestId: number; readonly index: number }): void {
  settlements.add(from, query);
  settlements.work();
}

/** A member's word arrives, and the round that follows it. */
function applied(from: string, index: number): void {
  settlements.applied(from, index);
  settlements.work();
}

describe("the leader's answer whether a change is settled", () => {
  it("comes when every member has said that it applied it, and asks nobody else to confirm that (S09)", () => {
    add("a", { requestId: 1, index: 7 });
    expect([asked(), pushes]).toEqual([["b 7", "c 7"], 1]);
    applied("b", 7);
    expect(answered).toEqual([]);
    applied("c", 9);
    expect(answered).toEqual(["a 1"]);
    expect(confirmations).toHaveLength(0);
  });

  it("does not ask the node that asks: it has applied the change itself", () => {
    add("b", { requestId: 1, index: 7 });
    expect(asked()).toEqual(["c 7"]);
    applied("c", 7);
    expect(answered).toEqual(["b 1"]);
  });

  it("waits until the leader itself has applied it", () => {
    appliedIndex = 6;
    add("b", { requestId: 1, index: 7 });
    applied("c", 7);
    expect(answered).toEqual([]);
    appliedIndex = 7;
    settlements.work();
    expect(answered).toEqual(["b 1"]);
  });

  it("does not wait for a member it does not hear of, once a majority has confirmed that it leads", () => {
    active.set("c", false);
    add("a", { requestId: 1, index: 7 });
    expect(confirmations).toHaveLength(0);
    applied("b", 7);
    expect([answered, confirmations.length]).toEqual([[], 1]);
    confirmations[0](null);
    expect(answered).toEqual(["a 1"]);
  });

  it("is not given by a leader that nobody confirms, however little it hears", () => {
    active = new Map([
      ["b", false],
      ["c", false],
    ]);
    add("a", { requestId: 1, index: 7 });
    confirmations.shift()!("CLUSTERDOWN nobody");
    expect(answered).toEqual([]);
    settlements.work();
    role = "follower";
    confirmations.shift()!(null);
    expect(answered).toEqual([]);
  });

  it("waits again for a member that is heard of while the majority confirms", () => {
    active.set("c", false);
    add("a", { requestId: 1, index: 7 });
    applied("b", 7);
    active.set("c", true);
    confirmations.shift()!(null);
    expect(answered).toEqual([]);
    applied("c", 7);
    expect(answered).toEqual(["a 1"]);
  });

  it("asks again when the question or its answer may be lost, one question a member at a time", () => {
    add("a", { requestId: 1, index: 7 });
    add("a", { requestId: 2, index: 9 });
    settlements.work();
    expect(asked()).toEqual(["b 7", "c 7"]);
    nowMs += 200;
    settlements.work();
    expect(asked()).toEqual(["b 7", "c 7", "b 7", "c 7"]);
    applied("b", 8);
    expect(asked().slice(4)).toEqual(["b 9"]);
  });

  it("is forgotten with the office, and not begun without it", () => {
    add("a", { requestId: 1, index: 7 });
    settlements.leaderChanged();
    applied("b", 7);
    applied("c", 7);
    role = "follower";
    add("b", { requestId: 2, index: 7 });
    expect(answered).toEqual([]);
  });

  it("keeps a limited number of questions, for a limited time", () => {
    for (let requestId = 0; requestId <= SETTLEMENTS_MAX; requestId++) {
      settlements.add("b", { requestId, index: 7 });
    }
    applied("c", 7);
    expect(answered).toHaveLength(SETTLEMENTS_MAX);
    add("b", { requestId: 1, index: 8 });
    nowMs += 60_000;
    settlements.work();
    applied("c", 8);
    expect(answered).toHaveLength(SETTLEMENTS_MAX);
  });
});

describe("a member that is asked how far it has applied", () => {
  it("says so as soon as it is that far, to each that asks, once", () => {
    const told: string[] = [];
    const reports = new AppliedReports((to, index) => void told.push(`${to} ${index}`));
    reports.asked("a", 7);
    reports.asked("b", 5);
    reports.check(4);
    expect(told).toEqual([]);
    reports.check(6);
    expect(told).toEqual(["b 6"]);
    reports.check(8);
    reports.check(9);
    expect(told).toEqual(["b 6", "a 8"]);
  });
});

describe("who waits for a change to be settled", () => {
  let leader: string | null;
  let questions: string[];
  let ends: string[];
  let waiters: SettleWaiters;

  function add(index: number, deadlineMs = 10_000): void {
    waiters.add({
      index,
      deadlineMs,
      done: () => void ends.push(`done ${index}`),
      stopped: () => void ends.push(`stopped ${index}`),
    });
  }

  beforeEach(() => {
    leader = "b";
    questions = [];
    ends = [];
    waiters = new SettleWaiters(
      {
        monotonicMs: () => nowMs,
        leader: () => leader,
        ask: (to, { requestId, index }) => void questions.push(`${to} ${requestId} ${index}`),
      },
      50,
    );
  });

  it("asks the leader, and again until it answers, another one at once", () => {
    add(7);
    nowMs = 199;
    waiters.tick();
    expect(questions).toEqual(["b 50 7"]);
    nowMs = 200;
    waiters.tick();
    leader = "c";
    waiters.leaderChanged();
    expect(questions).toEqual(["b 50 7", "b 50 7", "c 50 7"]);
    waiters.answered(50);
    waiters.answered(50);
    waiters.answered(99);
    expect(ends).toEqual(["done 7"]);
  });

  it("asks as soon as there is a leader", () => {
    leader = null;
    add(7);
    expect(questions).toEqual([]);
    leader = "c";
    waiters.tick();
    expect(questions).toEqual(["c 50 7"]);
  });

  it("ends at the deadline: whoever has not applied it by then honours no credentials", () => {
    add(7, 300);
    nowMs = 300;
    waiters.tick();
    expect(ends).toEqual(["done 7"]);
  });

  it("is told when the node stops first", () => {
    add(7);
    waiters.stop();
    waiters.tick();
    expect(ends).toEqual(["stopped 7"]);
  });
});
