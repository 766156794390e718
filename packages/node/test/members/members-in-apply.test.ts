import { unpack } from "msgpackr";
import { beforeEach, describe, expect, it } from "vitest";
import { EntryKind, encodeConfiguration, type Configuration } from "@ferrite/raft";
import { createCommandTable } from "../../src/commands/all-commands.ts";
import { memberWriteText } from "../../src/members/member-writes.ts";
import type { LeaderMemberWrite, MemberWrite } from "../../src/members/member-writes.ts";
import {
  BatchBuilder,
  BatchKind,
  isWholeBatch,
  NODE_ACTOR_ID,
  NO_ORIGIN,
  stamp,
  uuidBytes,
} from "../../src/replica/batch.ts";
import { InternalClient, type InternalOutcome } from "../../src/replica/internal-client.ts";
import { encodeInternalWrite, InternalWrite } from "../../src/replica/internal-writes.ts";
import { encodeHeader, SnapshotReader } from "../../src/replica/snapshot-format.ts";
import { StateMachine, type ApplyListener } from "../../src/replica/state-machine.ts";
import { accessPorts } from "../../src/start/access-ports.ts";

const TABLE = createCommandTable();
const ACCESS = accessPorts(TABLE);
const FOUNDERS = [1, 2, 3].map((number) => ({
  id: uuid(number),
  name: `n${number}`,
  peerAddress: `n${number}:1`,
  clientAddress: `n${number}:2`,
}));
const THREE: Configuration = {
  voters: [1, 2, 3].map(uuid),
  votersOutgoing: [],
  learners: [],
  learnersNext: [],
};
const TIME_MS = 1_700_000_000_000;

function uuid(number: number): string {
  return `00000000-0000-4000-8000-${String(number).padStart(12, "0")}`;
}

function newMachine(supportedLevel = 1): StateMachine {
  return new StateMachine({
    commands: TABLE,
    hashSeed: 1,
    configuration: THREE,
    members: FOUNDERS,
    access: ACCESS,
    supportedLevel,
  });
}

let machine: StateMachine;
let changes: number;
const sequences = new Map<number, number>();

beforeEach(() => {
  machine = newMachine();
  changes = 0;
  sequences.clear();
});

const listener: ApplyListener = {
  batch: () => null,
  commandThrew: (name, error) => {
    throw new Error(`${name} threw`, { cause: error });
  },
  expired: () => undefined,
  usersChanged: () => undefined,
  membersChanged: () => {
    changes++;
  },
};

function apply(data: Uint8Array, kind: EntryKind = EntryKind.Normal, heard = listener): void {
  const index = machine.appliedIndex + 1;
  machine.apply({ index, term: 1, kind, data }, heard);
}

/** An entry that only a leader makes. */
function led(kind: typeof BatchKind.Raise | typeof BatchKind.Leader, ...words: string[]): Buffer {
  const [name, ...rest] = words;
  const record = encodeInternalWrite(name as InternalWrite, rest);
  const builder = new BatchBuilder(kind);
  builder.add(record, 0, record.length, NODE_ACTOR_ID);
  const bytes = builder.seal(NO_ORIGIN);
  stamp(bytes, { timeMs: TIME_MS, seed: 0 });
  return bytes;
}

function lead(write: LeaderMemberWrite): void {
  apply(led(BatchKind.Leader, InternalWrite.LeadMembers, memberWriteText(write)));
}

function raise(level: number, version = "7.8.9"): void {
  apply(led(BatchKind.Raise, InternalWrite.RaiseLevel, String(level), version));
}

/** A batch of a node with one record. */
function batch(origin: number, record: Buffer, userId = NODE_ACTOR_ID, aclRevision = 0): Buffer {
  const sequence = (sequences.get(origin) ?? 0) + 1;
  sequences.set(origin, sequence);
  const builder = new BatchBuilder(BatchKind.Commands);
  builder.add(record, 0, record.length, userId);
  const nodeBytes = uuidBytes(uuid(origin));
  const bytes = builder.seal({ nodeBytes, incarnation: 1, sequence, aclRevision });
  stamp(bytes, { timeMs: TIME_MS, seed: 0 });
  return bytes;
}

