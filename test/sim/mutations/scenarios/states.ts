/** Nodes that compare their states (R32): one bit of one node's memory is another one, or none is and all must see that. */
import type { SimNode } from "../../world/sim-node.ts";
import { invite, readyToChange } from "./members.ts";
import type { Scenario } from "./scenario.ts";
import { lagBehind } from "./snapshots.ts";
import { STAGE_KEY } from "./stage-client.ts";
import type { Stage } from "./stage.ts";

type Verdict = NonNullable<NonNullable<SimNode["replica"]>["checks"]["verdict"]>;

/** Longer than a check waits for who is silent. */
const VERDICT_WITHIN_MS = 70_000;

/** All have the same state; its writes are acknowledged. */
function fill(stage: Stage): void {
  readyToChange(stage);
  for (let count = 0; count < 3; count++) stage.write(stage.servingLeader());
  stage.until("being abreast", () => {
    const ends = stage.nodes.map(({ replica }) => replica?.machine.appliedIndex);
    return new Set(ends).size === 1 && stage.leader().replica!.core.lastIndex() === ends[0];
  });
}

/** In memory alone: the disk and the other nodes have it right. */
function flipBit(node: SimNode): void {
  const { keyspace } = node.replica!.machine;
  const key = Buffer.from(STAGE_KEY);
  const ref = keyspace.find(key, 0, key.length, 0);
  keyspace.valueBuffer(ref)[keyspace.valueStart(ref)] ^= 1;
}

/** These are to stop, each once, and nobody else. What is returned grows by who has. */
function onlyTheseStop(stage: Stage, wrong: readonly SimNode[]): ReadonlySet<SimNode> {
  const stopped = new Set<SimNode>();
  stage.expectsStop = (node, error) => {
    if ((error as { code?: unknown }).code !== "STATE_DIVERGED") return false;
    const { name } = node.member;
    if (!wrong.includes(node)) stage.violated("states", `${name} stopped, and its state is right`);
    if (stopped.has(node)) stage.violated("states", `${name} was judged by an earlier process`);
    stopped.add(node);
    return true;
  };
  return stopped;
}

/** Asks for a comparison; the answer comes later. */
function begin(node: SimNode): { verdict: Verdict | string | null } {
  const asked: { verdict: Verdict | string | null } = { verdict: null };
  node.replica!.checks.check((verdict) => (asked.verdict = verdict));
  return asked;
}

function compare(stage: Stage, node: SimNode): Verdict {
  const asked = begin(node);
  stage.until("a verdict", () => asked.verdict !== null, VERDICT_WITHIN_MS);
  const { verdict } = asked;
  return typeof verdict === "string" ? stage.violated("states", verdict) : verdict!;
}

function expectOutcome(stage: Stage, verdict: Verdict, outcome: Verdict["outcome"]): void {
  if (verdict.outcome === outcome) return;
  stage.violated("states", `the verdict is ${verdict.outcome} and should be ${outcome}`);
}

/** Its process ends, another one makes its memory anew from its disk. */
function startAnew(stage: Stage, ...nodes: readonly SimNode[]): void {
  stage.killProcess(...nodes);
  for (const node of nodes) node.start();
  stage.until("catching up", () => nodes.every(({ replica }) => replica?.service.isCaughtUp));
}

function isAlarmed(stage: Stage, about: SimNode): boolean {
  const leader = stage.nodes.find((node) => node.replica?.role() === "leader");
  const alarms = leader?.replica?.machine.members.alarms() ?? [];
  return alarms.some(({ kind, nodeId }) => kind === "state" && nodeId === about.member.id);
}

/** One node's memory is wrong: it alone stops, all are told, and it comes back. */
function differs(stage: Stage, wrong: SimNode): void {
  const right = stage.others(wrong);
  const stopped = onlyTheseStop(stage, [wrong]);
  flipBit(wrong);
  begin(right[0]);
  const hasJudged = (node: SimNode): boolean => {
    const members = node.replica!.checks.verdict?.members ?? [];
    return members.some(({ id, state }) => id === wrong.member.id && state === "different");
  };
  stage.until("a verdict", () => right.every(hasJudged));
  stage.wait(() => stopped.has(wrong), 500);
  const read = stage.client.read(wrong);
  stage.wait(() => read.outcome !== null, 500);
  if (Array.isArray(read.outcome)) {
    stage.violated("states", "a node that knows that its state is wrong goes on serving it");
  }
  stage.killProcess(wrong);
  stage.write(stage.servingLeader(right));
  stage.until("an alarm", () => isAlarmed(stage, wrong));
  // The check and what it said itself come up again, and are of a process that is no more.
  startAnew(stage, wrong);
  stage.run(1000);
  expectOutcome(stage, compare(stage, wrong), "equal");
  stage.until("the end of the alarm", () => !isAlarmed(stage, wrong));
}

