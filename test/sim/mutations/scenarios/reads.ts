/** Reads while leadership changes hands: what random clients rarely ask in the right millisecond. */
import { messageOf } from "./message-of.ts";
import type { Scenario } from "./scenario.ts";

/** A deposed leader that does not know it yet is asked, after the next one has acknowledged a write. */
const deposedLeader: Scenario = {
  name: "deposed-leader",
  about:
    "leadership is handed over, the old leader does not hear of it and is asked for a value that has changed",
  members: 3,
  play(stage) {
    const old = stage.servingLeader();
    stage.write(old);
    stage.until("all the same", () => stage.nodes.every((node) => isAbreast(node, old)));
    const rest = stage.others(old);
    let told = false;
    stage.network.rule((from, to, payload) => {
      if (messageOf(payload)?.kind === "timeoutNow") told = true;
      return told && to === old.member.id && from !== to ? "hold" : "pass";
    });
    old.replica!.handOver();
    const next = stage.servingLeader(rest);
    stage.write(next);
    const read = stage.client.read(old);
    stage.run(stage.prng.between(1, 20));
    stage.network.passAll();
    stage.network.release();
    stage.until("the read's end", () => read.outcome !== null, 15_000);
  },
};

function isAbreast(
  node: { facts(): { readonly appliedIndex: number } | null },
  leader: { facts(): { readonly lastIndex: number } | null },
): boolean {
  return node.facts()?.appliedIndex === leader.facts()?.lastIndex;
}

/** A new leader has an acknowledged entry and does not know yet that it is committed. */
const unsureLeader: Scenario = {
  name: "unsure-leader",
  about:
    "a leader that has just been elected, whose own entry is not committed yet, is asked for an acknowledged value",
  members: 3,
  play(stage) {
    const old = stage.servingLeader();
    stage.write(old);
    stage.run(100);
    const rest = stage.others(old);
    // The last write's commit is told to nobody.
    stage.network.rule((from, _to, payload) => {
      const message = messageOf(payload);
      if (from !== old.member.id || message === null) return "pass";
      if (message.kind === "heartbeat") return "drop";
      return message.kind === "append" && message.entries.length === 0 ? "drop" : "pass";
    });
    stage.write(old);
    stage.kill(old);
    // The new leader's entries get no answers, its heartbeats do.
    stage.network.rule((_from, _to, payload) => {
      return messageOf(payload)?.kind === "appendResponse" ? "drop" : "pass";
    });
    const next = stage.leader(rest);
    const read = stage.client.read(next);
    stage.run(100);
    stage.network.passAll();
    stage.until("the read's end", () => read.outcome !== null, 15_000);
  },
};

/** A follower gets its reads confirmed, and not the entries that they are about. */
const followerBehind: Scenario = {
  name: "follower-behind",
  about: "a follower whose appends are lost is asked for a value that was acknowledged elsewhere",
  members: 3,
  play(stage) {
    const leader = stage.servingLeader();
    const [follower] = stage.others(leader);
    stage.write(leader);
    stage.until("all the same", () => isAbreast(follower, leader));
    stage.network.rule((_from, to, payload) => {
      const lost = to === follower.member.id && messageOf(payload)?.kind === "append";
      return lost ? "drop" : "pass";
    });
    stage.write(leader);
    const read = stage.client.read(follower);
    stage.run(stage.prng.between(20, 100));
    stage.network.passAll();
    stage.until("the read's end", () => read.outcome !== null, 15_000);
  },
};

/** The leader's answer to a process that is gone reaches the next one of the same node. */
const answerToTheDead: Scenario = {
  name: "answer-to-the-dead",
  about:
    "confirmations of reads are held back until the node that asked for them has been restarted",
  members: 3,
  play(stage) {
    const asker = stage.nodes[stage.prng.between(0, 3)];
    stage.network.rule((_from, to, payload) => {
      const late = to === asker.member.id && messageOf(payload)?.kind === "readIndexResponse";
      return late ? "hold" : "pass";
    });
    const leader = stage.servingLeader();
    if (leader === asker) return;
    stage.write(leader);
    stage.until("all the same", () => isAbreast(asker, leader));
    stage.until("a held confirmation", () => stage.network.heldCount > 0);
    stage.killProcess(asker);
    stage.write(leader);
    stage.network.rule((_from, to, payload) => {
      const message = messageOf(payload);
      const lost = to === asker.member.id && message?.kind === "append";
      const answer = to === asker.member.id && message?.kind === "readIndexResponse";
      return lost || answer ? "drop" : "pass";
    });
    asker.start();
    const read = stage.client.read(asker);
    stage.until("a leader", () => asker.replica!.core.leader() !== null);
    stage.run(30);
    stage.network.release();
    stage.run(30);
    stage.network.passAll();
    stage.until("the read's end", () => read.outcome !== null, 15_000);
  },
};

export const readScenarios: readonly Scenario[] = [
  deposedLeader,
  unsureLeader,
  followerBehind,
  answerToTheDead,
];
