import { beforeEach, describe, expect, it } from "vitest";
import { ChangeFollowers } from "../../src/members/change-followers.ts";
import type { ChangePhase, MemberChange } from "../../src/members/member-record.ts";

let followers: ChangeFollowers;
let told: (string | null)[];

beforeEach(() => {
  followers = new ChangeFollowers();
  told = [];
});

function change(id: number, phase: ChangePhase): MemberChange {
  return {
    id,
    kind: "add",
    name: "n4",
    target: null,
    replaces: null,
    asLearner: false,
    newcomer: "n4",
    address: null,
    phase,
    reason: null,
    startedMs: 0,
  };
}

function follow(changeId: number, until: "accepted" | "over", deadlineMs = 1000): () => void {
  const done = (found: MemberChange | null): void =>
    void told.push(found === null ? null : `${found.id} ${found.phase}`);
  return followers.add({ changeId, until, deadlineMs, done });
}

describe("who follows a change", () => {
  it("is told once when it is accepted, or when it is over", () => {
    followers.saw(change(1, "asked"));
    follow(1, "accepted");
    follow(1, "over");
    expect(told).toEqual([]);
    followers.saw(change(1, "waiting"));
    followers.saw(change(1, "catchingUp"));
    expect(told).toEqual(["1 waiting"]);
    followers.saw(change(1, "done"));
    followers.saw(change(1, "done"));
    expect(told).toEqual(["1 waiting", "1 done"]);
  });

  it("is told at once of one that is over already, and of a refusal also when it waits for the end of it", () => {
    followers.saw(change(1, "refused"));
    follow(1, "accepted");
    follow(1, "over");
    expect(told).toEqual(["1 refused", "1 refused"]);
  });

  it("is told at its deadline how far it has come", () => {
    followers.saw(change(1, "waiting"));
    follow(1, "over", 500);
    followers.tick(499);
    expect(told).toEqual([]);
    followers.tick(500);
    followers.tick(501);
    expect(told).toEqual(["1 waiting"]);
  });

  it("is told of one that a snapshot jumped over, as far as it was seen", () => {
    followers.saw(change(1, "catchingUp"));
    follow(1, "over");
    followers.saw(change(3, "asked"));
    expect(told).toEqual(["1 catchingUp"]);
    for (let id = 4; id < 40; id++) followers.saw(change(id, "done"));
    follow(2, "over", 10);
    expect(told).toEqual(["1 catchingUp", null]);
  });

  it("is told what is known when the node stops, unless it gave up before", () => {
    followers.saw(change(1, "waiting"));
    follow(1, "over")();
    follow(1, "over");
    followers.stop();
    expect(told).toEqual(["1 waiting"]);
  });
});
