import { describe, expect, it } from "vitest";
import type { RaftCoreApi, RaftStatus } from "@ferrite/raft";
import { CopyCounts } from "../../src/replica/copy-counts.ts";
import type { PeerPayload } from "../../src/replica/transport.ts";

/** A follower of three, whose leader is "l"; only what CopyCounts looks at is there. */
function follower(): {
  readonly counts: CopyCounts;
  readonly sent: PeerPayload[];
  readonly time: { nowMs: number };
} {
  const time = { nowMs: 0 };
  const sent: PeerPayload[] = [];
  const status: Partial<RaftStatus> = {
    role: "follower",
    commitIndex: 7,
    configuration: { voters: ["a", "b", "l"], votersOutgoing: [], learners: [], learnersNext: [] },
  };
  const core: Pick<RaftCoreApi, "role" | "leader" | "status"> = {
    role: () => "follower",
    leader: () => "l",
    status: () => status as RaftStatus,
  };
  const counts = new CopyCounts(
    {
      core: core as RaftCoreApi,
      monotonicMs: () => time.nowMs,
      send: (_to, payload) => sent.push(payload),
    },
    1,
  );
  return { counts, sent, time };
}

describe("WAIT on a follower", () => {
  it("asks the leader in time for the answer to be back, and answers with the most it heard when the time is up", () => {
    const { counts, sent, time } = follower();
    const answers: number[] = [];
    counts.wait({ index: 7, wanted: 5, timeoutMs: 200 }, (count) => answers.push(count));
    expect(sent).toEqual([
      { kind: "copiesQuery", requestId: 1, index: 7, wanted: 5, timeoutMs: 100 },
    ]);
    time.nowMs = 101;
    counts.answered({ kind: "copiesAnswer", requestId: 1, count: 2 });
    expect(sent).toHaveLength(2);
    time.nowMs = 200;
    counts.check();
    expect(answers).toEqual([2]);
  });

  it("answers at once when the leader says that there are enough", () => {
    const { counts } = follower();
    const answers: number[] = [];
    counts.wait({ index: 7, wanted: 2, timeoutMs: 0 }, (count) => answers.push(count));
    counts.answered({ kind: "copiesAnswer", requestId: 1, count: 2 });
    expect(answers).toEqual([2]);
  });

  it("needs no leader for what a majority is known to have", () => {
    const { counts } = follower();
    const answers: number[] = [];
    counts.wait({ index: 7, wanted: 1, timeoutMs: 0 }, (count) => answers.push(count));
    counts.check();
    expect(answers).toEqual([1]);
  });

  it("asks the next leader when the one that was asked is gone", () => {
    const { counts, sent } = follower();
    counts.wait({ index: 9, wanted: 2, timeoutMs: 0 }, () => undefined);
    counts.leaderChanged();
    expect(sent).toHaveLength(2);
  });
});
