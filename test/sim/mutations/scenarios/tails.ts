/** Entries of a deposed leader that nobody needs: overwritten, acknowledged too late, or found where others are expected. */
import type { PeerPayload } from "@ferrite/node/simulation";
import type { SimNode } from "../../world/sim-node.ts";
import { bringsEntries, messageOf } from "./message-of.ts";
import type { Scenario } from "./scenario.ts";
import type { Stage } from "./stage.ts";

/** Tails are counted in entries here. */
const ENTRY_PER_WRITE = { gatherMsMax: 0 };

/** Leadership goes to this node, as soon as it has all that the leader has. */
function handTo(stage: Stage, target: SimNode): void {
  stage.servingLeader();
  stage.until("a transfer", () => {
    const leader = stage.nodes.find((node) => node.replica?.role() === "leader");
    if (leader !== undefined && leader !== target) {
      leader.replica!.core.transferLeadership(target.member.id);
    }
    return target.replica?.role() === "leader";
  });
  stage.servingLeader([target]);
}

/**
 * The first leader and one follower have a tail that the three others do not have; those elect another leader, which is
 * returned. Both are still cut off.
 */
function growTail(
  stage: Stage,
  first: SimNode,
  follower: SimNode,
  hold: (from: string, payload: PeerPayload) => boolean = () => false,
): SimNode {
  const rest = stage.others(first, follower);
  stage.write(first);
  stage.network.rule((from, to, payload) => {
    if (rest.some(({ member }) => member.id === to) && bringsEntries(payload)) return "drop";
    return hold(from, payload) ? "hold" : "pass";
  });
  for (let count = 0; count < 6; count++) {
    stage.client.write(first);
    stage.run(3);
  }
  stage.until("entries at one follower", () => {
    return follower.replica!.core.status().durableIndex === first.replica!.core.lastIndex();
  });
  stage.isolate(first, follower);
  stage.network.passAll();
  return stage.servingLeader(rest);
}

/** A follower's acknowledgement of what it has lost since arrives when the same node leads a later term. */
const lateAcknowledgement: Scenario = {
  name: "late-acknowledgement",
  about:
    "acknowledgements are held back until their receiver leads a later term and the entries are gone",
  members: 5,
  limits: ENTRY_PER_WRITE,
  play(stage) {
    const first = stage.servingLeader();
    const [follower, helper, ...others] = stage.others(first);
    const next = growTail(stage, first, follower, (from, payload) => {
      const message = messageOf(payload);
      return from === follower.member.id && message?.kind === "appendResponse" && message.success;
    });
    stage.heal();
    stage.write(next);
    handTo(stage, first);
    // What it writes now reaches one other node only; the late acknowledgements speak of more.
    stage.network.rule((_from, to, payload) => {
      return to !== helper.member.id && bringsEntries(payload) ? "drop" : "pass";
    });
    for (let count = 0; count < 6; count++) {
      stage.client.write(first);
      stage.run(3);
    }
    stage.network.release();
    stage.run(10);
    stage.kill(first, helper);
    stage.network.passAll();
    stage.write(stage.servingLeader([follower, ...others]));
  },
};

/** What was durable and is cut counts for nothing when that node leads. */
const countsWhatIsCut: Scenario = {
  name: "counts-what-is-cut",
  about:
    "a node whose durable tail was overwritten leads with a slow disk: only what is on it now counts",
  members: 5,
  limits: ENTRY_PER_WRITE,
  play(stage) {
    const first = stage.servingLeader();
    const [follower] = stage.others(first);
    const next = growTail(stage, first, follower);
    stage.kill(first);
    stage.network.heal();
    const lastIndexOf = (node: SimNode): number => node.replica!.core.lastIndex();
    stage.until("being overwritten", () => lastIndexOf(follower) === lastIndexOf(next));
    stage.run(30);
    handTo(stage, follower);
    // From here on it writes slowly, and two of the five have all that it sends.
    follower.disk.slowness = 100_000;
    const [helper, other] = stage.others(first, follower, next);
    stage.network.rule((_from, to, payload) => {
      const gets = to === helper.member.id || to === other.member.id;
      return !gets && bringsEntries(payload) ? "drop" : "pass";
    });
    stage.client.write(follower);
    stage.run(40);
    stage.kill(follower, helper, other);
    follower.disk.slowness = 1;
    stage.network.passAll();
    first.start();
    follower.start();
    stage.write(stage.servingLeader([first, follower, next]));
  },
};

/** A new leader begins at the beginning of a follower's log: what agrees is known, what stands behind it is not. */
const tailOfTheDeposed: Scenario = {
  name: "tail-of-the-deposed",
  about:
    "a follower has a deposed leader's tail while the new one's commit index passes its agreeing part",
  members: 5,
  limits: { ...ENTRY_PER_WRITE, appendBytesMax: 1 },
  play(stage) {
    const first = stage.servingLeader();
    const [follower, ...rest] = stage.others(first);
    stage.run(60);
    const write = (count: number): void => {
      for (let written = 0; written < count; written++) {
        stage.client.write(first);
        stage.run(4);
      }
    };
    // Entries that all get and nobody acknowledges, then some that only one follower gets.
    stage.network.rule((_from, _to, payload) => {
      return messageOf(payload)?.kind === "appendResponse" ? "drop" : "pass";
    });
    write(3);
    stage.network.rule((_from, to, payload) => {
      if (messageOf(payload)?.kind === "appendResponse") return "drop";
      return to !== follower.member.id && bringsEntries(payload) ? "drop" : "pass";
    });
    write(4);
    stage.kill(first);
    stage.isolate(follower);
    stage.network.passAll();
    const next = stage.servingLeader(rest);
    for (let count = 0; count < 6; count++) stage.write(next);
    stage.heal();
    stage.run(200);
    stage.write(stage.servingLeader());
  },
};

/** A deposed leader's long tail stands where a later leader looks first. */
const longTail: Scenario = {
  name: "long-tail",
  about:
    "a deposed leader's tail is longer than the log of a leader two terms later, whose first append meets it",
  members: 3,
  play(stage) {
    const old = stage.servingLeader();
    stage.write(old);
    stage.isolate(old);
    for (let count = 0; count < 12; count++) {
      stage.client.write(old);
      stage.run(3);
    }
    const next = stage.servingLeader(stage.others(old));
    stage.write(next);
    const [third] = stage.others(old, next);
    stage.kill(next);
    next.start();
    stage.servingLeader([next, third]);
    stage.network.heal();
    stage.run(300);
    stage.write(stage.servingLeader());
  },
};

export const tailScenarios: readonly Scenario[] = [
  lateAcknowledgement,
  countsWhatIsCut,
  tailOfTheDeposed,
  longTail,
];