function written(origin: number, write: MemberWrite, userId = NODE_ACTOR_ID): InternalOutcome {
  let outcome: InternalOutcome | null = null;
  const client = new InternalClient((ended) => {
    outcome = ended;
  });
  const record = encodeInternalWrite(InternalWrite.Members, [memberWriteText(write)]);
  apply(batch(origin, record, userId), EntryKind.Normal, { ...listener, batch: () => [client] });
  return outcome!;
}

const REMOVE: MemberWrite = {
  write: "change",
  kind: "remove",
  name: "n3",
  newcomer: null,
  address: null,
  asLearner: false,
};

describe("the feature level in the log (O13)", () => {
  it("keeps writes of the membership out until it is reached", () => {
    expect(written(1, REMOVE, 0)).toMatchObject({ ok: false });
    lead({ write: "alarm", kind: "k", nodeId: uuid(1), text: "t" });
    expect([machine.members.change, machine.members.alarms()]).toEqual([null, []]);
    raise(1);
    expect(written(1, REMOVE, 0)).toMatchObject({ ok: true, count: 1 });
    expect(changes).toBe(3);
  });

  it("that this version does not know stops the node, and the words name the version to run", () => {
    raise(1);
    expect(() => raise(2, "3.0.0")).toThrow(
      "the cluster is at feature level 2, this version knows levels up to 1; run version 3.0.0 or later on this node",
    );
    expect(machine.members.level).toBe(1);
  });

  it("stops a version that knows none", () => {
    machine = newMachine(0);
    expect(() => raise(1)).toThrow(/levels up to 0; run version 7\.8\.9 or later/);
  });

  it("of a snapshot stops the node just so", () => {
    const later = newMachine(5);
    later.members.raise(5, "9.9.9");
    const body = encodeHeader(later.header());
    const reader = new SnapshotReader(machine.keyspace, (header) =>
      machine.restoreHeader(header, { index: 1, term: 1, configuration: THREE }),
    );
    expect(() => reader.write(body)).toThrow(/feature level 5.*run version 9\.9\.9 or later/);
  });

  it("never goes back", () => {
    machine = newMachine(3);
    raise(3, "3.0.0");
    raise(2, "2.0.0");
    expect([machine.members.level, machine.members.levelVersion]).toEqual([3, "3.0.0"]);
  });

  it("is said in a form that versions without members refuse, from level 1 on", () => {
    const formatOf = (): number => unpack(encodeHeader(machine.header()).subarray(4)).format;
    expect(formatOf()).toBe(2);
    raise(1);
    expect(formatOf()).toBe(3);
  });

  it("of a kind of entry that is unknown stops the node, and the words say what to do", () => {
    const bytes = led(BatchKind.Leader, InternalWrite.LeadMembers, "{}");
    bytes[1] = 99;
    expect(() => apply(bytes)).toThrow(/format this version does not know; run the version/);
  });

  it.each([
    ["of members", InternalWrite.LeadMembers, '{"write":"something new"}'],
    ["of a later version", "members.something", "{}"],
  ])("stops a node at a leader's words %s that it does not know", (_what, name, text) => {
    raise(1);
    expect(() => apply(led(BatchKind.Leader, name, text))).toThrow(
      /does not know; run the version/,
    );
  });
});

