import { beforeEach, describe, expect, it } from "vitest";
import { BatchBuilder, BatchKind, BatchReader, uuidBytes } from "../../src/replica/batch.ts";
import { ForwardedWrites } from "../../src/replica/forwarding.ts";

const PEER = "00112233-4455-4677-8899-aabbccddeeff";
const PEER_KEY = uuidBytes(PEER).toString("latin1");

let appended: string[];
let applied: number;
let leads: boolean;
let hasSpace: boolean;
let accepts: boolean;
let forwarded: ForwardedWrites;

function batch(sequence: number, incarnation = 100): Buffer {
  const builder = new BatchBuilder(BatchKind.Commands);
  builder.add(Buffer.from("*1\r\n$4\r\nPING\r\n"), 0, 14, 0);
  return builder.seal({ nodeBytes: uuidBytes(PEER), incarnation, sequence, aclRevision: 0 });
}

/** What becomes of a batch that arrives: the refusal's reason, "appended" or "known". */
function receive(sequence: number, incarnation?: number): string {
  const before = appended.length;
  const refusal = forwarded.receive(PEER, PEER_KEY, batch(sequence, incarnation));
  if (refusal !== null) return refusal.reason;
  return appended.length > before ? "appended" : "known";
}

beforeEach(() => {
  appended = [];
  applied = 0;
  leads = true;
  hasSpace = true;
  accepts = true;
  forwarded = new ForwardedWrites({
    isLeader: () => leads,
    hasSpace: () => hasSpace,
    appliedSequence: (_originKey, incarnation) => (incarnation === 100 ? applied : 0),
    propose: (bytes) => {
      if (!accepts) return { accepted: false, reason: "overloaded", leader: PEER };
      const reader = new BatchReader();
      reader.open(bytes);
      appended.push(`${reader.incarnation}.${reader.sequence}`);
      return { accepted: true, index: appended.length, term: 1 };
    },
    timeMs: () => 1,
    seed: () => 2,
  });
});

describe("news of the commit index", () => {
  let told: string[];
  const tell = (commitIndex: number, lastIndex: number): boolean =>
    forwarded.tellCommit({ commitIndex, lastIndex }, (to) => told.push(to ?? "all"));

  beforeEach(() => {
    told = [];
  });

  it("goes at once to a node whose clients wait, until it has heard of all they wait for", () => {
    receive(1);
    receive(2);
    expect(tell(1, 9)).toBe(false);
    expect(tell(2, 9)).toBe(false);
    expect(tell(3, 9)).toBe(false);
    expect(told).toEqual([PEER, PEER]);
  });

  it("goes to all, once, when nothing was appended behind it by the next round", () => {
    expect(tell(5, 5)).toBe(true);
    expect(told).toEqual([]);
    expect(tell(5, 5)).toBe(false);
    expect(told).toEqual(["all"]);
    expect(tell(5, 5)).toBe(false);
    expect(told).toEqual(["all"]);
  });

  it("is left to the append that followed by the next round", () => {
    expect(tell(5, 5)).toBe(true);
    expect(tell(5, 6)).toBe(false);
    expect(tell(6, 6)).toBe(true);
    expect(tell(6, 7)).toBe(false);
    expect(told).toEqual([]);
  });
});

describe("a leader that is sent other nodes' batches", () => {
  it("appends a stream in its order, wherever it begins", () => {
    expect([receive(7), receive(8), receive(9)]).toEqual(["appended", "appended", "appended"]);
    expect(appended).toEqual(["100.7", "100.8", "100.9"]);
  });

  it("refuses what came without its predecessor, and takes it behind that", () => {
    receive(7);
    expect(receive(9)).toBe("gap");
    expect([receive(8), receive(9)]).toEqual(["appended", "appended"]);
  });

  it("appends nothing twice that is sent again", () => {
    for (const sequence of [7, 8, 9]) receive(sequence);
    expect([receive(7), receive(8), receive(9), receive(10)]).toEqual([
      "known",
      "known",
      "known",
      "appended",
    ]);
  });

  it("goes on behind the newest although an older batch was sent again and the rest of it got lost", () => {
    for (const sequence of [7, 8, 9]) receive(sequence);
    receive(7);
    expect(receive(10)).toBe("appended");
  });

  it("goes on behind what another leader got applied of the stream", () => {
    receive(7);
    applied = 9;
    expect(receive(8)).toBe("known");
    expect(receive(10)).toBe("appended");
  });

  it("takes the stream again from before its beginning, when apply saw a gap there", () => {
    receive(7);
    receive(8);
    expect([receive(6), receive(7), receive(8)]).toEqual(["appended", "appended", "appended"]);
  });

  it("begins anew with a new incarnation of the node", () => {
    receive(7);
    receive(8);
    applied = 8;
    expect([receive(1, 101), receive(2, 101)]).toEqual(["appended", "appended"]);
  });

  it("forgets what it appended when the leader changes: it may be gone", () => {
    receive(7);
    forwarded.forget();
    expect(receive(7)).toBe("appended");
  });

  it("says why it takes nothing: it does not lead, has no room, or enough to do", () => {
    leads = false;
    expect(receive(1)).toBe("notLeader");
    leads = true;
    hasSpace = false;
    expect(receive(1)).toBe("noSpace");
    hasSpace = true;
    accepts = false;
    expect(receive(1)).toBe("busy");
  });

  it("drops what is no batch, or not the sender's", () => {
    expect(forwarded.receive(PEER, PEER_KEY, Buffer.from("nonsense"))).toBeNull();
    expect(forwarded.receive(PEER, "somebody else....", batch(1))).toBeNull();
    expect(appended).toEqual([]);
  });
});
