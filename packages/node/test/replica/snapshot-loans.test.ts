/** Snapshots that followers lend, so that the leader need not send its own. */
import type { SnapshotMeta } from "@ferrite/raft";
import { beforeEach, describe, expect, it } from "vitest";
import {
  OFFERS_MAX,
  READ_BYTES_MAX,
  READS_MAX,
  SnapshotLender,
} from "../../src/replica/snapshot-lender.ts";
import { SnapshotBorrower, WANTED_MAX } from "../../src/replica/snapshot-borrower.ts";
import type { LentChunk, PeerPayload } from "../../src/replica/transport.ts";
import { TestCluster, type TestNode } from "./cluster.ts";

const LIMITS = {
  snapshotLogBytes: 20_000,
  logCacheBytesMax: 8000,
  snapshotChunkBytes: 2000,
};

interface Scene {
  readonly cluster: TestCluster;
  readonly leader: TestNode;
  readonly lagging: TestNode;
  readonly other: TestNode;
  /** Kinds of payloads that were sent, with how often. */
  readonly sent: Map<string, number>;
}

/** One of three nodes is so far behind that it needs a snapshot, which these have. It is cut off still. */
function lagBehind(takers: "both" | "the leader" | "nobody" = "both"): Scene {
  const cluster = new TestCluster(3, LIMITS);
  cluster.settle();
  const leader = cluster.leader();
  const [lagging, other] = cluster.followers();
  cluster.isolate(lagging);
  for (let number = 0; number < 40; number++) {
    const pending = leader.write(0, "SET", `key:${number}`, `${number}`.repeat(500));
    cluster.runUntil("a write", () => pending.outcome !== null);
    expect(pending.outcome).toBe("+OK\r\n");
  }
  cluster.run(2000);
  if (takers !== "nobody") leader.replica.snapshots.takeNow();
  if (takers === "both") other.replica.snapshots.takeNow();
  cluster.run(2000);
  const sent = new Map<string, number>();
  cluster.drops = (_from, _to, payload) => {
    const kind = kindOf(payload);
    sent.set(kind, (sent.get(kind) ?? 0) + 1);
    return false;
  };
  return { cluster, leader, lagging, other, sent };
}

function kindOf(payload: PeerPayload): string {
  return payload.kind === "raft" ? payload.message.kind : payload.kind;
}

/** Drops what the test names, and counts the rest. */
function dropping({ cluster }: Scene, drops: TestCluster["drops"]): void {
  const count = cluster.drops;
  cluster.drops = (from, to, payload) => {
    const isDropped = drops(from, to, payload);
    return count(from, to, payload) || isDropped;
  };
}

/** The one that lags has all that the leader has, and the same. */
function caughtUp({ cluster, leader, lagging }: Scene): void {
  cluster.runUntil(
    "catching up",
    () => lagging.isUp && lagging.appliedIndex >= leader.replica.core.lastIndex(),
  );
  expect(lagging.replica.machine.stateHash()).toBe(leader.replica.machine.stateHash());
  expect(lagging.replica.snapshots.latestIndex).toBeGreaterThan(0);
}

