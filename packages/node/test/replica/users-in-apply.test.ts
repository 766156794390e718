import { DEFAULT_ACL_LIMITS, type UsersChange } from "@ferrite/acl";
import { EntryKind, encodeConfiguration, type Entry } from "@ferrite/raft";
import { beforeEach, describe, expect, it } from "vitest";
import { createCommandTable } from "../../src/commands/all-commands.ts";
import { encodeAnchor } from "../../src/replica/anchors.ts";
import {
  BatchBuilder,
  BatchKind,
  NODE_ACTOR_ID,
  stamp,
  uuidBytes,
} from "../../src/replica/batch.ts";
import {
  encodeHeader,
  SNAPSHOT_HEADER_BYTES_MAX,
  SnapshotReader,
} from "../../src/replica/snapshot-format.ts";
import { StateMachine, type ApplyListener } from "../../src/replica/state-machine.ts";
import { encodeUsersWrite } from "../../src/replica/users-writes.ts";
import type { UsersProposal } from "../../src/replica/access-state.ts";
import { RespReply } from "../../src/resp/encoder.ts";
import { accessPorts } from "../../src/start/access-ports.ts";

const NODES = ["00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"];
const CONFIGURATION = { voters: NODES, votersOutgoing: [], learners: [], learnersNext: [] };
const TABLE = createCommandTable();
const ACCESS = accessPorts(TABLE);
const DEFAULT_LINE = "user default on nopass ~* &* +@all";
const GONE =
  "-NOPERM this user was deleted or disabled before the command was applied; it was not applied\r\n";

interface Record {
  readonly bytes: Buffer;
  readonly userId: number;
}

let machine: StateMachine;
let changes: UsersChange[];
let sequences: Map<string, number>;
/** What clients were told to be denied, before their answers. */
let denials: string[];

function newMachine(): StateMachine {
  return new StateMachine({
    commands: TABLE,
    hashSeed: 1,
    configuration: CONFIGURATION,
    members: [],
    access: ACCESS,
  });
}

function command(userId: number, ...words: readonly string[]): Record {
  const text = words.map((word) => `$${word.length}\r\n${word}\r\n`).join("");
  return { bytes: Buffer.from(`*${words.length}\r\n${text}`), userId };
}

function change(proposal: UsersProposal, actorId: number = NODE_ACTOR_ID): Record {
  return { bytes: encodeUsersWrite(proposal), userId: actorId };
}

function entry(
  records: readonly Record[],
  options: {
    readonly revision?: number;
    readonly timeMs?: number;
    readonly node?: string;
    readonly kind?: BatchKind;
  } = {},
): Entry {
  const node = options.node ?? NODES[0];
  const sequence = (sequences.get(node) ?? 0) + 1;
  const builder = new BatchBuilder(options.kind ?? BatchKind.Commands);
  for (const { bytes, userId } of records) builder.add(bytes, 0, bytes.length, userId);
  if ((options.kind ?? BatchKind.Commands) === BatchKind.Commands) sequences.set(node, sequence);
  const data = builder.seal({
    nodeBytes: uuidBytes(node),
    incarnation: 1,
    sequence,
    aclRevision: options.revision ?? machine.users.revision,
  });
  stamp(data, { timeMs: options.timeMs ?? 1000, seed: 1 });
  return { index: machine.appliedIndex + 1, term: 1, kind: EntryKind.Normal, data };
}

const listener: Omit<ApplyListener, "batch"> = {
  commandThrew: (name, error) => {
    throw new Error(`${name} threw`, { cause: error });
  },
  expired: () => undefined,
  usersChanged: (found, index) => {
    expect(index).toBe(machine.appliedIndex + 1);
    changes.push(found);
  },
  membersChanged: () => undefined,
};

/** Applies a batch and returns what its clients were answered. */
function apply(...given: Parameters<typeof entry>): string {
  const reply = new RespReply();
  const client = {
    replyForWrite: () => reply,
    writeDenied: ({ name }: { readonly name: string }, text: string) =>
      void denials.push(`${name}: ${text}`),
    writeApplied: () => undefined,
    writeFailed: (text: string) => expect.fail(text),
  };
  machine.apply(entry(...given), {
    ...listener,
    batch: (reader) => Array.from({ length: reader.count }, () => client),
  });
  return reply.takePending().toString();
}

/** A user "bob" that may SET the key k; its id. */
function makeBob(...rules: readonly string[]): number {
  apply([change({ kind: "set", name: "bob", rules: ["on", "+set", "~k", ...rules] })]);
  return machine.users.get("bob")!.id;
}