const aFollowerDiffers: Scenario = {
  name: "a-follower-differs",
  about: "a bit of a follower's memory changes; states are compared; it is started again",
  members: 3,
  play(stage) {
    fill(stage);
    differs(stage, stage.others(stage.servingLeader())[0]);
  },
};

const theLeaderDiffers: Scenario = {
  name: "the-leader-differs",
  about: "a bit of the leader's memory changes; states are compared; another one leads",
  members: 3,
  play(stage) {
    fill(stage);
    differs(stage, stage.servingLeader());
  },
};

const aSilentNode: Scenario = {
  name: "a-silent-node",
  about: "the node whose memory is wrong can not be reached while states are compared",
  members: 3,
  play(stage) {
    fill(stage);
    const leader = stage.servingLeader();
    const [silent] = stage.others(leader);
    const stopped = onlyTheseStop(stage, [silent]);
    flipBit(silent);
    stage.isolate(silent);
    const verdict = compare(stage, leader);
    expectOutcome(stage, verdict, "incomplete");
    const states = verdict.members.filter(({ id }) => id === silent.member.id);
    if (states[0]?.state !== "unknown") stage.violated("states", "silence is taken for an answer");
    // What it says later is an answer.
    stage.heal();
    stage.until("a late verdict", () => stopped.has(silent));
    startAnew(stage, silent);
  },
};

const twoDifferAlike: Scenario = {
  name: "two-of-five-differ-alike",
  about: "two memories are wrong in the same way, and two of the others answer later",
  members: 5,
  play(stage) {
    fill(stage);
    const leader = stage.servingLeader();
    const [first, second, ...late] = stage.others(leader);
    const stopped = onlyTheseStop(stage, [first, second]);
    flipBit(first);
    flipBit(second);
    stage.isolate(...late);
    begin(leader);
    stage.until("three answers", () => {
      const members = leader.replica!.checks.verdict?.members ?? [];
      return members.filter(({ report }) => report !== null).length === 3;
    });
    stage.run(300);
    stage.heal();
    stage.until("a verdict", () => stopped.size === 2);
    startAnew(stage, first, second);
  },
};

const halfDiffer: Scenario = {
  name: "half-of-them-differ",
  about: "two of four memories are wrong in the same way: nobody can say who is right",
  members: 4,
  play(stage) {
    fill(stage);
    onlyTheseStop(stage, []);
    const leader = stage.servingLeader();
    const [first, second, third] = stage.others(leader);
    flipBit(first);
    flipBit(second);
    expectOutcome(stage, compare(stage, third), "undecided");
    stage.run(500);
    startAnew(stage, first, second);
    expectOutcome(stage, compare(stage, stage.servingLeader()), "equal");
  },
};

const twoAreBusy: Scenario = {
  name: "two-are-busy",
  about: "two of three take snapshots when states are compared, and can not hash theirs",
  members: 3,
  play(stage) {
    fill(stage);
    onlyTheseStop(stage, []);
    const leader = stage.servingLeader();
    // Of a snapshot of much more than these nodes have.
    const walks = stage.others(leader).map(({ replica }) => {
      return replica!.machine.keyspace.beginSnapshot();
    });
    const verdict = compare(stage, leader);
    for (const walk of walks) walk.cancel();
    expectOutcome(stage, verdict, "incomplete");
    expectOutcome(stage, compare(stage, leader), "equal");
  },
};

const comparedUnderLoad: Scenario = {
  name: "compared-under-load",
  about: "equal states are compared, again and again, while all nodes write",
  members: 3,
  play(stage) {
    fill(stage);
    onlyTheseStop(stage, []);
    for (let round = 0; round < 12; round++) {
      for (const node of stage.nodes) stage.client.write(node);
      begin(stage.prng.pick(stage.nodes));
      for (const node of stage.nodes) stage.client.write(node);
      stage.run(stage.prng.next() * 8);
    }
    stage.until("answers", () => stage.client.isIdle);
    expectOutcome(stage, compare(stage, stage.servingLeader()), "equal");
  },
};

const restoredAndCompared: Scenario = {
  name: "restored-and-compared",
  about: "a member is invited; a node that learns of it from a snapshot compares its state",
  members: 3,
  play(stage) {
    readyToChange(stage);
    onlyTheseStop(stage, []);
    invite(stage, "node9");
    const { leader, follower } = lagBehind(stage);
    stage.heal();
    stage.until("a snapshot's arrival", () => {
      return follower.replica?.machine.appliedIndex === leader.replica?.core.lastIndex();
    });
    if (follower.replica!.snapshots.latestIndex === 0) stage.skip();
    expectOutcome(stage, compare(stage, stage.servingLeader()), "equal");
  },
};

export const stateScenarios: readonly Scenario[] = [
  aFollowerDiffers,
  theLeaderDiffers,
  aSilentNode,
  twoDifferAlike,
  halfDiffer,
  twoAreBusy,
  comparedUnderLoad,
  restoredAndCompared,
];
