import { beforeEach, describe, expect, it } from "vitest";
import { BatchReader, uuidBytes } from "../../src/replica/batch.ts";
import { DEFAULT_REPLICA_LIMITS } from "../../src/replica/options.ts";
import { Proposals, type OwnBatch, type ProposalLimits } from "../../src/replica/proposals.ts";
import type { WriteClient } from "../../src/replica/write-path.ts";
import { SilentReply } from "../../src/resp/encoder.ts";

const NODE = uuidBytes("00112233-4455-4677-8899-aabbccddeeff");

class Client implements WriteClient {
  readonly failures: string[] = [];

  replyForWrite(): SilentReply {
    return new SilentReply();
  }

  writeApplied(): void {
    throw new Error("apply is not part of these tests");
  }

  writeFailed(errorText: string): void {
    this.failures.push(errorText.split(" ")[0]);
  }
}

let client: Client;
let proposals: Proposals;
let sent: OwnBatch[];
const accept = (batch: OwnBatch): boolean => {
  sent.push(batch);
  return true;
};

function make(limits: Partial<ProposalLimits> = {}): Proposals {
  return new Proposals({
    nodeBytes: NODE,
    incarnation: 100,
    // A batch a round, unless a test is about gathering.
    limits: { ...DEFAULT_REPLICA_LIMITS, gatherMsMax: 0, ...limits },
  });
}

function submit(text = "*1\r\n$4\r\nPING\r\n", nowMs = 0): string | null {
  const bytes = Buffer.from(text);
  return proposals.submit(bytes, 0, bytes.length, { client, nowMs, userId: 0, aclRevision: 0 });
}

function refuse(
  sequence: number,
  retryAtMs: number,
  reason: "notLeader" | "gap" = "notLeader",
): void {
  proposals.refused({ kind: "forwardRefused", incarnation: 100, sequence, reason }, retryAtMs);
}

function numbered(batches: readonly OwnBatch[]): string[] {
  return batches.map((batch) => {
    const reader = new BatchReader();
    reader.open(batch.bytes);
    expect([reader.incarnation, reader.sequence]).toEqual([batch.incarnation, batch.sequence]);
    return `${batch.incarnation}.${batch.sequence}`;
  });
}

beforeEach(() => {
  client = new Client();
  proposals = make();
  sent = [];
});

