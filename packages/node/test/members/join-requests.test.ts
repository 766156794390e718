import { beforeEach, describe, expect, it } from "vitest";
import {
  JOIN_REQUESTS_MAX,
  JoinRequests,
  RETRY_MAX_MS,
  RETRY_MS,
  STAGGER_MS,
} from "../../src/members/join-requests.ts";
import { JOINER_KEPT_MS } from "../../src/members/limits.ts";
import type { JoinRequest } from "../../src/members/membership-ports.ts";
import { MembersTable } from "../../src/members/members-table.ts";

function uuid(number: number): string {
  return `00000000-0000-4000-8000-${String(number).padStart(12, "0")}`;
}

function request(number: number): JoinRequest {
  return {
    id: uuid(number),
    name: `n${number}`,
    peerAddress: "h:1",
    clientAddress: "h:2",
    tlsAddress: null,
    featureLevel: 1,
    version: "1.0.0",
  };
}

let nowMs: number;
let leads: boolean;
let anybody: boolean;
let there: Set<string>;
let submitted: { readonly id: string; readonly atMs: number }[];
let table: MembersTable;
let requests: JoinRequests;

beforeEach(() => {
  nowMs = 0;
  leads = true;
  anybody = true;
  there = new Set([uuid(9)]);
  submitted = [];
  const founder = { id: uuid(1), name: "n1", peerAddress: "h:1", clientAddress: "h:2" };
  table = new MembersTable([founder]);
  table.raise(1, "1.0.0");
  requests = new JoinRequests({
    monotonicMs: () => nowMs,
    table: () => table,
    leads: () => leads,
    joinsAnybody: () => anybody,
    isThere: (id) => there.has(id),
    submit: ({ id }) => submitted.push({ id, atMs: nowMs }),
  });
});

/** Lets time pass in steps. */
function pass(forMs: number): void {
  const endMs = nowMs + forMs;
  while (nowMs < endMs) {
    nowMs = Math.min(endMs, nowMs + 100);
    requests.tick();
  }
}

function times(): number[] {
  return submitted.map(({ atMs }) => atMs);
}

describe("a node that knocks", () => {
  it("is written to the log at once by the leader, and a little later by others", () => {
    requests.heard(request(9));
    expect(times()).toEqual([0]);
    leads = false;
    requests.heard(request(8));
    pass(STAGGER_MS);
    expect(submitted).toEqual([
      { id: uuid(9), atMs: 0 },
      { id: uuid(8), atMs: STAGGER_MS },
    ]);
  });

  it("that is turned away is written again, less and less often, however often it says hello", () => {
    requests.heard(request(9));
    for (let hello = 0; hello < 50; hello++) requests.heard(request(9));
    pass(400_000);
    const gaps = times().map((time, at, all) => time - (all[at - 1] ?? 0));
    expect(gaps.slice(0, 5)).toEqual([0, RETRY_MS, 2 * RETRY_MS, 4 * RETRY_MS, 8 * RETRY_MS]);
    expect(Math.max(...gaps)).toBe(RETRY_MAX_MS);
  });

  it("that waits in the table is kept from being forgotten there", () => {
    requests.heard(request(9));
    const record = { ...request(9), priority: 50 };
    table.join(uuid(1), { write: "join", record, anybody: true }, 0);
    pass(RETRY_MS);
    submitted = [];
    pass(10 * JOINER_KEPT_MS);
    const gaps = times().map((time, at, all) => time - (all[at - 1] ?? time));
    expect(Math.max(...gaps)).toBeLessThan(JOINER_KEPT_MS);
    expect(times().length).toBeGreaterThan(10);
  });

  it("that is not invited is not written, and is as soon as it is", () => {
    anybody = false;
    requests.heard(request(9));
    pass(100_000);
    expect(times()).toEqual([]);
    const add = { write: "change", kind: "add", name: "n9" } as const;
    table.ask(
      { ...add, newcomer: null, address: null, asLearner: false },
      { voters: [uuid(1)], votersOutgoing: [], learners: [], learnersNext: [] },
      0,
    );
    pass(100);
    expect(times()).toEqual([100_100]);
  });

  it("is forgotten when it is gone for long, and at once when it is a member", () => {
    requests.heard(request(9));
    there.clear();
    pass(JOINER_KEPT_MS);
    submitted = [];
    there.add(uuid(9));
    pass(10 * RETRY_MAX_MS);
    expect(times()).toEqual([]);
    requests.heard({ ...request(1) });
    expect(times()).toEqual([]);
  });

  it("is one of so many that are remembered (JOIN_REQUESTS_MAX): the most silent gives way", () => {
    for (let number = 100; number <= 100 + JOIN_REQUESTS_MAX; number++) {
      there.add(uuid(number));
      requests.heard(request(number));
    }
    submitted = [];
    pass(RETRY_MS);
    const ids = submitted.map(({ id }) => id);
    expect([ids.includes(uuid(100)), ids.length]).toEqual([false, JOIN_REQUESTS_MAX]);
  });
});
