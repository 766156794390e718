import { describe, expect, it } from "vitest";
import type { Configuration } from "@ferrite/raft";
import {
  ALARMS_MAX,
  JOINERS_MAX,
  JOINER_KEPT_MS,
  MEMBERS_MAX,
  REMOVED_MEMBERS_MAX,
} from "../../src/members/limits.ts";
import type { MemberRecord } from "../../src/members/member-record.ts";
import type { AskedChange } from "../../src/members/member-writes.ts";
import { MembersTable } from "../../src/members/members-table.ts";

function uuid(number: number): string {
  return `00000000-0000-4000-8000-${String(number).padStart(12, "0")}`;
}

function record(number: number, facts: Partial<MemberRecord> = {}): MemberRecord {
  return {
    id: uuid(number),
    name: `n${number}`,
    peerAddress: `n${number}:1`,
    clientAddress: `n${number}:2`,
    tlsAddress: null,
    priority: 50,
    featureLevel: 1,
    version: "1.0.0",
    ...facts,
  };
}

function configuration(...voters: number[]): Configuration {
  return { voters: voters.map(uuid), votersOutgoing: [], learners: [], learnersNext: [] };
}

const THREE = configuration(1, 2, 3);

function table(size = 3): MembersTable {
  const founders = Array.from({ length: size }, (_, at) => {
    const { id, name, peerAddress, clientAddress } = record(at + 1);
    return { id, name, peerAddress, clientAddress };
  });
  const members = new MembersTable(founders);
  members.raise(1, "1.0.0");
  return members;
}

function ask(
  members: MembersTable,
  asked: Partial<AskedChange> & Pick<AskedChange, "kind" | "name">,
  now: Configuration = THREE,
): string {
  const change = { newcomer: null, address: null, asLearner: false, ...asked };
  const outcome = members.ask({ write: "change", ...change }, now, 1000);
  return outcome.ok ? "taken" : outcome.errorText;
}

function join(members: MembersTable, joiner: MemberRecord, timeMs = 0, anybody = true): string {
  return members.join(uuid(1), { write: "join", record: joiner, anybody }, timeMs) ?? "heard";
}

/** The leader takes a joiner in, for the change under way. */
function take(members: MembersTable, number: number): void {
  const { id: changeId, phase: from } = members.change!;
  members.lead(
    { write: "phase", changeId, from, to: "catchingUp", target: uuid(number), reason: null },
    THREE,
    1000,
  );
}

describe("what the table knows at first", () => {
  it("is the founders, at feature level 0", () => {
    const members = new MembersTable([]);
    expect([members.level, members.all(), members.change]).toEqual([0, [], null]);
    expect(
      table()
        .all()
        .map(({ record: { name } }) => name),
    ).toEqual(["n1", "n2", "n3"]);
  });
});

describe("an announcement", () => {
  it("renews addresses and nothing else: no role, no name, no other's record (O05, R31)", () => {
    const members = table();
    const moved = record(2, { peerAddress: "elsewhere:9", clientAddress: "elsewhere:8" });
    expect(members.announce(uuid(2), { write: "announce", record: moved })).toBeNull();
    expect(members.get(uuid(2))?.record).toEqual(moved);
    const learners = { ...configuration(1, 3), learners: [uuid(2)] };
    expect(members.roleOf(uuid(2), learners)).toBe("learner");
    expect(members.announce(uuid(2), { write: "announce", record: record(3) })).toMatch(/itself/);
    const renamed = { ...moved, name: "n9" };
    expect(members.announce(uuid(2), { write: "announce", record: renamed })).toMatch(/name/);
    expect(members.announce(uuid(9), { write: "announce", record: record(9) })).toMatch(/member/);
  });

  it("leaves a priority that an operator set, until the member's own configuration changes", () => {
    const members = table();
    const priorityOf = (): number | undefined => members.get(uuid(1))?.record.priority;
    members.announce(uuid(1), { write: "announce", record: record(1, { priority: 60 }) });
    expect(members.prioritize("n1", 10)).toBeNull();
    members.announce(uuid(1), { write: "announce", record: record(1, { priority: 60 }) });
    expect(priorityOf()).toBe(10);
    members.announce(uuid(1), { write: "announce", record: record(1, { priority: 70 }) });
    expect(priorityOf()).toBe(70);
    expect(members.prioritize("n9", 1)).toBe("REFUSED unknown member: n9");
  });
});

