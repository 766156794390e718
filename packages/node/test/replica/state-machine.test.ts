import { EntryKind, type Entry } from "@ferrite/raft";
import { describe, expect, it } from "vitest";
import { createCommandTable } from "../../src/commands/all-commands.ts";
import { BatchBuilder, BatchKind, stamp, uuidBytes } from "../../src/replica/batch.ts";
import { encodeHeader, SnapshotReader } from "../../src/replica/snapshot-format.ts";
import { StateMachine, type ApplyListener } from "../../src/replica/state-machine.ts";
import type { WriteClient } from "../../src/replica/write-path.ts";
import { RespReply } from "../../src/resp/encoder.ts";
import { accessPorts } from "../../src/start/access-ports.ts";

const NODE = uuidBytes("00112233-4455-4677-8899-aabbccddeeff");
const CONFIGURATION = { voters: ["a"], votersOutgoing: [], learners: [], learnersNext: [] };
const TABLE = createCommandTable();
const ACCESS = accessPorts(TABLE);

const NOBODY: ApplyListener = {
  batch: () => null,
  commandThrew: (name, error) => {
    throw new Error(`${name} threw`, { cause: error });
  },
  expired: () => undefined,
  usersChanged: () => undefined,
  membersChanged: () => undefined,
};

function machine(): StateMachine {
  return new StateMachine({
    commands: TABLE,
    hashSeed: 1,
    configuration: CONFIGURATION,
    members: [],
    access: ACCESS,
  });
}

function respBytes(...words: readonly string[]): Buffer {
  return Buffer.from(
    `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join("")}`,
  );
}

interface Batch {
  readonly commands: readonly (readonly string[])[];
  readonly timeMs?: number;
  readonly sequence?: number;
  readonly kind?: BatchKind;
}

function entry(index: number, batch: Batch): Entry {
  const builder = new BatchBuilder(batch.kind ?? BatchKind.Commands);
  for (const words of batch.commands) {
    const bytes = batch.kind === BatchKind.Expiry ? Buffer.from(words[0]) : respBytes(...words);
    builder.add(bytes, 0, bytes.length, 0);
  }
  const data = builder.seal({
    nodeBytes: NODE,
    incarnation: 1,
    sequence: batch.sequence ?? index,
    aclRevision: 0,
  });
  stamp(data, { timeMs: batch.timeMs ?? 1000 + index, seed: index });
  return { index, term: 1, kind: EntryKind.Normal, data };
}

/** Applies a batch whose clients are here, and returns what they were answered. */
function answers(target: StateMachine, applied: Entry): string {
  const reply = new RespReply();
  const client: WriteClient = {
    replyForWrite: () => reply,
    writeApplied: () => undefined,
    writeFailed: (text) => expect.fail(text),
  };
  target.apply(applied, {
    ...NOBODY,
    batch: (reader) => Array.from({ length: reader.count }, () => client),
  });
  return reply.takePending().toString();
}

function has(target: StateMachine, key: string): boolean {
  const bytes = Buffer.from(key);
  return target.keyspace.find(bytes, 0, bytes.length, target.timeMs) !== 0;
}

