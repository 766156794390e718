import { beforeEach, describe, expect, it } from "vitest";
import type { RaftCoreApi } from "@ferrite/raft";
import { BatchReader, uuidBytes } from "../../src/replica/batch.ts";
import { EntryWriter } from "../../src/replica/entry-writer.ts";
import { LogicalClock } from "../../src/replica/logical-clock.ts";
import { DEFAULT_REPLICA_LIMITS } from "../../src/replica/options.ts";
import { Proposals } from "../../src/replica/proposals.ts";
import type { StateMachine } from "../../src/replica/state-machine.ts";
import type { PeerPayload } from "../../src/replica/transport.ts";
import { SilentReply } from "../../src/resp/encoder.ts";

const SELF = "00112233-4455-4677-8899-aabbccddeeff";
const OTHER = "10112233-4455-4677-8899-aabbccddeeff";
const INCARNATION = 100;

let term: number;
let leader: string | null;
/** Sequences of what was proposed on this node, with the term. */
let proposed: string[];
let forwarded: Uint8Array[];
let bytesProposed: Uint8Array[];
let proposals: Proposals;
let writer: EntryWriter;

beforeEach(() => {
  term = 3;
  leader = SELF;
  proposed = [];
  forwarded = [];
  bytesProposed = [];
  proposals = new Proposals({
    nodeBytes: uuidBytes(SELF),
    incarnation: INCARNATION,
    limits: DEFAULT_REPLICA_LIMITS,
  });
  const core: Pick<RaftCoreApi, "leader" | "term" | "propose"> = {
    leader: () => leader,
    term: () => term,
    propose: (data) => {
      const reader = new BatchReader();
      reader.open(data);
      bytesProposed.push(data);
      proposed.push(`${reader.sequence} in ${term}`);
      return { accepted: true, index: proposed.length, term };
    },
  };
  writer = new EntryWriter({
    nodeId: SELF,
    isMember: (id) => id === SELF || id === OTHER,
    core: core as RaftCoreApi,
    clock: new LogicalClock({ nowMs: () => 1000, monotonicMs: () => 0 }),
    machine: (): StateMachine => {
      throw new Error("apply is not part of these tests");
    },
    hasSpace: () => true,
    random: () => 0.5,
    send: (_to: string, payload: PeerPayload) => {
      if (payload.kind === "forward") forwarded.push(payload.batch);
      return true;
    },
  });
});

function write(): void {
  const bytes = Buffer.from("*1\r\n$4\r\nPING\r\n");
  const client = {
    replyForWrite: () => new SilentReply(),
    writeApplied: () => undefined,
    writeFailed: () => undefined,
  };
  const from = { client, nowMs: 0, userId: 0, aclRevision: 0 };
  expect(proposals.submit(bytes, 0, bytes.length, from)).toBeNull();
  proposals.pump(writer.sendOwn, 0);
}

function sendAgain(): void {
  proposals.sendAllAgain();
  proposals.pump(writer.sendOwn, 0);
}

describe("a leader's own batches", () => {
  it("come into its log once a term, however long their outcome takes", () => {
    write();
    write();
    sendAgain();
    sendAgain();
    expect(proposed).toEqual(["1 in 3", "2 in 3"]);
  });

  it("come into it again in another term, as copies", () => {
    write();
    term = 5;
    sendAgain();
    expect(proposed).toEqual(["1 in 3", "1 in 5"]);
    expect(bytesProposed[0]).not.toBe(bytesProposed[1]);
    expect(Buffer.from(bytesProposed[0]).equals(bytesProposed[1])).toBe(true);
  });

  it("come into it again when one of them was put before its predecessor (R12)", () => {
    leader = OTHER;
    write();
    expect(forwarded).toHaveLength(1);
    // It leads from now on, and the next goes into its log before it sends all again.
    leader = SELF;
    write();
    expect(proposed).toEqual(["2 in 3"]);
    sendAgain();
    expect(proposed).toEqual(["2 in 3", "1 in 3"]);
    // Apply passes over the second batch.
    proposals.misplaced();
    proposals.pump(writer.sendOwn, 0);
    expect(proposed.slice(2)).toEqual(["1 in 3", "2 in 3"]);
  });
});