describe("who asks to join", () => {
  it("is heard when its name is a member's or invited, or when anybody may", () => {
    const members = table();
    expect(join(members, record(9, { name: "n2" }), 0, false)).toBe("heard");
    expect(join(members, record(8), 0, false)).toBe(
      "REFUSED n8 is not invited: FERRITE.MEMBER ADD n8",
    );
    expect(ask(members, { kind: "add", name: "n8" })).toBe("taken");
    expect(join(members, record(8), 0, false)).toBe("heard");
    expect(join(members, record(7), 0, true)).toBe("heard");
  });

  it("is refused when it is a member, was removed, or runs a version that is too old", () => {
    const members = table();
    expect(join(members, record(2))).toMatch(/^ERR n2 .* is a member$/);
    members.configured(THREE, configuration(1, 2));
    expect(join(members, record(3))).toMatch(/^REFUSED the disk .* was removed/);
    expect(join(members, record(9, { featureLevel: 0 }))).toBe(
      "REFUSED n9 supports feature level 0, the cluster is at 1: run 1.0.0 or later",
    );
    const stranger = members.join(uuid(9), { write: "join", record: record(9), anybody: true }, 0);
    expect(stranger).toMatch(/only a member/);
  });

  it("is one of a name, until it was silent for long", () => {
    const members = table();
    expect(join(members, record(9))).toBe("heard");
    expect(join(members, record(10, { name: "n9" }), JOINER_KEPT_MS - 1)).toMatch(/another new/);
    expect(join(members, record(10, { name: "n9" }), JOINER_KEPT_MS)).toBe("heard");
    expect(members.joiners().map(({ record: { id } }) => id)).toEqual([uuid(10)]);
  });

  it("waits in a bounded list (JOINERS_MAX)", () => {
    const members = table();
    for (let number = 0; number < JOINERS_MAX; number++) {
      expect(join(members, record(100 + number))).toBe("heard");
    }
    expect(join(members, record(99))).toBe(
      `ERR ${JOINERS_MAX} nodes ask to join already; try again later`,
    );
    // Again is not one more.
    expect(join(members, record(100))).toBe("heard");
  });
});

describe("a change", () => {
  it("is refused by what the state says of it", () => {
    const members = table();
    const refusals = [
      ask(members, { kind: "add", name: "n2" }),
      ask(members, { kind: "remove", name: "n9" }),
      ask(members, { kind: "promote", name: "n2" }),
      ask(members, { kind: "remove", name: "n1" }, configuration(1)),
      ask(members, { kind: "demote", name: "n1" }, configuration(1)),
      ask(members, { kind: "demote", name: "n1" }, { ...configuration(2, 3), learners: [uuid(1)] }),
      ask(members, { kind: "replace", name: "n1", newcomer: "n2" }),
    ];
    expect(refusals).toEqual([
      "REFUSED name taken: n2 is a member",
      "REFUSED unknown member: n9",
      "REFUSED n2 is a voter already",
      "REFUSED n1 is the last voter",
      "REFUSED n1 is the last voter",
      "REFUSED n1 is a learner already",
      "REFUSED name taken: n2 is a voter and can not take the place of another",
    ]);
    expect(members.change).toBeNull();
  });

  it("is one at a time", () => {
    const members = table();
    expect(ask(members, { kind: "remove", name: "n2" })).toBe("taken");
    expect(ask(members, { kind: "remove", name: "n3" })).toBe(
      "REFUSED change in progress: remove n2 (asked)",
    );
    expect(members.cancel()).toEqual({ ok: true, changeId: 1 });
    expect(members.cancel()).toMatchObject({ ok: false });
    expect(ask(members, { kind: "remove", name: "n3" })).toBe("taken");
    expect(members.change).toMatchObject({ id: 2, name: "n3", target: uuid(3) });
  });

  it("goes on only from the phase that its step names: late words of a leader change nothing", () => {
    const members = table();
    ask(members, { kind: "remove", name: "n2" });
    const step = { write: "phase", changeId: 1, target: null, reason: null } as const;
    members.lead({ ...step, from: "waiting", to: "changing" }, THREE, 0);
    members.lead({ ...step, changeId: 2, from: "asked", to: "changing" }, THREE, 0);
    expect(members.change?.phase).toBe("asked");
    members.lead({ ...step, from: "asked", to: "changing" }, THREE, 0);
    expect(members.change?.phase).toBe("changing");
    expect(members.cancel()).toMatchObject({ ok: false });
    members.configured(THREE, configuration(1, 3));
    expect(members.change?.phase).toBe("done");
    members.lead({ ...step, from: "changing", to: "refused" }, THREE, 0);
    expect(members.change?.phase).toBe("done");
  });

  it("is over with the simple configuration, not with the joint one", () => {
    const members = table();
    ask(members, { kind: "demote", name: "n3" });
    const joint: Configuration = {
      voters: [uuid(1), uuid(2)],
      votersOutgoing: THREE.voters,
      learners: [],
      learnersNext: [uuid(3)],
    };
    members.configured(THREE, joint);
    expect([members.change?.phase, members.roleOf(uuid(3), joint)]).toEqual(["asked", "voter"]);
    const end = { ...configuration(1, 2), learners: [uuid(3)] };
    members.configured(joint, end);
    expect([members.change?.phase, members.roleOf(uuid(3), end)]).toEqual(["done", "learner"]);
    expect(members.isRemoved(uuid(3))).toBe(false);
  });

  it("that is given up lets the node that came with it go again, and no other", () => {
    const members = table();
    ask(members, { kind: "add", name: "n9" });
    join(members, record(9));
    take(members, 9);
    expect(members.get(uuid(9))).toMatchObject({ since: 1, isLeaving: false });
    members.cancel();
    expect(members.roleOf(uuid(9), THREE)).toBe("leaving");
    members.lead({ write: "drop", id: uuid(9) }, { ...THREE, learners: [uuid(9)] }, 0);
    expect(members.get(uuid(9))).toBeDefined();
    members.lead({ write: "drop", id: uuid(9) }, THREE, 0);
    members.lead({ write: "drop", id: uuid(2) }, THREE, 0);
    expect([members.isRemoved(uuid(9)), members.isRemoved(uuid(2))]).toEqual([true, false]);
  });

  it("goes over to a newer disk of the node that joins", () => {
    const members = table();
    ask(members, { kind: "replace", name: "n3" });
    join(members, record(9, { name: "n3" }));
    take(members, 9);
    join(members, record(10, { name: "n3" }), 5);
    take(members, 10);
    expect(members.change).toMatchObject({ target: uuid(10), replaces: uuid(3) });
    expect(members.get(uuid(9))?.isLeaving).toBe(true);
    expect(members.named("n3")?.record.id).toBe(uuid(10));
  });

  it("adds no more members than a group can have (MEMBERS_MAX)", () => {
    const members = table(MEMBERS_MAX);
    expect(ask(members, { kind: "add", name: "more" })).toBe(
      `REFUSED there are ${MEMBERS_MAX} members already`,
    );
    expect(ask(members, { kind: "replace", name: "n1", newcomer: "more" })).toMatch(/already$/);
  });
});