beforeEach(() => {
  machine = newMachine();
  changes = [];
  denials = [];
  sequences = new Map();
});

describe("a write at its position in the log", () => {
  it("that is refused is told to the node that holds its client, for ACL LOG and the trail (S12, F92)", () => {
    const bob = makeBob();
    const before = machine.users.revision;
    apply([change({ kind: "delete", names: ["bob"] })]);
    expect(apply([command(bob, "SET", "k", "1")], { revision: before })).toBe(GONE);
    expect(denials).toEqual([`set: ${GONE.slice(1, -2)}`]);
  });

  it("runs as the edge has allowed it while the users are the same", () => {
    const bob = makeBob();
    // Not looked at again: the edge of this revision has allowed it.
    expect(apply([command(bob, "APPEND", "other", "v")])).toBe(":1\r\n");
  });

  it("is not applied behind the deletion of its user, checked before it (S03, S09)", () => {
    const bob = makeBob();
    const before = machine.users.revision;
    expect(apply([change({ kind: "delete", names: ["bob"] }, 0)])).toBe(":1\r\n");
    expect(apply([command(bob, "SET", "k", "v")], { revision: before })).toBe(GONE);
    expect(machine.keyspace.size).toBe(0);
  });

  it("is checked anew behind a change in the very same batch (S03)", () => {
    const bob = makeBob();
    const answers = apply([
      command(bob, "SET", "k", "v"),
      change({ kind: "set", name: "bob", rules: ["off"] }, 0),
      command(bob, "SET", "k", "w"),
    ]);
    expect(answers).toBe(`+OK\r\n:1\r\n${GONE}`);
  });

  it("does not pass from a deleted user to a new one of its name (S03)", () => {
    const bob = makeBob();
    const before = machine.users.revision;
    apply([change({ kind: "delete", names: ["bob"] })]);
    const next = makeBob();
    expect(next).not.toBe(bob);
    expect(apply([command(bob, "SET", "k", "v")], { revision: before })).toBe(GONE);
    expect(apply([command(next, "SET", "k", "v")], { revision: before })).toBe("+OK\r\n");
  });

  it("is denied in Redis' words when the rules were narrowed meanwhile, and runs when they still allow it", () => {
    const bob = makeBob("+append");
    apply([change({ kind: "set", name: "eve", rules: ["on"] })]);
    const answers = apply(
      [
        command(bob, "SET", "k", "v"),
        command(bob, "DEL", "k"),
        command(bob, "SET", "secret", "v"),
        command(0, "SET", "secret", "by the unrestricted"),
      ],
      { revision: 1 },
    );
    expect(answers).toBe(
      "+OK\r\n" +
        "-NOPERM this user has no permissions to run the 'del' command\r\n" +
        "-NOPERM this user has no permissions to access one of the keys used as arguments\r\n" +
        "+OK\r\n",
    );
  });

  it("is refused from the moment its user expires, before the cluster has removed it", () => {
    const bob = makeBob("expire-at=5");
    expect(apply([command(bob, "SET", "k", "v")], { timeMs: 4999 })).toBe("+OK\r\n");
    expect(apply([command(bob, "SET", "k", "w")], { timeMs: 5000 })).toBe(
      "-NOPERM this user has expired before the command was applied; it was not applied\r\n",
    );
    expect(apply([command(0, "SET", "k", "x")], { timeMs: 5000 })).toBe("+OK\r\n");
  });

  it("decides alike on every node", () => {
    const bob = makeBob();
    apply([change({ kind: "set", name: "bob", rules: ["off"] })]);
    const there = newMachine();
    there.restoreHeader(machine.header(), { index: 2, term: 1, configuration: CONFIGURATION });
    const next = entry([command(bob, "SET", "k", "v"), command(0, "INCR", "n")], { revision: 1 });
    machine.apply(next, { ...listener, batch: () => null });
    there.apply(next, { ...listener, batch: () => null });
    expect(there.stateHash()).toBe(machine.stateHash());
    expect(machine.keyspace.size).toBe(1);
  });
});

