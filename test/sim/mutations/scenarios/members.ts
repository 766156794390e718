/** Changes of the members as operators ask for them: from the word to the configuration, driven by the leader. */
import type { SimNode } from "../../world/sim-node.ts";
import type { Scenario } from "./scenario.ts";
import type { Stage } from "./stage.ts";

type Members = NonNullable<SimNode["replica"]>["members"];
type MemberWrite = Parameters<Members["propose"]>[0];
type Outcome = Parameters<Parameters<Members["propose"]>[2]>[0];

const CHANGE = { write: "change", newcomer: null, address: null, asLearner: false } as const;

function propose(stage: Stage, write: MemberWrite): Outcome {
  const leader = stage.servingLeader();
  let outcome: Outcome | null = null;
  leader.replica!.members.propose(write, null, (answer) => {
    outcome = answer;
  });
  stage.until("a word about a member", () => outcome !== null);
  return outcome!;
}

/** The cluster can change its members once the leader has seen that all nodes know how. */
export function readyToChange(stage: Stage): void {
  const leader = stage.servingLeader();
  stage.until("a feature level", () => leader.replica!.members.featureLevel() > 0);
}

/** As its own hello would have a member say it. */
function knock(stage: Stage, node: SimNode): Outcome {
  const { member } = node;
  const known = { tlsAddress: null, priority: 100, featureLevel: 1, version: "" };
  return propose(stage, { write: "join", record: { ...member, ...known }, anybody: false });
}

function isOver(stage: Stage, changeId: number): boolean {
  const leader = stage.nodes.find((node) => node.replica?.role() === "leader");
  const change = leader?.replica?.members.change();
  return change?.id === changeId && ["done", "refused", "cancelled"].includes(change.phase);
}

/** A node of this name may join; nobody of that name comes. */
export function invite(stage: Stage, name: string): void {
  const asked = propose(stage, { ...CHANGE, kind: "add", name });
  if (!asked.ok) stage.violated("members", asked.errorText);
}

/** Asks for a change and waits for its end. Returns the phase in which it ended. */
function carryOut(
  stage: Stage,
  change: Partial<MemberWrite> & { readonly kind: "add" | "remove"; readonly name: string },
  newcomer?: SimNode,
): string {
  const asked = propose(stage, { ...CHANGE, ...change } as MemberWrite);
  if (!asked.ok) return stage.violated("members", asked.errorText);
  if (newcomer !== undefined) knock(stage, newcomer);
  stage.until("the end of a change", () => isOver(stage, asked.changeId), 20_000);
  return stage.leader().replica!.members.change()!.phase;
}

const joins: Scenario = {
  name: "a-member-joins",
  about: "a node is added under load, then the first leader dies",
  members: 3,
  joiners: 1,
  play(stage) {
    const newcomer = stage.nodes[3];
    readyToChange(stage);
    const leader = stage.servingLeader();
    stage.write(leader);
    const phase = carryOut(stage, { kind: "add", name: newcomer.member.name }, newcomer);
    const { voters } = stage.leader().replica!.core.status().configuration;
    if (phase !== "done" || !voters.includes(newcomer.member.id)) {
      stage.violated("members", `what was to be added is not there: ${phase}, ${voters.length}`);
    }
    const old = stage.leader();
    stage.kill(old);
    stage.write(stage.servingLeader(stage.others(old)));
  },
};

const staysLearner: Scenario = {
  name: "a-learner-stays-one",
  about: "a node is added as a learner, and announces itself under another address",
  members: 3,
  joiners: 1,
  play(stage) {
    const newcomer = stage.nodes[3];
    readyToChange(stage);
    carryOut(stage, { kind: "add", name: newcomer.member.name, asLearner: true }, newcomer);
    const moved = { ...newcomer.member, peerAddress: "10.9.9.9:16379" };
    const known = { tlsAddress: null, priority: 100, featureLevel: 1, version: "" };
    newcomer.replica!.members.propose(
      { write: "announce", record: { ...moved, ...known } },
      null,
      () => undefined,
    );
    stage.run(1000);
    const { voters } = stage.leader().replica!.core.status().configuration;
    if (voters.includes(newcomer.member.id)) {
      stage.violated("members", "who was to be a learner has become a voter");
    }
  },
};

const removedStaysOut: Scenario = {
  name: "a-removed-disk-stays-out",
  about:
    "a member is removed; its disk asks to come back, then its name is invited and the old disk asks again",
  members: 3,
  joiners: 1,
  play(stage) {
    readyToChange(stage);
    const leader = stage.servingLeader();
    const [gone] = stage.others(leader, stage.nodes[3]);
    const phase = carryOut(stage, { kind: "remove", name: gone.member.name });
    if (phase !== "done") stage.violated("members", `a removal ended as ${phase}`);
    invite(stage, gone.member.name);
    if (knock(stage, gone).ok) stage.violated("members", "a removed disk was taken in again");
  },
};

export const memberScenarios: readonly Scenario[] = [joins, staysLearner, removedStaysOut];