describe("a follower that lags behind", () => {
  it("gets a snapshot from another follower, and nothing of it from the leader", () => {
    const scene = lagBehind();
    scene.cluster.heal();
    caughtUp(scene);
    expect(scene.leader.replica.snapshots.sentBytes).toBe(0);
    expect(scene.sent.get("snapshotChunk")).toBeUndefined();
    expect(scene.other.replica.snapshots.sentBytes).toBe(scene.other.disk.snapshot?.bytes.length);
  });

  it("gets one that the other follower takes for it when nobody has one that is new enough", () => {
    const scene = lagBehind("nobody");
    const { latestIndex } = scene.leader.replica.snapshots;
    expect(latestIndex).toBeLessThan(scene.leader.replica.core.status().firstIndex - 1);
    scene.cluster.heal();
    caughtUp(scene);
    expect(scene.leader.replica.snapshots.sentBytes).toBe(0);
    expect(scene.leader.replica.snapshots.latestIndex).toBe(latestIndex);
    expect(scene.sent.get("snapshotOffer")).toBeGreaterThan(1);
  });

  it("gets the leader's when the other follower would have to take one and the leader has one", () => {
    const scene = lagBehind("the leader");
    const { latestIndex } = scene.other.replica.snapshots;
    scene.cluster.heal();
    caughtUp(scene);
    expect(scene.leader.replica.snapshots.sentBytes).toBeGreaterThan(0);
    expect(scene.other.replica.snapshots.latestIndex).toBe(latestIndex);
  });

  it("gets the leader's when the other one comes to no end with the one that it takes", () => {
    const scene = lagBehind("nobody");
    scene.other.disk.keepsSnapshots = false;
    scene.cluster.heal();
    caughtUp(scene);
    expect(scene.leader.replica.snapshots.sentBytes).toBeGreaterThan(0);
  });

  it.each([
    ["the other follower is of an older version", (scene: Scene) => scene.other],
    ["it is of an older version itself", (scene: Scene) => scene.lagging],
  ])("gets the leader's when %s, and nobody is asked", (_why, older) => {
    const scene = lagBehind();
    const { id } = older(scene);
    scene.cluster.lends = (node) => node !== id;
    scene.cluster.heal();
    caughtUp(scene);
    expect(scene.sent.get("snapshotAsk")).toBeUndefined();
    expect(scene.leader.replica.snapshots.sentBytes).toBeGreaterThan(0);
    expect(scene.other.replica.snapshots.sentBytes).toBe(0);
  });

  it("gets the leader's when the other follower has no link to it", () => {
    const scene = lagBehind();
    scene.cluster.heal();
    scene.cluster.cut(scene.other, scene.lagging);
    caughtUp(scene);
    expect(scene.sent.get("snapshotOffer")).toBe(1);
    expect(scene.leader.replica.snapshots.sentBytes).toBeGreaterThan(0);
  });

  it("gets the leader's when the other follower does not answer", () => {
    const scene = lagBehind();
    dropping(scene, (_from, _to, { kind }) => kind === "snapshotOffer");
    scene.cluster.heal();
    caughtUp(scene);
    expect(scene.sent.get("chunkNotice")).toBeUndefined();
    expect(scene.leader.replica.snapshots.sentBytes).toBeGreaterThan(0);
  });

  it("gets the leader's from its beginning when the other one dies in the middle", () => {
    const scene = lagBehind();
    dropping(scene, (_from, _to, { kind }) => {
      if (kind === "chunkBytes" && scene.sent.get("chunkBytes") === 3) {
        scene.cluster.after(0, () => scene.other.kill());
      }
      return false;
    });
    scene.cluster.heal();
    const startedAtMs = scene.cluster.nowMs;
    caughtUp(scene);
    expect(scene.leader.replica.snapshots.sentBytes).toBeGreaterThan(0);
    expect(scene.cluster.nowMs - startedAtMs).toBeLessThan(3000);
  });

  it("goes on with the same file when parts of it are lost on their way", () => {
    const scene = lagBehind();
    let seen = 0;
    dropping(
      scene,
      (_from, _to, { kind }) =>
        kind.startsWith("chunk") && seen++ > 0 && scene.cluster.random() < 0.1,
    );
    scene.cluster.heal();
    caughtUp(scene);
    expect(seen).toBeGreaterThan(20);
    expect(scene.leader.replica.snapshots.sentBytes).toBe(0);
  });

  it("gets the leader's when the file is gone where it was offered", () => {
    const scene = lagBehind();
    dropping(scene, (_from, _to, { kind }) => {
      if (kind === "snapshotOffer") scene.other.disk.snapshot = null;
      return false;
    });
    // What could not be read is told, as it is the newest one there.
    const failures: string[] = [];
    scene.cluster.failures.push = (...told) => failures.push(...told);
    scene.cluster.heal();
    caughtUp(scene);
    expect(new Set(failures)).toEqual(new Set(["pruned"]));
    expect(scene.leader.replica.snapshots.sentBytes).toBeGreaterThan(0);
  });

  it("gets the leader's when the parts do not reach it", () => {
    const scene = lagBehind();
    dropping(scene, (_from, _to, { kind }) => kind === "chunkBytes");
    scene.cluster.heal();
    caughtUp(scene);
    expect(scene.leader.replica.snapshots.sentBytes).toBeGreaterThan(0);
  });

  it("goes on where it was when it was away for a while, with the same source", () => {
    const scene = lagBehind();
    const { cluster, lagging, sent } = scene;
    dropping(scene, (_from, _to, { kind }) => kind === "chunkBytes" && sent.get(kind)! > 3);
    cluster.heal();
    cluster.runUntil("the first parts", () => (sent.get("chunkBytes") ?? 0) > 3);
    const asked = sent.get("snapshotAsk");
    cluster.isolate(lagging);
    cluster.run(10_000);
    cluster.drops = (_from, _to, payload) => {
      sent.set(kindOf(payload), (sent.get(kindOf(payload)) ?? 0) + 1);
      return false;
    };
    if (cluster.leader() !== scene.leader) throw new Error("another leader");
    cluster.heal();
    caughtUp(scene);
    expect(sent.get("snapshotAsk")).toBe(asked);
    expect(scene.leader.replica.snapshots.sentBytes).toBe(0);
  });

  it("gets a snapshot through a change of leaders in the middle", () => {
    const scene = lagBehind();
    dropping(scene, (_from, _to, { kind }) => {
      if (kind === "chunkBytes" && scene.sent.get("chunkBytes") === 3) {
        scene.cluster.after(0, () => scene.leader.replica.handOver());
      }
      return false;
    });
    scene.cluster.heal();
    scene.cluster.runUntil("another leader", () => scene.other.replica.role() === "leader");
    caughtUp({ ...scene, leader: scene.other });
  });
});

