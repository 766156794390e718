import { beforeEach, describe, expect, it } from "vitest";
import type { Configuration, PeerProgress, RaftStatus } from "@ferrite/raft";
import type { DriverStep } from "../../src/members/driver-view.ts";
import {
  ABSENT_JOINER_MS,
  MEMBERS_MAX,
  PROMOTE_LAG_ENTRIES_MAX,
  TRANSFER_ATTEMPTS_MAX,
  WAIT_FOR_JOINER_MS,
} from "../../src/members/limits.ts";
import { MemberDriver } from "../../src/members/member-driver.ts";
import type { AskedChange, LeaderMemberWrite } from "../../src/members/member-writes.ts";
import { MembersTable } from "../../src/members/members-table.ts";

const START_MS = 1_000_000;

function uuid(number: number): string {
  return `00000000-0000-4000-8000-${String(number).padStart(12, "0")}`;
}

/** A leader (member 1) with as many others as there are, all in contact. What it writes is applied at once. */
class FakeLeader {
  readonly driver = new MemberDriver();
  readonly members: MembersTable;
  configuration: Configuration;
  nowMs = 0;
  lastIndex = 1000;
  match = new Map<number, number>();
  silent = new Set<number>();
  unlinked = new Set<number>();
  levels = new Map<number, number | null>();
  supportedLevel = 1;
  transferTarget: string | null = null;

  constructor(size: number, level = 1) {
    const numbers = Array.from({ length: size }, (_, at) => at + 1);
    this.members = new MembersTable(
      numbers.map((number) => ({
        id: uuid(number),
        name: `n${number}`,
        peerAddress: "h:1",
        clientAddress: "h:2",
      })),
    );
    if (level > 0) this.members.raise(level, "1.0.0");
    this.configuration = {
      voters: numbers.map(uuid),
      votersOutgoing: [],
      learners: [],
      learnersNext: [],
    };
  }

  step(): DriverStep | null {
    return this.driver.next({
      members: this.members,
      status: this.#status(),
      monotonicMs: this.nowMs,
      timeMs: START_MS + this.nowMs,
      electionTimeoutMs: 500,
      supportedLevel: this.supportedLevel,
      connected: (id) => !this.unlinked.has(number(id)),
      levelOf: (id) => this.levels.get(number(id)) ?? (this.levels.has(number(id)) ? null : 1),
    });
  }

  /** Takes the step, as if it were committed and applied at once. */
  go(): DriverStep | null {
    const step = this.step();
    if (step?.step === "write") this.write(step.write);
    if (step?.step === "configure") {
      const before = this.configuration;
      const { votersOutgoing, learnersNext, learners, voters } = step.configuration;
      const isJoint = votersOutgoing.length > 0;
      this.configuration = isJoint
        ? { voters, votersOutgoing: [], learners: [...learners, ...learnersNext], learnersNext: [] }
        : step.configuration;
      this.members.configured(before, this.configuration);
    }
    return step;
  }

  write(write: LeaderMemberWrite): void {
    this.members.lead(write, this.configuration, START_MS + this.nowMs);
  }

  ask(asked: Partial<AskedChange> & Pick<AskedChange, "kind" | "name">): void {
    const change = { newcomer: null, address: null, asLearner: false, ...asked };
    const outcome = this.members.ask({ write: "change", ...change }, this.configuration, START_MS);
    if (!outcome.ok) throw new Error(outcome.errorText);
  }

  joins(id: number, name: string): void {
    const record = {
      id: uuid(id),
      name,
      peerAddress: `${name}:1`,
      clientAddress: `${name}:2`,
      tlsAddress: null,
      priority: 50,
      featureLevel: 1,
      version: "1.0.0",
    };
    const error = this.members.join(uuid(1), { write: "join", record, anybody: true }, START_MS);
    if (error !== null) throw new Error(error);
  }

  #status(): RaftStatus {
    const { voters, learners } = this.configuration;
    const others = [...voters, ...learners].filter((id) => id !== uuid(1));
    const progress = new Map(
      others.map((id): [string, PeerProgress] => [
        id,
        {
          matchIndex: this.match.get(number(id)) ?? this.lastIndex,
          nextIndex: this.lastIndex + 1,
          state: "replicate",
          active: !this.silent.has(number(id)),
          inflightMessages: 0,
          inflightBytes: 0,
          learner: learners.includes(id),
        },
      ]),
    );
    return {
      id: uuid(1),
      role: "leader",
      term: 1,
      vote: uuid(1),
      leader: uuid(1),
      commitIndex: this.lastIndex,
      appliedIndex: this.lastIndex,
      firstIndex: 1,
      lastIndex: this.lastIndex,
      durableIndex: this.lastIndex,
      configuration: this.configuration,
      progress,
      transferTarget: this.transferTarget,
      floor: null,
    };
  }
}

function number(id: string): number {
  return Number(id.slice(-12));
}

let leader: FakeLeader;