describe("a removed disk", () => {
  it("stays removed, whatever becomes of its name (R11, R31)", () => {
    const members = table();
    let now = THREE;
    for (let round = 0; round < 5; round++) {
      const next = configuration(1, 2);
      members.configured(now, next);
      ask(members, { kind: "add", name: "n3" }, next);
      join(members, record(50 + round, { name: "n3" }));
      take(members, 50 + round);
      now = { ...next, voters: [...next.voters, uuid(50 + round)] };
      members.configured(next, now);
      expect(members.change?.phase).toBe("done");
      expect(members.named("n3")?.record.id).toBe(uuid(50 + round));
    }
    expect(members.removedIds()).toEqual([uuid(3), uuid(50), uuid(51), uuid(52), uuid(53)]);
  });

  it("is remembered among so many (REMOVED_MEMBERS_MAX), and the oldest is said to be forgotten", () => {
    const members = table();
    const forgotten: string[] = [];
    for (let number = 0; number <= REMOVED_MEMBERS_MAX; number++) {
      const learners = [uuid(1000 + number)];
      forgotten.push(...members.configured({ ...THREE, learners }, THREE).forgotten);
    }
    expect(forgotten).toEqual([uuid(1000)]);
    expect([members.isRemoved(uuid(1000)), members.isRemoved(uuid(1001))]).toEqual([false, true]);
  });
});

describe("an alarm", () => {
  it("is raised once, keeps its beginning, and ends with its reason or its member", () => {
    const members = table();
    const raise = (text: string | null, timeMs: number): void =>
      void members.lead({ write: "alarm", kind: "state", nodeId: uuid(2), text }, THREE, timeMs);
    raise("differs", 5);
    raise("differs still", 9);
    expect(members.alarms()).toEqual([
      { kind: "state", nodeId: uuid(2), text: "differs still", sinceMs: 5 },
    ]);
    raise(null, 10);
    expect(members.alarms()).toEqual([]);
    raise("again", 11);
    members.configured(THREE, configuration(1, 3));
    expect(members.alarms()).toEqual([]);
  });

  it("is one of so many (ALARMS_MAX)", () => {
    const members = table();
    for (let number = 0; number <= ALARMS_MAX; number++) {
      const alarm = { write: "alarm", kind: `k${number}`, nodeId: uuid(1), text: "x" } as const;
      members.lead(alarm, THREE, 0);
    }
    expect(members.alarms()).toHaveLength(ALARMS_MAX);
  });
});

describe("a snapshot", () => {
  it("brings back everything, also across JSON", () => {
    const members = table();
    ask(members, { kind: "add", name: "n9", address: "n9:1", asLearner: true });
    join(members, record(9));
    take(members, 9);
    join(members, record(11));
    members.configured(THREE, configuration(1, 2));
    members.lead({ write: "alarm", kind: "k", nodeId: uuid(1), text: "t" }, THREE, 3);
    const other = table();
    other.restore(JSON.parse(JSON.stringify(members.record())));
    expect(other.record()).toEqual(members.record());
    expect(other.named("n9")?.record).toEqual(record(9));
  });

  it("of a version without members begins with the founders", () => {
    const members = table();
    members.configured(THREE, configuration(1, 2));
    members.restore(undefined);
    expect(members.record()).toEqual(
      new MembersTable(
        table()
          .all()
          .map(({ record: r }) => r),
      ).record(),
    );
  });

  it.each([
    ["seats", [{ record: { id: "x" } }]],
    ["level", -1],
    ["removed", [["not an id", "n"]]],
    ["change", { id: 1 }],
  ])("with %s that are none is refused", (field, value) => {
    const members = table();
    expect(() => members.restore({ ...members.record(), [field]: value })).toThrow(field);
  });
});