// ---- Limits -----------------------------------------------------------------------------------------------------

const META: SnapshotMeta = {
  index: 9,
  term: 1,
  configuration: { voters: [], votersOutgoing: [], learners: [], learnersNext: [] },
  sizeBytes: READ_BYTES_MAX * 2,
};

describe("who lends a snapshot", () => {
  let newest = META;
  beforeEach(() => {
    newest = META;
  });

  function lender(): {
    readonly lender: SnapshotLender;
    readonly answers: PeerPayload[];
    readonly reads: ((error: Error | null, bytes: Uint8Array) => void)[];
    readonly read: (fields?: Partial<Extract<PeerPayload, { kind: "chunkRead" }>>) => void;
  } {
    const answers: PeerPayload[] = [];
    const reads: ((error: Error | null, bytes: Uint8Array) => void)[] = [];
    const made = new SnapshotLender({
      incarnation: 5,
      store: { read: (_meta, _range, onRead) => reads.push(onRead) },
      latest: () => newest,
      take: (asker, minimumIndex) => (asker === "a" ? minimumIndex + 1 : null),
      connected: () => true,
      readFailed: () => undefined,
      send: (_to, payload) => answers.push(payload) > 0,
    });
    const range = { incarnation: 5, index: 9, offsetBytes: 0, lengthBytes: 3 };
    const read: ReturnType<typeof lender>["read"] = (fields) =>
      made.read("c", { kind: "chunkRead", requestId: 1, ...range, ...fields });
    return { lender: made, answers, reads, read };
  }

  const ask = {
    kind: "snapshotAsk",
    requestId: 3,
    to: "c",
    minimumIndex: 9,
    mayTake: false,
  } as const;
  const nothing = { kind: "chunkBytes", requestId: 1, data: new Uint8Array(0) };

  it("offers the newest one if it is new enough, and takes one for the leader if it is not", () => {
    const { lender: made, answers } = lender();
    made.asked("a", { ...ask, minimumIndex: 10 });
    made.asked("a", { ...ask, minimumIndex: 10, mayTake: true });
    made.asked("b", { ...ask, minimumIndex: 10, mayTake: true });
    made.asked("a", { ...ask, mayTake: true });
    expect(answers.map((answer) => answer.kind === "snapshotOffer" && answer.offer)).toEqual([
      { state: "none" },
      { state: "beingTaken", index: 11 },
      { state: "none" },
      { state: "ready", meta: META, incarnation: 5 },
    ]);
  });

  it("reads nothing that it has not offered in this life", () => {
    const { lender: made, answers, reads, read } = lender();
    read();
    made.asked("a", ask);
    read({ incarnation: 4 });
    read({ index: 8 });
    expect(reads).toEqual([]);
    expect(answers.filter(({ kind }) => kind === "chunkBytes")).toEqual([
      nothing,
      nothing,
      nothing,
    ]);
    read();
    reads[0](null, new Uint8Array([1, 2, 3]));
    expect(answers.at(-1)).toEqual({ ...nothing, data: new Uint8Array([1, 2, 3]) });
    expect(made.lentBytes).toBe(3);
  });

  it("reads nothing beyond the end of what it offered", () => {
    const { lender: made, answers, reads, read } = lender();
    made.asked("a", ask);
    read({ offsetBytes: META.sizeBytes - 2 });
    read({ offsetBytes: Number.MAX_SAFE_INTEGER });
    expect(reads).toEqual([]);
    expect(answers.filter(({ kind }) => kind === "chunkBytes")).toEqual([nothing, nothing]);
    read({ offsetBytes: META.sizeBytes - 3 });
    expect(reads).toHaveLength(1);
  });

  it("remembers only its newest offers", () => {
    const { lender: made, reads, read } = lender();
    for (let index = 9; index <= 9 + OFFERS_MAX; index++) {
      newest = { ...META, index };
      made.asked("a", ask);
    }
    read({ index: 9 });
    expect(reads).toEqual([]);
    read({ index: 10 });
    read({ index: 9 + OFFERS_MAX });
    expect(reads).toHaveLength(2);
  });

  it("reads no more than its limits allow at once", () => {
    const { lender: made, answers, reads, read } = lender();
    made.asked("a", ask);
    read({ lengthBytes: READ_BYTES_MAX + 1 });
    expect(answers.at(-1)).toEqual(nothing);
    for (let count = 0; count < READS_MAX; count++) read({ lengthBytes: READ_BYTES_MAX });
    expect(reads).toHaveLength(READS_MAX);
    expect(answers).toHaveLength(2);
    read();
    expect(reads).toHaveLength(READS_MAX);
    expect(answers).toHaveLength(3);
    reads[0](new Error("gone"), new Uint8Array(0));
    read();
    expect(reads).toHaveLength(READS_MAX + 1);
  });
});