beforeEach(() => {
  leader = new FakeLeader(3);
});

describe("the feature level", () => {
  it("is raised to what all in the configuration support, joint ones excepted", () => {
    leader = new FakeLeader(3, 0);
    expect(leader.step()).toEqual({ step: "raise", level: 1 });
    leader.supportedLevel = 3;
    leader.levels.set(2, 2).set(3, 3);
    expect(leader.step()).toEqual({ step: "raise", level: 2 });
    leader.levels.set(3, null);
    expect(leader.step()).toBeNull();
    leader.configuration = { ...leader.configuration, votersOutgoing: [uuid(1)] };
    leader.levels.clear();
    expect(leader.step()).toBeNull();
  });
});

describe("a node that joins", () => {
  it("becomes a learner, and a voter by a joint configuration when a round was short enough (4.2.1)", () => {
    leader.ask({ kind: "add", name: "n4" });
    expect(leader.go()).toMatchObject({ write: { from: "asked", to: "waiting" } });
    expect(leader.go()).toBeNull();
    leader.joins(4, "n4");
    expect(leader.go()).toMatchObject({ write: { to: "catchingUp", target: uuid(4) } });
    leader.match.set(4, 0);
    expect(leader.go()).toMatchObject({
      step: "configure",
      configuration: { learners: [uuid(4)] },
    });
    expect(leader.go()).toBeNull();
    // The first round takes too long: what was written meanwhile is another one.
    leader.nowMs += 501;
    leader.match.set(4, 1000);
    leader.lastIndex = 5000;
    expect(leader.go()).toBeNull();
    leader.nowMs += 100;
    leader.match.set(4, 4999);
    expect(leader.go()).toBeNull();
    leader.nowMs += 400;
    leader.match.set(4, 5000);
    expect(leader.go()).toMatchObject({ write: { from: "catchingUp", to: "changing" } });
    expect(leader.step()).toEqual({
      step: "configure",
      configuration: {
        voters: [1, 2, 3, 4].map(uuid),
        votersOutgoing: [1, 2, 3].map(uuid),
        learners: [],
        learnersNext: [],
      },
    });
    leader.go();
    expect(leader.members.change?.phase).toBe("done");
  });

  it("does not become a voter while it is silent or out of reach", () => {
    leader.ask({ kind: "add", name: "n4" });
    leader.joins(4, "n4");
    for (let step = 0; step < 3; step++) leader.go();
    leader.silent.add(4);
    expect(leader.go()).toBeNull();
    leader.silent.clear();
    leader.unlinked.add(4);
    expect(leader.go()).toBeNull();
    leader.unlinked.clear();
    expect(leader.go()).toMatchObject({ write: { to: "changing" } });
  });

  it("is not waited for longer than WAIT_FOR_JOINER_MS", () => {
    leader.ask({ kind: "add", name: "n4" });
    leader.go();
    leader.nowMs = WAIT_FOR_JOINER_MS - 1;
    expect(leader.go()).toBeNull();
    leader.nowMs++;
    leader.go();
    expect(leader.members.change).toMatchObject({
      phase: "cancelled",
      reason: "nobody came to join as n4 within 60 minutes",
    });
  });

  it("is given up when it is out of reach for ABSENT_JOINER_MS without a break, and its seat is cleared", () => {
    leader.ask({ kind: "add", name: "n4" });
    leader.joins(4, "n4");
    for (let step = 0; step < 3; step++) leader.go();
    const vanish = (): void => {
      leader.silent.add(4);
      leader.unlinked.add(4);
      leader.match.set(4, 0);
    };
    vanish();
    leader.go();
    leader.nowMs += ABSENT_JOINER_MS - 1;
    expect(leader.go()).toBeNull();
    leader.unlinked.clear();
    leader.go();
    vanish();
    leader.nowMs++;
    expect(leader.go()).toBeNull();
    leader.nowMs += ABSENT_JOINER_MS;
    expect(leader.go()).toMatchObject({ write: { to: "cancelled" } });
    expect(leader.go()).toMatchObject({ step: "configure", configuration: { learners: [] } });
    expect(leader.members.isRemoved(uuid(4))).toBe(true);
    expect(leader.go()).toBeNull();
  });

  it("is not taken beside MEMBERS_MAX others", () => {
    leader = new FakeLeader(MEMBERS_MAX);
    leader.joins(99, "n99");
    leader.go();
    expect(leader.members.change).toMatchObject({
      phase: "refused",
      reason: `there are ${MEMBERS_MAX} members already`,
    });
    expect(leader.members.joiners()).toEqual([]);
  });
});