describe("the replicated state machine", () => {
  it("gives the replies to the node that has the clients, and the same state to all", () => {
    const here = machine();
    const there = machine();
    const applied = entry(1, {
      commands: [
        ["SET", "n", "41"],
        ["INCR", "n"],
        ["APPEND", "n", "x"],
        ["INCR", "n"],
      ],
    });
    expect(answers(here, applied)).toBe(
      "+OK\r\n:42\r\n:3\r\n-ERR value is not an integer or out of range\r\n",
    );
    there.apply(applied, NOBODY);
    expect(there.stateHash()).toBe(here.stateHash());
  });

  it("R12, R01: applies a batch that is in the log twice once", () => {
    const target = machine();
    target.apply(entry(1, { commands: [["APPEND", "k", "x"]], sequence: 1 }), NOBODY);
    target.apply(entry(2, { commands: [["APPEND", "k", "x"]], sequence: 1 }), NOBODY);
    expect(answers(target, entry(3, { commands: [["APPEND", "k", ""]], sequence: 2 }))).toBe(
      ":1\r\n",
    );
  });

  it("takes time from the log alone, and never back", () => {
    const target = machine();
    target.apply(entry(1, { commands: [["SET", "k", "v", "PX", "100"]], timeMs: 5000 }), NOBODY);
    target.apply(entry(2, { commands: [["SET", "other", "v"]], timeMs: 4000 }), NOBODY);
    expect(target.timeMs).toBe(5000);
    expect(
      answers(target, entry(3, { commands: [["SET", "k", "w", "XX", "GET"]], timeMs: 5099 })),
    ).toBe("$1\r\nv\r\n");
    target.apply(entry(4, { commands: [["PEXPIRE", "k", "100"]], timeMs: 5099 }), NOBODY);
    expect(answers(target, entry(5, { commands: [["SET", "k", "x", "GET"]], timeMs: 6000 }))).toBe(
      "$-1\r\n",
    );
  });

  it("removes what the leader saw expire, unless it was written again meanwhile", () => {
    const target = machine();
    target.apply(
      entry(1, {
        commands: [
          ["SET", "gone", "v", "PX", "10"],
          ["SET", "kept", "v", "PX", "10"],
        ],
        timeMs: 1000,
      }),
      NOBODY,
    );
    target.apply(entry(2, { commands: [["SET", "kept", "new"]], timeMs: 2000 }), NOBODY);
    let expired = 0;
    target.apply(
      entry(3, { commands: [["gone"], ["kept"], ["never"]], kind: BatchKind.Expiry, timeMs: 2000 }),
      {
        ...NOBODY,
        expired: (count) => {
          expired += count;
        },
      },
    );
    expect([expired, target.keyspace.size, has(target, "kept")]).toEqual([1, 1, true]);
  });

  it("refuses an entry of a format it does not know, loudly", () => {
    const target = machine();
    const unknown = entry(1, { commands: [["SET", "k", "v"]] });
    unknown.data[0] = 9;
    expect(() => target.apply(unknown, NOBODY)).toThrow(
      /entry 1 .*format this version does not know/,
    );
  });

  it("refuses entries out of order", () => {
    expect(() => machine().apply(entry(2, { commands: [["SET", "k", "v"]] }), NOBODY)).toThrow(
      /entry 2 came after 0/,
    );
  });

  it("answers a record that is no command, or none that it knows, and goes on with the next", () => {
    const target = machine();
    const builder = new BatchBuilder(BatchKind.Commands);
    for (const bytes of [
      Buffer.from("nonsense"),
      respBytes("GET", "k"),
      respBytes("SET", "k", "v"),
    ]) {
      builder.add(bytes, 0, bytes.length, 0);
    }
    const data = builder.seal({ nodeBytes: NODE, incarnation: 1, sequence: 1, aclRevision: 0 });
    const text = answers(target, { index: 1, term: 1, kind: EntryKind.Normal, data });
    expect(text).toMatch(/^-ERR Protocol error.*\r\n-ERR unknown write command.*\r\n\+OK\r\n$/);
  });

  it("comes out of a snapshot in pieces of any size as it went in", () => {
    const source = machine();
    source.apply(
      entry(1, {
        commands: [
          ["SET", "a", "1"],
          ["SET", "b", "2", "PX", "5000"],
          ["SET", "c", "x".repeat(3000)],
        ],
      }),
      NOBODY,
    );
    const pieces: Buffer[] = [encodeHeader(source.header())];
    const walk = source.keyspace.beginSnapshot();
    const out = {
      length: 0,
      append: (buffer: Uint8Array, start: number, end: number) => {
        pieces.push(Buffer.from(buffer.subarray(start, end)));
      },
    };
    while (!walk.step(out, { slots: 16, bytes: 1024 })) continue;
    const bytes = Buffer.concat(pieces);
    for (const size of [1, 7, 1000, bytes.length]) {
      const copy = machine();
      const reader = new SnapshotReader(copy.keyspace, (header) => {
        copy.restoreHeader(header, { index: 1, term: 1, configuration: CONFIGURATION });
      });
      for (let at = 0; at < bytes.length; at += size) reader.write(bytes.subarray(at, at + size));
      reader.end();
      expect(copy.stateHash()).toBe(source.stateHash());
      expect([copy.appliedIndex, copy.appliedTerm]).toEqual([1, 1]);
    }
  });

  it("refuses a snapshot that ends early or claims a header that can not be", () => {
    const readerOf = (): SnapshotReader => new SnapshotReader(machine().keyspace, () => undefined);
    expect(() => readerOf().end()).toThrow(/ends inside its header/);
    expect(() => readerOf().write(Buffer.of(255, 255, 255, 255))).toThrow(
      /claims 4294967295 bytes/,
    );
    const foreign = Buffer.of(3, 0, 0, 0, 0x81, 0xa1, 0x61);
    expect(() => readerOf().write(foreign)).toThrow();
  });
});
