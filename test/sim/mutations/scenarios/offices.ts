/** Offices that end by the clock: leases that run out, disks that hang, damage that must not vote. */
import { carryOutRepair, planAnew } from "@ferrite/storage";
import type { SimNode } from "../../world/sim-node.ts";
import { bringsEntries, messageOf } from "./message-of.ts";
import type { Scenario } from "./scenario.ts";
import type { Stage } from "./stage.ts";

/** Reads by lease until the leader has one. */
function holdLease(stage: Stage, leader: SimNode): void {
  stage.until("a lease", () => leader.replica?.mayReadNow("lease", 0) === true, 2000);
}

/** A leader with a lease stands still; when it goes on, its ticks know nothing of it. */
const leaseAfterPause: Scenario = {
  name: "lease-after-pause",
  about:
    "a leader with a lease stands still until another has written; its first step after that is a read",
  members: 3,
  limits: { leaseReads: true },
  play(stage) {
    const old = stage.servingLeader();
    stage.write(old);
    holdLease(stage, old);
    const rest = stage.others(old);
    old.pause();
    stage.write(stage.servingLeader(rest));
    stage.run(stage.prng.between(1, 200));
    stage.client.readByLease(old);
    old.resume();
  },
};

/** A follower has promised to elect nobody, and is restarted. */
const leaseAfterRestart: Scenario = {
  name: "lease-after-restart",
  about: "a follower on whose promise a lease rests is restarted and asked for its vote at once",
  members: 3,
  limits: { leaseReads: true },
  play(stage) {
    const old = stage.servingLeader();
    stage.write(old);
    const [promiser, rival] = stage.others(old);
    // The rival hears nothing of the leader from now on, and is soon ready to campaign.
    stage.network.cut(old.member.id, rival.member.id);
    stage.network.cut(rival.member.id, old.member.id);
    // Its question is on its way for long.
    stage.network.rule((from, to, payload) => {
      const asks = from === rival.member.id && to === promiser.member.id;
      return asks && messageOf(payload)?.kind === "preVoteRequest" ? "hold" : "pass";
    });
    const campaigns = (): boolean =>
      rival.replica?.role() === "preCandidate" && stage.network.heldCount > 0;
    if (!stage.wait(campaigns, 2000)) stage.skip();
    holdLease(stage, old);
    if (!campaigns()) stage.skip();
    stage.isolate(old);
    stage.killProcess(promiser);
    promiser.start();
    stage.network.passAll();
    stage.network.release();
    if (!stage.wait(() => rival.replica?.role() === "leader", 60)) return;
    const append = stage.client.write(rival);
    stage.wait(() => append.endMs !== Infinity, 30);
    stage.run(0.1);
    stage.client.readByLease(old);
  },
};

/** The log's device hangs and everything else goes on. */
const hungDisk: Scenario = {
  name: "hung-disk",
  about:
    "the leader's disk hangs while its heartbeats go on: another leads soon, and keeps the office",
  members: 3,
  play(stage) {
    const old = stage.servingLeader();
    stage.write(old);
    old.disk.slowness = 1_000_000;
    stage.client.write(old);
    const next = (): SimNode | undefined =>
      stage.others(old).find((node) => node.replica?.role() === "leader");
    stage.until("a leader whose disk answers", () => next() !== undefined, 1500);
    stage.write(stage.servingLeader(stage.others(old)));
    stage.kill(old);
    old.disk.slowness = 1;
  },
};

/** Nobody takes over, as nobody hears that he should. */
const hungDiskAlone: Scenario = {
  name: "hung-disk-alone",
  about:
    "the leader's disk hangs and its wish that another leads is lost: it steps down all the same",
  members: 3,
  play(stage) {
    const old = stage.servingLeader();
    stage.write(old);
    stage.network.rule((_from, _to, payload) => {
      return messageOf(payload)?.kind === "timeoutNow" ? "drop" : "pass";
    });
    old.disk.slowness = 1_000_000;
    stage.client.write(old);
    stage.until("stepping down", () => old.replica?.role() !== "leader", 2000);
    stage.write(stage.servingLeader(stage.others(old)));
    stage.kill(old);
    old.disk.slowness = 1;
  },
};

/** All of its log and snapshots is lost but the votes and where it ended: what its next start does about it. */
function loseLog({ disk, places }: SimNode): void {
  const damage = { file: places.log.directory, offsetBytes: 0, reason: "all is lost" };
  const plan = planAnew(disk, places, damage);
  if (plan.kept === null) throw new RangeError("its votes are to be known");
  carryOutRepair(disk, places, { ...plan, kept: plan.kept });
}

/** A node has lost what it acknowledged, and nobody else that is left has it. */
const damagedVoter: Scenario = {
  name: "damaged-voter",
  about:
    "a follower has lost its log, whose end the leader committed with it; only the third one, without it, is there",
  members: 3,
  play(stage) {
    const leader = stage.servingLeader();
    stage.write(leader);
    stage.run(100);
    const [damaged, third] = stage.others(leader);
    stage.network.rule((_from, to, payload) => {
      return to === third.member.id && bringsEntries(payload) ? "drop" : "pass";
    });
    stage.write(leader);
    stage.kill(leader, damaged);
    stage.network.passAll();
    loseLog(damaged);
    damaged.start();
    const rest = [damaged, third];
    stage.wait(() => rest.some((node) => node.replica?.role() === "leader"), 2000);
    leader.start();
    stage.write(stage.servingLeader());
  },
};

export const officeScenarios: readonly Scenario[] = [
  leaseAfterPause,
  leaseAfterRestart,
  hungDisk,
  hungDiskAlone,
  damagedVoter,
];