describe("an empty disk under an old name (O07)", () => {
  it("waits until nothing is heard of the old one on any way", () => {
    leader.joins(9, "n3");
    leader.unlinked.add(3);
    expect(leader.go()).toBeNull();
    leader.unlinked.clear();
    leader.silent.add(3);
    expect(leader.go()).toBeNull();
    leader.unlinked.add(3);
    expect(leader.go()).toMatchObject({ write: { kind: "replace", replaces: uuid(3) } });
    leader.go();
    expect(leader.configuration.learners).toEqual([uuid(9)]);
    leader.go();
    expect(leader.step()).toMatchObject({
      configuration: {
        voters: [1, 2, 9].map(uuid),
        votersOutgoing: [1, 2, 3].map(uuid),
        learners: [],
      },
    });
    leader.go();
    expect(leader.members.change?.phase).toBe("done");
    expect(leader.members.isRemoved(uuid(3))).toBe(true);
  });

  it("is a learner where its old self was one, without waiting until it has caught up", () => {
    leader.configuration = {
      ...leader.configuration,
      voters: [1, 2].map(uuid),
      learners: [uuid(3)],
    };
    leader.joins(9, "n3");
    leader.silent.add(3);
    leader.unlinked.add(3);
    leader.match.set(9, 0);
    for (let step = 0; step < 4; step++) leader.go();
    expect(leader.configuration).toMatchObject({ voters: [1, 2].map(uuid), learners: [uuid(9)] });
    expect(leader.members.change?.phase).toBe("done");
  });

  it("of the leader's own name is refused", () => {
    leader.joins(9, "n1");
    leader.go();
    expect(leader.members.change).toMatchObject({ phase: "refused", target: uuid(9) });
  });

  it("that an operator asked for waits for the old one to stop, and says so", () => {
    leader.ask({ kind: "replace", name: "n3" });
    leader.go();
    leader.joins(9, "n3");
    leader.go();
    expect(leader.members.change).toMatchObject({
      phase: "waiting",
      reason:
        "n3 is to be replaced by a new disk of its name, and runs on its old one still: stop it",
    });
    expect(leader.go()).toBeNull();
    leader.silent.add(3);
    leader.unlinked.add(3);
    expect(leader.go()).toMatchObject({ write: { to: "catchingUp", reason: null } });
  });
});

describe("a removal", () => {
  it("is refused when the rest would have no quorum, and by it alone", () => {
    leader = new FakeLeader(5);
    leader.silent.add(4).add(5);
    leader.ask({ kind: "remove", name: "n2" });
    leader.go();
    expect(leader.members.change).toMatchObject({
      phase: "refused",
      reason:
        "would lose quorum: of the 4 voters that there would be 2 are in contact with the leader, and it takes 3",
    });
    leader.ask({ kind: "remove", name: "n5" });
    for (let step = 0; step < 2; step++) leader.go();
    expect(leader.members.change?.phase).toBe("done");
  });

  it("that lost its quorum before its configuration went out is given up", () => {
    leader.ask({ kind: "remove", name: "n2" });
    leader.go();
    expect(leader.members.change?.phase).toBe("changing");
    leader.silent.add(3);
    leader.go();
    expect(leader.members.change).toMatchObject({ phase: "refused" });
    expect(leader.configuration.voters).toHaveLength(3);
  });

  it("of the leader hands over first, so often, and goes on without when nobody takes it", () => {
    leader.ask({ kind: "remove", name: "n1" });
    leader.go();
    for (let attempt = 0; attempt < TRANSFER_ATTEMPTS_MAX; attempt++) {
      expect(leader.step()).toEqual({ step: "handOver" });
      leader.transferTarget = uuid(2);
      expect(leader.step()).toBeNull();
      leader.transferTarget = null;
    }
    expect(leader.step()).toMatchObject({ configuration: { voters: [2, 3].map(uuid) } });
  });

  it("waits while a joint configuration is in force, and while its end is not applied", () => {
    leader.ask({ kind: "remove", name: "n2" });
    leader.go();
    const before = leader.configuration;
    leader.configuration = { ...before, voters: [1, 3].map(uuid), votersOutgoing: before.voters };
    expect(leader.step()).toBeNull();
    leader.configuration = { ...before, voters: [1, 3].map(uuid) };
    expect(leader.step()).toBeNull();
  });
});

describe("a promotion", () => {
  it("is refused when the learner lacks more than PROMOTE_LAG_ENTRIES_MAX entries", () => {
    leader.configuration = {
      ...leader.configuration,
      voters: [1, 2].map(uuid),
      learners: [uuid(3)],
    };
    leader.lastIndex = 5000;
    leader.match.set(3, 5000 - PROMOTE_LAG_ENTRIES_MAX - 1);
    leader.ask({ kind: "promote", name: "n3" });
    leader.go();
    expect(leader.members.change).toMatchObject({
      phase: "refused",
      reason: "not caught up: it lacks 1001 entries, more than 1000",
    });
    leader.match.set(3, 5000 - PROMOTE_LAG_ENTRIES_MAX);
    leader.ask({ kind: "promote", name: "n3" });
    leader.go();
    leader.go();
    expect(leader.configuration.voters).toEqual([1, 2, 3].map(uuid));
  });
});