describe("who receives a lent snapshot", () => {
  function borrower(): {
    readonly borrower: SnapshotBorrower;
    readonly asked: Extract<PeerPayload, { kind: "chunkRead" }>[];
    readonly received: Uint8Array[];
    readonly clock: { nowMs: number };
  } {
    const asked: Extract<PeerPayload, { kind: "chunkRead" }>[] = [];
    const received: Uint8Array[] = [];
    const clock = { nowMs: 0 };
    const made = new SnapshotBorrower(
      {
        electionTimeoutMs: 100,
        monotonicMs: () => clock.nowMs,
        send: (_to, payload) => {
          if (payload.kind === "chunkRead") asked.push(payload);
          return true;
        },
        received: ({ data }) => received.push(data),
      },
      1000,
    );
    return { borrower: made, asked, received, clock };
  }

  function notice(offsetBytes: number): LentChunk {
    return {
      kind: "snapshotChunk",
      from: "a",
      to: "c",
      term: 1,
      meta: META,
      source: { node: "b", incarnation: 5 },
      offsetBytes,
      lengthBytes: 2,
      done: false,
      data: new Uint8Array(0),
    };
  }

  it("takes bytes only from the source that the leader named, once, and of the length that it named", () => {
    const { borrower: made, asked, received } = borrower();
    made.announced(notice(0));
    const [{ requestId }] = asked;
    const bytes = { kind: "chunkBytes", requestId, data: new Uint8Array([1, 2]) } as const;
    made.answered("d", bytes);
    made.answered("b", { ...bytes, requestId: requestId + 1 });
    expect(received).toEqual([]);
    made.answered("b", bytes);
    made.answered("b", bytes);
    expect(received).toEqual([bytes.data]);
    made.announced(notice(2));
    made.answered("b", { ...bytes, requestId: asked[1].requestId, data: new Uint8Array(1) });
    expect(received).toHaveLength(1);
  });

  it("asks once for what is announced again soon, and again when the link broke or time has passed", () => {
    const { borrower: made, asked, clock } = borrower();
    made.announced(notice(0));
    made.announced(notice(0));
    expect(asked).toHaveLength(1);
    made.disconnected("d");
    made.announced(notice(0));
    expect(asked).toHaveLength(1);
    made.disconnected("b");
    made.announced(notice(0));
    expect(asked).toHaveLength(2);
    clock.nowMs = 50;
    made.announced(notice(0));
    expect(asked).toHaveLength(3);
  });

  it("remembers no more announced chunks than its limit, and forgets the oldest", () => {
    const { borrower: made, asked, received } = borrower();
    for (let place = 0; place <= WANTED_MAX; place++) made.announced(notice(2 * place));
    const data = new Uint8Array(2);
    for (const { requestId } of asked) made.answered("b", { kind: "chunkBytes", requestId, data });
    expect(asked).toHaveLength(WANTED_MAX + 1);
    expect(received).toHaveLength(WANTED_MAX);
  });
});
