/** Who counts, while that is changing (thesis, chapter 4; paper, section 6). */
import type { Configuration } from "@ferrite/raft";
import { enterJoint } from "@ferrite/raft";
import type { SimNode } from "../../world/sim-node.ts";
import { bringsEntries, messageOf } from "./message-of.ts";
import type { Scenario } from "./scenario.ts";
import type { Stage } from "./stage.ts";

function idsOf(nodes: readonly SimNode[]): string[] {
  return nodes.map(({ member }) => member.id);
}

function simple(voters: readonly SimNode[], learners: readonly SimNode[] = []): Configuration {
  return {
    voters: idsOf(voters),
    votersOutgoing: [],
    learners: idsOf(learners),
    learnersNext: [],
  };
}

/** The leader takes the change; waits until it is committed and all in it have it. */
function change(stage: Stage, to: Configuration): void {
  const leader = stage.servingLeader();
  if (!stage.configure(leader, to)) stage.skip();
  const members = new Set([...to.voters, ...to.learners]);
  stage.until("a change of the configuration", () => {
    const index = leader.replica!.core.lastIndex();
    return stage.nodes
      .filter(({ member }) => members.has(member.id))
      .every((node) => node.replica!.machine.appliedIndex === index);
  });
}

/** Leader and both learners are apart from the two other voters. */
const learnersDoNotCount: Scenario = {
  name: "learners-do-not-count",
  about: "the leader is alone with two learners; the two other voters go on without it",
  members: 3,
  joiners: 2,
  play(stage) {
    const [one, two, three, ...learners] = stage.nodes;
    change(stage, simple([one, two, three], learners));
    const leader = stage.servingLeader();
    stage.isolate(leader, ...learners);
    stage.client.write(leader);
    stage.run(50);
    const rest = stage.others(leader, ...learners);
    stage.write(stage.servingLeader(rest));
  },
};

/** Half of a joint configuration is not enough. */
const halfOfJoint: Scenario = {
  name: "half-of-joint",
  about:
    "a leader has the new half of a joint configuration on its side, the old half goes on without it",
  members: 3,
  joiners: 2,
  play(stage) {
    const [one, two, three, ...newcomers] = stage.nodes;
    change(stage, simple([one, two, three], newcomers));
    const leader = stage.servingLeader();
    const rest = stage.others(leader, ...newcomers);
    stage.isolate(leader, ...newcomers);
    const current = leader.replica!.core.status().configuration;
    stage.configure(leader, enterJoint(current, simple([leader, ...newcomers])));
    stage.client.write(leader);
    stage.run(50);
    stage.write(stage.servingLeader(rest));
  },
};

/** What is taken back with the log is not in force any more. */
const takenBack: Scenario = {
  name: "taken-back",
  about: "a leader that is cut off appends a change that nobody else gets; it is overwritten",
  members: 3,
  play(stage) {
    const leader = stage.servingLeader();
    stage.write(leader);
    const [one] = stage.others(leader);
    stage.isolate(leader);
    stage.configure(leader, simple([leader, one]));
    stage.run(20);
    stage.write(stage.servingLeader(stage.others(leader)));
  },
};

/** The bug in single-server changes that was found in 2015, as its report tells it. */
const twoChangesInTwoTerms: Scenario = {
  name: "two-changes-in-two-terms",
  about:
    "a change of an earlier term is on one node, a new leader begins another before its term has an entry committed",
  members: 4,
  joiners: 1,
  play(stage) {
    const [newcomer] = stage.nodes.slice(4);
    const founders = stage.nodes.slice(0, 4);
    const first = stage.servingLeader();
    stage.write(first);
    stage.run(60);
    const [second, helper, other] = founders.filter((node) => node !== first);
    // The first change: one node more. Only the first leader and the newcomer get it.
    const gets = (id: string): boolean => id === first.member.id || id === newcomer.member.id;
    stage.network.rule((_from, to, payload) => {
      return !gets(to) && bringsEntries(payload) ? "drop" : "pass";
    });
    if (!stage.configure(first, simple([...founders, newcomer]))) stage.skip();
    stage.run(40);
    stage.kill(first);
    stage.kill(newcomer);
    // The second one, without the first leader; it is committed by two of three. The other one gets nothing.
    stage.network.rule((_from, to, payload) => {
      return to === other.member.id && bringsEntries(payload) ? "drop" : "pass";
    });
    const wanted = [second, helper];
    if (!stage.wait(() => wanted.some((node) => node.replica!.role() === "leader"), 5000)) {
      stage.skip();
    }
    const leader = stage.leader(wanted);
    const without = simple(founders.filter((node) => node !== first));
    stage.configure(leader, without);
    stage.run(20);
    stage.configure(leader, without);
    stage.run(20);
    stage.kill(leader);
    stage.isolate(...wanted.filter((node) => node !== leader));
    stage.network.passAll();
    first.start();
    newcomer.start();
    stage.run(1500);
  },
};