describe("a change of the users in the log", () => {
  it("answers what the table answers, and tells who listens before anything behind it runs", () => {
    const order: string[] = [];
    const reply = new RespReply();
    const client = {
      replyForWrite: () => reply,
      writeApplied: () => void order.push("answered"),
      writeFailed: () => undefined,
    };
    machine.apply(
      entry([
        change({ kind: "set", name: "bob", rules: ["on"] }),
        change({ kind: "set", name: "eve", rules: ["nonsense"] }),
        change({ kind: "delete", names: ["bob", "nobody"] }),
        change({ kind: "delete", names: ["nobody"] }),
      ]),
      {
        ...listener,
        usersChanged: (found) => void order.push(found.kind),
        batch: (reader) => Array.from({ length: reader.count }, () => client),
      },
    );
    expect(order).toEqual(["set", "answered", "answered", "delete", "answered", "answered"]);
    expect(reply.takePending().toString()).toBe(
      ":1\r\n-ERR Error in ACL SETUSER modifier 'nonsense': Syntax error\r\n:1\r\n:0\r\n",
    );
  });

  it("needs an actor who may still make it when its turn has come (S03)", () => {
    apply([change({ kind: "set", name: "admin", rules: ["on", "+acl|setuser"] })]);
    const admin = machine.users.get("admin")!.id;
    const setEve = change({ kind: "set", name: "eve", rules: ["on"] }, admin);
    expect(apply([setEve])).toBe(":1\r\n");
    expect(apply([change({ kind: "delete", names: ["eve"] }, admin)], { revision: 1 })).toBe(
      "-NOPERM this user has no permissions to run the 'acl|deluser' command\r\n",
    );
    apply([change({ kind: "set", name: "admin", rules: ["off"] })]);
    expect(apply([setEve], { revision: 1 })).toBe(GONE);
  });

  it("is seeded once, whoever comes first, and never by a user", () => {
    expect(apply([change({ kind: "seed", lines: [DEFAULT_LINE, "user bob on"] }, 0)])).toBe(
      "-NOPERM only a node itself may write this\r\n",
    );
    expect(apply([change({ kind: "seed", lines: [DEFAULT_LINE, "user bob on"] })])).toBe(":2\r\n");
    expect(
      apply([change({ kind: "seed", lines: [DEFAULT_LINE, "user eve on"] })], { node: NODES[1] }),
    ).toBe(":0\r\n");
    expect(machine.users.all().map(({ name }) => name)).toEqual(["bob", "default"]);
    expect(changes).toHaveLength(1);
  });

  it("keeps names and rules byte for byte", () => {
    const bytes = Array.from({ length: 256 }, (_, byte) => byte);
    // Redis allows no blanks and no zero byte in a name.
    const name = String.fromCharCode(...bytes.filter((byte) => byte > 0x20 && byte !== 0xa0));
    expect(apply([change({ kind: "set", name, rules: ["on", `~${name}`] })])).toBe(":1\r\n");
    const record = machine.users.record();
    const copy = ACCESS.newUsers();
    copy.restore(record);
    expect(copy.get(name)?.describe()).toBe(machine.users.get(name)?.describe());
    expect(record.users.map(([, line]) => line).join("")).toContain("\xfe");
  });

  it("can not be asked for with a word that is no byte string", () => {
    expect(() => change({ kind: "set", name: "bob", rules: ["~\u20ac"] })).toThrow(RangeError);
  });

  it("removes the users whose time is up, at the entry's time", () => {
    makeBob("expire-at=5");
    const expiry = { kind: BatchKind.UserExpiry, timeMs: 4999 };
    apply([], expiry);
    expect(machine.users.get("bob")).toBeDefined();
    apply([], { ...expiry, timeMs: 5000 });
    expect(machine.users.get("bob")).toBeUndefined();
    expect(changes.map(({ kind }) => kind)).toEqual(["set", "expire"]);
  });

  it("answers a record that is no internal write, and goes on with the next", () => {
    const answers = apply([
      { bytes: Buffer.from("\0nonsense"), userId: NODE_ACTOR_ID },
      { bytes: Buffer.from("\0*1\r\n$3\r\nfoo\r\n"), userId: NODE_ACTOR_ID },
      { bytes: Buffer.from("\0*1\r\n$7\r\nacl.set\r\n"), userId: NODE_ACTOR_ID },
      command(0, "SET", "k", "v"),
    ]);
    expect(answers).toMatch(
      /^-ERR Protocol error.*\r\n-ERR unknown internal write.*\r\n-ERR .*no user\r\n\+OK\r\n$/,
    );
  });
});

