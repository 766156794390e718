/** Snapshots that meet something else on their way: another leader, another snapshot, the log itself. */
import type { SimNode } from "../../world/sim-node.ts";
import { messageOf } from "./message-of.ts";
import type { Scenario } from "./scenario.ts";
import type { Stage } from "./stage.ts";

/** So many writes that a snapshot has several chunks. */
const ROUNDS = 6;
const LARGE_BYTES = 2000;

function writeMuch(stage: Stage, leader: SimNode, valueBytes = LARGE_BYTES): void {
  for (let round = 0; round < ROUNDS; round++) {
    stage.client.writeLarge(leader, valueBytes, round);
    stage.write(leader);
  }
}

/** The node takes a snapshot of now, and its log begins behind it. */
function compactAt(stage: Stage, node: SimNode): void {
  const { replica } = node;
  const { appliedIndex } = replica!.machine;
  replica!.snapshots.takeNow();
  stage.until("a snapshot", () => replica!.snapshots.latestIndex >= appliedIndex);
  replica!.core.compact(appliedIndex);
}

/** A follower that is behind the leader's log; it is up again, nothing is on its way yet. */
export function lagBehind(stage: Stage): { leader: SimNode; follower: SimNode; third: SimNode } {
  const leader = stage.servingLeader();
  const [follower, third] = stage.others(leader);
  stage.write(leader);
  stage.run(60);
  stage.isolate(follower);
  writeMuch(stage, leader);
  compactAt(stage, leader);
  return { leader, follower, third };
}

/** The leader dies while its snapshot is on its way, and the next one sends another. */
const twoSnapshots: Scenario = {
  name: "two-snapshots",
  about: "half of a snapshot has arrived when its leader dies; the next leader sends a newer one",
  members: 3,
  limits: { snapshotChunkBytes: 1500 },
  play(stage) {
    const { leader, follower, third } = lagBehind(stage);
    let chunks = 0;
    stage.network.rule((_from, to, payload) => {
      const message = messageOf(payload);
      if (to !== follower.member.id || message?.kind !== "snapshotChunk") return "pass";
      chunks++;
      return chunks > 2 ? "drop" : "pass";
    });
    stage.heal();
    if (!stage.wait(() => chunks > 2, 2000)) stage.skip();
    stage.run(3);
    stage.isolate(follower);
    writeMuch(stage, leader);
    compactAt(stage, third);
    stage.kill(leader);
    stage.network.passAll();
    stage.network.heal();
    // The third one needs the follower's vote; what it sends then is a snapshot of its own.
    const next = stage.servingLeader([third, follower]);
    stage.run(50);
    leader.start();
    stage.write(next.isUp ? next : stage.servingLeader());
  },
};

/** The same leader's snapshot arrives again, when the log has gone on. */
const oldSnapshot: Scenario = {
  name: "old-snapshot",
  about: "the chunks of a snapshot that was installed long ago arrive a second time",
  members: 3,
  play(stage) {
    const { leader, follower } = lagBehind(stage);
    const again: (() => void)[] = [];
    stage.network.divert((_from, to, payload, send) => {
      if (to === follower.member.id && messageOf(payload)?.kind === "snapshotChunk")
        again.push(send);
      send();
    });
    stage.heal();
    const isAbreast = (): boolean =>
      follower.replica?.machine.appliedIndex === leader.replica?.core.lastIndex();
    stage.until("catching up", isAbreast);
    stage.network.passAll();
    for (let count = 0; count < 4; count++) stage.write(leader);
    stage.until("being abreast", isAbreast);
    for (const send of again) send();
    stage.run(300);
    stage.write(stage.servingLeader());
  },
};

/** A new leader, who still has the whole log, appends while the old one's snapshot is being installed. */
const appendsMeanwhile: Scenario = {
  name: "appends-meanwhile",
  about: "a whole snapshot is being installed when a new leader comes and sends the log instead",
  members: 3,
  syncMs: { low: 2, high: 4 },
  play(stage) {
    const { leader, follower, third } = lagBehind(stage);
    let done = false;
    stage.network.rule((_from, to, payload) => {
      const message = messageOf(payload);
      if (to === follower.member.id && message?.kind === "snapshotChunk" && message.done)
        done = true;
      return "pass";
    });
    stage.heal();
    if (!stage.wait(() => done, 2000)) stage.skip();
    // Its log begins anew behind the snapshot when the disk gets to it.
    follower.disk.slowness = 20;
    leader.replica!.handOver();
    const next = stage.leader([third]);
    for (let count = 0; count < 6; count++) {
      if (next.replica?.role() === "leader") stage.client.write(next);
      stage.run(20);
    }
    follower.disk.slowness = 1;
    stage.run(300);
    stage.write(stage.servingLeader());
  },
};

/** A node applies what a majority has before its own disk does, takes a snapshot of it, and loses power. */
const snapshotAndPower: Scenario = {
  name: "snapshot-and-power",
  about: "nodes take snapshots under load and lose power at once",
  members: 3,
  stepMs: 2,
  limits: { snapshotLogBytes: 60_000, logCacheBytesMax: 60_000 },
  play(stage) {
    for (let round = 0; round < 6; round++) {
      const leader = stage.servingLeader();
      // More than a segment of the log, so that there is something to cut.
      writeMuch(stage, leader, 12_000);
      stage.run(stage.prng.next() * 3);
      stage.kill(...stage.nodes);
      for (const node of stage.nodes) node.start();
    }
    stage.write(stage.servingLeader());
  },
};

/** Files of two nodes at one position need not have the same bytes. */
const lentSnapshot: Scenario = {
  name: "lent-snapshot",
  about:
    "half of a snapshot that a follower lends has arrived when that one dies; the leader's own is of the same position",
  members: 3,
  limits: { snapshotChunkBytes: 1500 },
  play(stage) {
    const { leader, follower, third } = lagBehind(stage);
    stage.run(100);
    compactAt(stage, third);
    const position = leader.replica!.snapshots.latestIndex;
    if (third.replica!.snapshots.latestIndex !== position) stage.skip();
    let parts = 0;
    stage.network.rule((_from, _to, payload) => {
      if (payload.kind !== "chunkBytes") return "pass";
      parts++;
      return parts > 2 ? "drop" : "pass";
    });
    stage.heal();
    if (!stage.wait(() => parts > 2, 4000)) stage.skip();
    stage.kill(third);
    stage.network.passAll();
    stage.until("catching up", () => (follower.replica?.machine.appliedIndex ?? 0) >= position);
    third.start();
    stage.write(stage.servingLeader());
  },
};

export const snapshotScenarios: readonly Scenario[] = [
  twoSnapshots,
  lentSnapshot,
  oldSnapshot,
  appendsMeanwhile,
  snapshotAndPower,
];