describe("a node's stream of writes", () => {
  it("puts what came since the last round into one batch", () => {
    submit();
    submit();
    proposals.pump(accept, 0);
    expect(sent).toHaveLength(1);
    expect(sent[0].clients).toHaveLength(2);
  });

  it("puts writes that were checked under different users into different batches (S03)", () => {
    const bytes = Buffer.from("*1\r\n$4\r\nPING\r\n");
    for (const [userId, aclRevision] of [
      [0, 3],
      [7, 3],
      [7, 4],
    ]) {
      proposals.submit(bytes, 0, bytes.length, { client, nowMs: 0, userId, aclRevision });
    }
    proposals.pump(accept, 0);
    const found = sent.map((batch) => {
      const reader = new BatchReader();
      reader.open(batch.bytes);
      const users: number[] = [];
      while (reader.next()) users.push(reader.recordUserId);
      return [reader.aclRevision, users];
    });
    expect(found).toEqual([
      [3, [0, 7]],
      [4, [7]],
    ]);
  });

  it("numbers batches in order and keeps a limited number of them on their way", () => {
    proposals = make({ inflightBatchesMax: 2 });
    for (let round = 0; round < 3; round++) {
      submit();
      proposals.pump(accept, 0);
    }
    expect(numbered(sent)).toEqual(["100.1", "100.2"]);
    expect(proposals.take(100, 1)).toHaveLength(1);
    proposals.pump(accept, 0);
    expect(numbered(sent)).toEqual(["100.1", "100.2", "100.3"]);
  });

  it("gathers, while batches are on their way, until there are as many writes as in them", () => {
    proposals = make({ gatherMsMax: 10 });
    for (let write = 0; write < 3; write++) submit();
    proposals.pump(accept, 0);
    submit();
    submit();
    proposals.pump(accept, 9);
    expect(numbered(sent)).toEqual(["100.1"]);
    submit();
    proposals.pump(accept, 9);
    expect(sent.map((batch) => batch.clients.length)).toEqual([3, 3]);
    for (let write = 0; write < 5; write++) submit();
    proposals.pump(accept, 9);
    expect(sent).toHaveLength(2);
    submit();
    proposals.pump(accept, 9);
    expect(sent.map((batch) => batch.clients.length)).toEqual([3, 3, 6]);
  });

  it("gathers no longer when what was on its way has been applied, and says that there is something to send", () => {
    proposals = make({ gatherMsMax: 10 });
    expect(proposals.hasGathered(0)).toBe(false);
    submit();
    submit();
    expect(proposals.hasGathered(0)).toBe(true);
    proposals.pump(accept, 0);
    submit();
    proposals.pump(accept, 1);
    expect(proposals.hasGathered(1)).toBe(false);
    expect(proposals.take(100, 1)).toHaveLength(2);
    expect(proposals.hasGathered(1)).toBe(true);
    proposals.pump(accept, 1);
    expect(sent.map((batch) => batch.clients.length)).toEqual([2, 1]);
    expect(proposals.hasGathered(1)).toBe(false);
  });

  it("gathers for no longer than gatherMsMax", () => {
    proposals = make({ gatherMsMax: 10 });
    submit();
    submit();
    proposals.pump(accept, 0);
    submit(undefined, 5);
    proposals.pump(accept, 14);
    expect(sent).toHaveLength(1);
    proposals.pump(accept, 15);
    expect(sent.map((batch) => batch.clients.length)).toEqual([2, 1]);
  });

  it("gathers no more than gatherBytesMax", () => {
    proposals = make({ gatherMsMax: 10, gatherBytesMax: 1000 });
    submit();
    submit();
    proposals.pump(accept, 0);
    submit(`*2\r\n$4\r\nPING\r\n$800\r\n${"x".repeat(800)}\r\n`);
    proposals.pump(accept, 1);
    expect(sent).toHaveLength(1);
    proposals = make({ gatherMsMax: 10, gatherBytesMax: 800 });
    sent = [];
    submit();
    submit();
    proposals.pump(accept, 0);
    submit(`*2\r\n$4\r\nPING\r\n$800\r\n${"x".repeat(800)}\r\n`);
    proposals.pump(accept, 1);
    expect(sent.map((batch) => batch.clients.length)).toEqual([2, 1]);
  });

  it("has nothing to send, however much has gathered, while a leader is not to be asked or takes nothing", () => {
    proposals = make({ gatherMsMax: 10 });
    submit();
    proposals.pump(() => false, 0);
    submit();
    expect(proposals.hasGathered(100)).toBe(false);
    proposals = make({ inflightBatchesMax: 1 });
    submit();
    proposals.pump(accept, 0);
    submit();
    expect(proposals.hasGathered(100)).toBe(false);
    refuse(1, 200);
    expect(proposals.hasGathered(199)).toBe(false);
  });

  it("sends everything open again, under the same numbers, when the leader changes (R12)", () => {
    submit();
    proposals.pump(accept, 0);
    submit();
    proposals.pump(accept, 0);
    proposals.sendAllAgain();
    proposals.pump(accept, 0);
    expect(numbered(sent)).toEqual(["100.1", "100.2", "100.1", "100.2"]);
  });

  it("sends again what has had no outcome for some time", () => {
    proposals = make({ resendAfterMs: 50 });
    submit();
    proposals.pump(accept, 0);
    proposals.tick(49);
    proposals.pump(accept, 49);
    expect(sent).toHaveLength(1);
    proposals.tick(50);
    proposals.pump(accept, 50);
    expect(sent).toHaveLength(2);
  });

  it("waits longer for the outcome of what is large: a copy would be no faster", () => {
    proposals = make({ resendAfterMs: 50 });
    submit("x".repeat(16 * 1024 * 1024));
    proposals.pump(accept, 0);
    proposals.tick(50 + 1023);
    proposals.pump(accept, 1073);
    expect(sent).toHaveLength(1);
    proposals.tick(50 + 1024);
    proposals.pump(accept, 1074);
    expect(sent).toHaveLength(2);
  });

  it("gives a batch to apply only when it is the oldest open one", () => {
    submit();
    proposals.pump(accept, 0);
    submit();
    proposals.pump(accept, 0);
    expect(proposals.take(100, 2)).toBeNull();
    expect(proposals.take(99, 1)).toBeNull();
    expect(proposals.take(100, 1)).toEqual([client]);
    expect(proposals.take(100, 1)).toBeNull();
  });

  it("R06: answers CLUSTERDOWN for what nobody was ever sent, and uses its number again", () => {
    submit("*1\r\n$4\r\nPING\r\n", 0);
    proposals.pump(() => false, 0);
    proposals.tick(DEFAULT_REPLICA_LIMITS.timeoutMs);
    expect(client.failures).toEqual(["CLUSTERDOWN"]);
    submit("*1\r\n$4\r\nPING\r\n", 20_000);
    proposals.pump(accept, 20_000);
    expect(numbered(sent)).toEqual(["100.1"]);
  });

  it("R06: answers UNKNOWNOUTCOME for what was sent, never sends it again, and goes on in a new incarnation", () => {
    submit("*1\r\n$4\r\nPING\r\n", 0);
    proposals.pump(accept, 0);
    submit("*1\r\n$4\r\nPING\r\n", 9_000);
    proposals.pump(() => false, 9_000);
    proposals.tick(10_000);
    expect(client.failures).toEqual(["UNKNOWNOUTCOME"]);
    sent = [];
    proposals.sendAllAgain();
    proposals.pump(accept, 10_000);
    expect(numbered(sent)).toEqual(["101.1"]);
  });

  it("knows that a batch is nowhere when its only attempt was refused", () => {
    submit("*1\r\n$4\r\nPING\r\n", 0);
    proposals.pump(accept, 0);
    refuse(1, 0);
    proposals.tick(10_000);
    expect(client.failures).toEqual(["CLUSTERDOWN"]);
  });

  it("does not take one refusal of several attempts for proof", () => {
    submit("*1\r\n$4\r\nPING\r\n", 0);
    proposals.pump(accept, 0);
    proposals.sendAllAgain();
    proposals.pump(accept, 1);
    refuse(1, 0);
    proposals.tick(10_000);
    expect(client.failures).toEqual(["UNKNOWNOUTCOME"]);
  });

  it("waits after a refusal before it asks again", () => {
    submit();
    proposals.pump(accept, 0);
    refuse(1, 20);
    proposals.pump(accept, 19);
    expect(sent).toHaveLength(1);
    proposals.pump(accept, 20);
    expect(sent).toHaveLength(2);
  });

  it("goes back to the oldest open batch when the leader misses one before the refused", () => {
    for (let batch = 0; batch < 3; batch++) {
      submit();
      proposals.pump(accept, 0);
    }
    refuse(3, 20, "gap");
    sent = [];
    proposals.pump(accept, 20);
    expect(numbered(sent)).toEqual(["100.1", "100.2", "100.3"]);
  });

  it("closes a batch at its size limit, so that one entry stays a bounded piece of work", () => {
    proposals = make({ batchBytesMax: 200 });
    for (let write = 0; write < 10; write++) submit(`*1\r\n$60\r\n${"x".repeat(60)}\r\n`);
    proposals.pump(accept, 0);
    expect(sent.length).toBeGreaterThan(3);
    for (const batch of sent) expect(batch.bytes.length).toBeLessThanOrEqual(200 + 100);
  });

  it("refuses a command beyond its limit and writes beyond the queue's, and says that they were not applied", () => {
    proposals = make({ commandBytesMax: 100, queueBytesMax: 300 });
    expect(submit("x".repeat(101))).toContain("100");
    let error: string | null = null;
    for (let write = 0; write < 10 && error === null; write++) error = submit("x".repeat(90));
    expect(error).toMatch(/^CLUSTERDOWN .*proposal-queue-bytes.*not applied/);
  });

  it("takes one write that is as large as the whole queue", () => {
    proposals = make({ queueBytesMax: 300 });
    submit();
    expect(submit("x".repeat(300))).toBeNull();
    expect(submit()).toMatch(/^CLUSTERDOWN/);
    proposals.pump(accept, 0);
    for (const batch of sent) proposals.take(batch.incarnation, batch.sequence);
    expect(submit()).toBeNull();
  });

  it("answers everything when the node stops, in the order it came", () => {
    submit();
    proposals.pump(accept, 0);
    submit();
    proposals.failAll();
    expect(client.failures).toEqual(["UNKNOWNOUTCOME", "CLUSTERDOWN"]);
    expect(proposals.isIdle).toBe(true);
    expect(proposals.queuedBytes).toBeLessThan(100);
  });

  it("answers what ran inside a snapshot, which never comes up in apply, and goes on behind it", () => {
    for (let batch = 0; batch < 3; batch++) {
      submit();
      proposals.pump(accept, 0);
    }
    proposals.jumpTo(2);
    expect(client.failures).toEqual(["UNKNOWNOUTCOME", "UNKNOWNOUTCOME"]);
    expect(proposals.take(100, 3)).toEqual([client]);
    submit();
    proposals.pump(accept, 0);
    expect(numbered(sent).at(-1)).toBe("100.4");
  });

  it("numbers on behind a snapshot although it had nothing open", () => {
    submit("*1\r\n$4\r\nPING\r\n", 0);
    proposals.pump(accept, 0);
    proposals.jumpTo(1);
    submit("*1\r\n$4\r\nPING\r\n", 0);
    proposals.pump(() => false, 0);
    proposals.tick(10_000);
    submit("*1\r\n$4\r\nPING\r\n", 10_000);
    proposals.pump(accept, 10_000);
    expect(client.failures).toEqual(["UNKNOWNOUTCOME", "CLUSTERDOWN"]);
    expect(numbered(sent).at(-1)).toBe("100.2");
  });

  it("leaves its batches alone when a snapshot holds none of this incarnation", () => {
    submit();
    proposals.pump(accept, 0);
    proposals.jumpTo(0);
    expect(client.failures).toEqual([]);
    expect(proposals.take(100, 1)).toEqual([client]);
  });

  /** The first batch was refused by the leader, the second is on its way behind it. */
  function refusedBeforeSent(): void {
    submit("*1\r\n$4\r\nPING\r\n", 0);
    proposals.pump(accept, 0);
    submit("*1\r\n$4\r\nPING\r\n", 5_000);
    proposals.pump(accept, 5_000);
    refuse(1, 60_000);
  }

  it("never gives two batches one number: behind one that is given up, the rest begins a new incarnation", () => {
    refusedBeforeSent();
    submit("*1\r\n$4\r\nPING\r\n", 6_000);
    proposals.pump(accept, 6_000);
    const handedOut = sent[1].bytes;
    const before = Buffer.from(handedOut);
    proposals.tick(10_000);
    expect(client.failures).toEqual(["CLUSTERDOWN"]);
    sent = [];
    proposals.sendAllAgain();
    proposals.pump(accept, 10_000);
    expect(numbered(sent)).toEqual(["101.1", "101.2"]);
    // A log or a link may still hold the bytes it was given.
    expect(handedOut).toEqual(before);
  });

  it("R06: knows that a batch behind one that is nowhere can not be applied", () => {
    submit("*1\r\n$4\r\nPING\r\n", 0);
    proposals.pump(accept, 0);
    submit("*1\r\n$4\r\nPING\r\n", 0);
    proposals.pump(accept, 0);
    submit("*1\r\n$4\r\nPING\r\n", 0);
    proposals.pump(accept, 0);
    refuse(2, 60_000);
    proposals.tick(10_000);
    expect(client.failures).toEqual(["UNKNOWNOUTCOME", "CLUSTERDOWN", "CLUSTERDOWN"]);
  });

  it("answers everything when the node stops, also what was sent behind a refused batch", () => {
    refusedBeforeSent();
    proposals.failAll();
    expect(client.failures).toEqual(["CLUSTERDOWN", "CLUSTERDOWN"]);
    expect(proposals.isIdle).toBe(true);
  });
});