describe("the anchors of audit trails", () => {
  const anchor = (sequence: number, head: string): Record => ({
    bytes: encodeAnchor({ sequence, head }),
    userId: NODE_ACTOR_ID,
  });

  it("are each node's own, and never go back (S50)", () => {
    expect(apply([anchor(5, "aa"), anchor(9, "bb"), anchor(9, "bb")])).toBe(
      "+OK\r\n+OK\r\n+OK\r\n",
    );
    expect(apply([anchor(7, "cc")], { node: NODES[1] })).toBe("+OK\r\n");
    expect(apply([anchor(9, "other"), anchor(4, "aa")])).toMatch(
      /^-ERR the audit trail is anchored at 9 already.*\r\n-ERR .*\r\n$/,
    );
    expect([...machine.anchors.all]).toEqual([
      [NODES[0], { sequence: 9, head: "bb" }],
      [NODES[1], { sequence: 7, head: "cc" }],
    ]);
  });

  it("are refused when a user, or no member, brings them, or when they are none", () => {
    const stranger = "00000000-0000-4000-8000-000000000009";
    expect(apply([anchor(1, "aa")], { node: stranger })).toMatch(/^-ERR only a member/);
    expect(apply([{ ...anchor(1, "aa"), userId: 0 }])).toMatch(/^-ERR unknown internal write/);
    expect(apply([anchor(1, "a".repeat(129))])).toMatch(/^-ERR this is no anchor/);
    expect(apply([anchor(1.5, "aa")])).toMatch(/^-ERR this is no anchor/);
    expect(machine.anchors.all.size).toBe(0);
  });

  it("are forgotten with the member", () => {
    apply([anchor(5, "aa")]);
    const left = { ...CONFIGURATION, voters: [NODES[1]] };
    machine.apply(
      { index: 2, term: 1, kind: EntryKind.Configuration, data: encodeConfiguration(left) },
      { ...listener, batch: () => null },
    );
    expect(machine.anchors.all.size).toBe(0);
  });
});

describe("a snapshot's header", () => {
  function read(bytes: Buffer): StateMachine {
    const copy = newMachine();
    const reader = new SnapshotReader(copy.keyspace, (header) =>
      copy.restoreHeader(header, { index: 1, term: 1, configuration: CONFIGURATION }),
    );
    reader.write(bytes);
    return copy;
  }

  it("brings the users and the anchors", () => {
    makeBob("expire-at=77");
    apply([{ bytes: encodeAnchor({ sequence: 3, head: "ab" }), userId: NODE_ACTOR_ID }]);
    const copy = read(encodeHeader(machine.header()));
    expect(copy.users.get("bob")).toMatchObject({ id: 1, expiresAtMs: 77_000 });
    expect([...copy.anchors.all]).toEqual([...machine.anchors.all]);
    expect(copy.stateHash()).toBe(machine.stateHash());
  });

  it("makes the state's hash tell users and anchors that differ", () => {
    const empty = machine.stateHash();
    apply([change({ kind: "set", name: "bob", rules: [] })]);
    const there = newMachine();
    there.restoreHeader(
      { ...machine.header(), users: newMachine().users.record() },
      { index: 1, term: 1, configuration: CONFIGURATION },
    );
    expect(new Set([empty, machine.stateHash(), there.stateHash()]).size).toBe(3);
  });

  it("is refused without users, with users that can not be read, with anchors that are none", () => {
    const header = machine.header();
    for (const wrong of [
      { users: undefined },
      { users: null },
      { users: { format: 9 } },
      { anchors: undefined },
      { anchors: [["a", 1]] },
      { anchors: [["a", -1, "head"]] },
      { anchors: [["a", 1, ""]] },
    ]) {
      const bytes = encodeHeader({ ...header, ...wrong } as typeof header);
      expect(() => read(bytes)).toThrow(expect.objectContaining({ code: "BAD_SNAPSHOT" }));
    }
  });

  it("has room for as many bytes of users as apply takes, twice as large when they are no ASCII", () => {
    const { tableBytesMax } = DEFAULT_ACL_LIMITS;
    const record = machine.users.record();
    const pattern = "\xff".repeat(64 * 1024);
    const users = Array.from(
      { length: tableBytesMax / pattern.length },
      (_, at) => [at + 1, `user u${at} off ~${pattern} resetchannels -@all`] as const,
    );
    const header = {
      ...machine.header(),
      users: { ...record, nextId: users.length + 1, users: [...record.users, ...users] },
    };
    const bytes = encodeHeader(header);
    expect(bytes.readUInt32LE(0)).toBeGreaterThan(2 * tableBytesMax);
    expect(bytes.readUInt32LE(0)).toBeLessThan(SNAPSHOT_HEADER_BYTES_MAX);
    expect(read(bytes).users.size).toBe(users.length + 1);
  });
});
