import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { PeerPayload } from "../../../packages/node/src/replica/transport.ts";
import { PeerRoom } from "./peer-fixture.ts";

let room: PeerRoom;
beforeEach(() => {
  room = new PeerRoom();
});
afterEach(async () => {
  await room.close();
});

describe("a peer network of three", () => {
  it("forms one cluster, connects each to each and carries payload", async () => {
    const { nodes } = await room.cluster(["node-1", "node-2", "node-3"]);
    const [a, b, c] = nodes;
    if (a === undefined || b === undefined || c === undefined) {
      throw new Error("three were asked for");
    }
    expect(new Set(nodes.map((node) => node.network.genesis?.clusterId)).size).toBe(1);
    expect(a.network.genesis).toEqual(b.network.genesis);
    const ends = { from: a.identity.id, to: b.identity.id };
    const entries = [{ index: 8, term: 3, kind: 0 as const, data: Buffer.alloc(100_000, 7) }];
    const payload: PeerPayload = {
      kind: "raft",
      message: { kind: "append", ...ends, term: 3, previousIndex: 7, previousTerm: 2, entries, commit: 6 },
    };
    expect(a.network.send(b.identity.id, payload)).toBe(true);
    a.network.flush();
    await b.receivedCount(1);
    expect(b.received[0]?.from).toBe(a.identity.id);
    expect(b.received[0]?.payload).toEqual(payload);
    expect(c.received).toEqual([]);
  });
});