/** A leader that is cut off removes those who are missing, one after the other. */
const lonelyRemoval: Scenario = {
  name: "lonely-removal",
  about: "a leader that is cut off is asked to remove the others and to write",
  members: 3,
  play(stage) {
    const leader = stage.servingLeader();
    stage.write(leader);
    const [one] = stage.others(leader);
    stage.isolate(leader);
    stage.configure(leader, simple([leader, one]));
    stage.run(20);
    stage.configure(leader, simple([leader]));
    stage.run(20);
    stage.client.write(leader);
    stage.run(50);
    stage.write(stage.servingLeader(stage.others(leader)));
  },
};

/** Only a learner could win, as the voters' questions are lost. */
const quietLearner: Scenario = {
  name: "quiet-learner",
  about: "the leader dies and no voter's campaign gets through; the learner does not campaign",
  members: 3,
  joiners: 1,
  play(stage) {
    const [one, two, three, learner] = stage.nodes;
    change(stage, simple([one, two, three], [learner]));
    const leader = stage.servingLeader();
    stage.kill(leader);
    stage.network.rule((from, _to, payload) => {
      const isQuestion = messageOf(payload)?.kind === "preVoteRequest";
      return isQuestion && from !== learner.member.id ? "drop" : "pass";
    });
    stage.wait(() => learner.replica?.role() === "leader", 2000);
    if (learner.replica?.role() === "leader") {
      stage.violated("leaders are voters", `${learner.member.name} leads and is a learner`);
    }
  },
};

/** Messages of nodes that are in no configuration, before and after there is a leader. */
const strangers: Scenario = {
  name: "strangers",
  about: "a node that nobody knows answers, asks and votes at random",
  members: 3,
  play(stage) {
    const stranger = "99999999-0000-4000-8000-000000000009";
    const disturb = (): void => {
      for (const node of stage.nodes) {
        const term = node.replica!.core.term();
        const ends = { from: stranger, to: node.member.id, term };
        for (const message of stage.prng.chance(0.5) ? strayAnswers(ends) : strayQuestions(ends)) {
          node.replica!.onPayload(stranger, { kind: "raft", message }, 0);
        }
      }
    };
    for (let round = 0; round < 30; round++) {
      disturb();
      stage.run(stage.prng.between(1, 30));
    }
    const leader = stage.servingLeader();
    for (let round = 0; round < 10; round++) {
      disturb();
      stage.write(leader.replica?.role() === "leader" ? leader : stage.servingLeader());
    }
  },
};

interface Ends {
  readonly from: string;
  readonly to: string;
  readonly term: number;
}

function strayAnswers(ends: Ends): Parameters<typeof strayList>[0] {
  const refused = { success: false, matchIndex: 0, rejectedIndex: 0, hintIndex: 0, hintTerm: 0 };
  return strayList([
    { kind: "appendResponse", ...ends, ...refused },
    { kind: "appendResponse", ...ends, ...refused, success: true, matchIndex: 1 },
    { kind: "heartbeatResponse", ...ends, readRound: 1 },
    { kind: "snapshotResponse", ...ends, index: 1, nextOffsetBytes: 0, installed: true },
    { kind: "voteResponse", ...ends, granted: true },
    { kind: "preVoteResponse", ...ends, granted: true },
    { kind: "readIndexResponse", ...ends, requestId: 1, index: 1 },
  ]);
}

function strayQuestions(ends: Ends): Parameters<typeof strayList>[0] {
  return strayList([
    { kind: "readIndexRequest", ...ends, requestId: 7 },
    { kind: "preVoteRequest", ...ends, lastIndex: 0, lastTerm: 0, transfer: false },
    { kind: "timeoutNow", ...ends, term: 0 },
  ]);
}

function strayList(
  messages: readonly NonNullable<ReturnType<typeof messageOf>>[],
): readonly NonNullable<ReturnType<typeof messageOf>>[] {
  return messages;
}

export const configurationScenarios: readonly Scenario[] = [
  learnersDoNotCount,
  halfOfJoint,
  takenBack,
  twoChangesInTwoTerms,
  lonelyRemoval,
  quietLearner,
  strangers,
];