describe("who may write what", () => {
  beforeEach(() => raise(1));

  it("a leader's words are in entries that nobody can forward", () => {
    const word = memberWriteText({ write: "drop", id: uuid(2) });
    expect(isWholeBatch(led(BatchKind.Leader, InternalWrite.LeadMembers, word))).toBe(false);
    expect(isWholeBatch(led(BatchKind.Raise, InternalWrite.RaiseLevel, "1", ""))).toBe(false);
    // And within a batch of a node they are no write at all.
    const record = encodeInternalWrite(InternalWrite.RaiseLevel, ["1", "x"]);
    apply(batch(1, record));
    expect(machine.members.levelVersion).toBe("7.8.9");
  });

  it("only a node itself announces and says who wants to join", () => {
    const { record } = machine.members.all()[0];
    expect(written(1, { write: "announce", record }, 0)).toEqual({
      ok: false,
      errorText: "NOPERM only a node itself may write this",
    });
    expect(written(2, { write: "announce", record })).toMatchObject({ ok: false });
    expect(written(1, { write: "announce", record: { ...record, version: "2" } })).toMatchObject({
      ok: true,
    });
    expect(machine.members.get(uuid(1))?.record.version).toBe("2");
  });

  it("an operator needs the right to the command, when his change is applied (S03)", () => {
    machine.users.setUser("op", ["on", "+ferrite.member|remove"], TIME_MS);
    machine.users.setUser("guest", ["on", "+ferrite.member|list"], TIME_MS);
    const id = (name: string): number => machine.users.get(name)!.id;
    expect(written(1, REMOVE, id("guest"))).toMatchObject({
      ok: false,
      errorText: expect.stringMatching(/^NOPERM .*ferrite\.member\|remove/),
    });
    expect(written(1, { ...REMOVE, kind: "demote" }, id("op"))).toMatchObject({ ok: false });
    expect(machine.members.change).toBeNull();
    expect(written(1, REMOVE, id("op"))).toMatchObject({ ok: true });
    expect(written(1, { write: "cancel" }, id("op"))).toMatchObject({ ok: false });
  });

  it("what is no write of the membership is an error and changes nothing", () => {
    const record = encodeInternalWrite(InternalWrite.Members, ['{"write":"begin"}']);
    const before = machine.stateHash();
    apply(batch(1, record));
    expect(machine.members.record()).toEqual(newMachineAt(1).members.record());
    expect(machine.stateHash()).not.toBe(before);
  });
});

function newMachineAt(level: number): StateMachine {
  const other = newMachine();
  other.members.raise(level, "7.8.9");
  return other;
}

describe("a member that is removed", () => {
  it("loses its anchor and its session at that position, and what is late of it is never applied (R12)", () => {
    raise(1);
    const set = Buffer.from("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\n1\r\n");
    const first = batch(3, set);
    apply(first);
    apply(batch(3, encodeInternalWrite(InternalWrite.Anchor, ["1", "ab"])));
    expect([machine.keyspace.size, machine.anchors.all.size]).toEqual([1, 1]);
    apply(encodeConfiguration({ ...THREE, voters: [uuid(1), uuid(2)] }), EntryKind.Configuration);
    expect(machine.anchors.all.size).toBe(0);
    const del = Buffer.from("*2\r\n$3\r\nDEL\r\n$1\r\nk\r\n");
    apply(batch(3, del));
    apply(first);
    expect(machine.keyspace.size).toBe(1);
    const other = newMachine();
    other.restoreHeader(JSON.parse(JSON.stringify(machine.header())), {
      index: machine.appliedIndex,
      term: 1,
      configuration: machine.configuration,
    });
    machine = other;
    apply(batch(3, set));
    expect(machine.keyspace.size).toBe(0);
  });
});

describe("a snapshot", () => {
  it("of a version without members restores with the founders", () => {
    const { members: _none, ...old } = newMachine().header();
    raise(1);
    machine.restoreHeader(old, { index: 9, term: 1, configuration: THREE });
    expect(machine.members.record()).toEqual(newMachine().members.record());
  });

  it("whose members can not be read is refused", () => {
    const header = { ...machine.header(), members: { seats: 5 } as never };
    expect(() =>
      machine.restoreHeader(header, { index: 9, term: 1, configuration: THREE }),
    ).toThrow(/^the members in the snapshot: seats/);
  });
});
