/** Who leads, and for how long: what pre-vote, stickiness, check-quorum and the no-op are there for. */
import type { Message } from "@ferrite/raft";
import type { SimNode } from "../../world/sim-node.ts";
import { messageOf } from "./message-of.ts";
import type { Scenario } from "./scenario.ts";
import type { Stage } from "./stage.ts";

/** Elections of a node that is back after it was alone must not happen: nobody else has missed the leader. */
const loneFollower: Scenario = {
  name: "lone-follower",
  about: "a follower is cut off for seconds and comes back; the leader stays",
  members: 3,
  play(stage) {
    const leader = stage.servingLeader();
    const [follower] = stage.others(leader);
    const before = stage.elections;
    stage.isolate(follower);
    stage.run(stage.prng.between(1000, 3000));
    stage.network.heal();
    stage.run(1000);
    if (stage.elections !== before) {
      stage.violated("stable leader", `${stage.elections - before} elections for a lone follower`);
    }
  },
};

/** Leader and follower do not hear each other, both hear the third: the case of Cloudflare in 2020. */
const brokenLink: Scenario = {
  name: "broken-link",
  about: "the link between the leader and one follower is cut, both reach the third node",
  members: 3,
  play(stage) {
    const leader = stage.servingLeader();
    const [follower] = stage.others(leader);
    const before = stage.elections;
    stage.network.cut(leader.member.id, follower.member.id);
    if (stage.prng.chance(0.5)) stage.network.cut(follower.member.id, leader.member.id);
    stage.run(stage.prng.between(3000, 5000));
    if (stage.elections !== before) {
      stage.violated("stable leader", `${stage.elections - before} elections for a broken link`);
    }
  },
};

/** Whoever leads and hears nobody must know within an election timeout that it can not be sure of anything. */
const isolatedLeader: Scenario = {
  name: "isolated-leader",
  about:
    "the leader is cut off: it steps down, and its clients hear that it is not known what became of their writes",
  members: 3,
  limits: { timeoutMs: 1500 },
  play(stage) {
    const leader = stage.servingLeader();
    stage.write(leader);
    stage.isolate(leader);
    const append = stage.client.write(leader);
    stage.until("stepping down", () => leader.replica?.role() !== "leader", 1000);
    const next = stage.servingLeader(stage.others(leader));
    stage.write(next);
    stage.until("an answer to the lost write", () => append.endMs !== Infinity, 5000);
  },
};

/** All restart and nobody writes: without an entry of the new term nothing would be known to be committed. */
const quietRestart: Scenario = {
  name: "quiet-restart",
  about: "all nodes lose power; without any write what was acknowledged is read again",
  members: 3,
  play(stage) {
    const leader = stage.servingLeader();
    for (let count = 0; count < 3; count++) stage.write(leader);
    stage.kill(...stage.nodes);
    for (const node of stage.nodes) node.start();
    const reads = stage.nodes.map((node) => stage.client.read(node));
    stage.until("a read after the restart", () => reads.every((read) => read.outcome !== null));
    if (reads.some((read) => read.outcome === false)) {
      stage.violated("liveness", "a healthy cluster refuses reads after a restart");
    }
  },
};

/**
 * Both of two rivals ask for votes in one term, the requests to the voter are held: either could be elected. Takes
 * the network's rule over. Skips the run when chance does not bring it about.
 */
function campaignTogether(stage: Stage, rivals: readonly SimNode[], voter: SimNode): void {
  const ids = rivals.map(({ member }) => member.id);
  const { network } = stage;
  const held = (kind: Message["kind"], id: string): Message[] =>
    network
      .held((from, to) => from === id || to === id)
      .map((payload) => messageOf(payload))
      .filter((message) => message !== null)
      .filter((message) => message.kind === kind);
  for (let attempt = 0; attempt < 20; attempt++) {
    network.forget();
    network.rule((from, to, payload) => {
      const kind = messageOf(payload)?.kind;
      if (ids.includes(from) && ids.includes(to)) return "drop";
      if (kind === "voteRequest") return "hold";
      return kind === "preVoteResponse" && from === voter.member.id ? "hold" : "pass";
    });
    stage.until("two who ask", () => ids.every((id) => held("preVoteResponse", id).length > 0));
    network.releaseSome((_from, _to, payload) => messageOf(payload)?.kind === "preVoteResponse");
    const requests = (): Message[] => ids.flatMap((id) => held("voteRequest", id));
    if (!stage.wait(() => requests().length === ids.length, 30)) continue;
    if (new Set(requests().map(({ term }) => term)).size === 1) return;
  }
  stage.skip();
}

/** Votes of an earlier campaign arrive when the candidate has begun another one. */
const lateVotes: Scenario = {
  name: "late-votes",
  about:
    "a vote is held back until its candidate campaigns in a later term, which another node wins",
  members: 3,
  play(stage) {
    const [voter, one, two] = stage.nodes;
    campaignTogether(stage, [one, two], voter);
    // The first vote is on its way for long.
    const late: (() => void)[] = [];
    stage.network.releaseSome((from, to) => from === one.member.id && to === voter.member.id);
    stage.network.divert((from, _to, payload, send) => {
      if (from === voter.member.id && messageOf(payload)?.kind === "voteResponse") late.push(send);
    });
    if (!stage.wait(() => late.length > 0, 100)) stage.skip();
    stage.network.forget();
    campaignTogether(stage, [one, two], voter);
    stage.network.releaseSome((from, to) => from === two.member.id && to === voter.member.id);
    stage.network.rule((from, to) =>
      from !== voter.member.id && to !== voter.member.id ? "drop" : "pass",
    );
    if (!stage.wait(() => two.replica?.role() === "leader", 100)) stage.skip();
    for (const send of late) send();
    stage.run(20);
  },
};

/** Ends of logs: one that is longer and older must not win over one that is shorter and newer. */
const longOldLog: Scenario = {
  name: "long-old-log",
  about:
    "a deposed leader has a long log that nobody else has, the others have committed a short one",
  members: 3,
  play(stage) {
    const old = stage.servingLeader();
    stage.write(old);
    stage.isolate(old);
    for (let count = 0; count < 8; count++) {
      stage.client.write(old);
      stage.run(1);
    }
    stage.run(20);
    stage.kill(old);
    const next = stage.servingLeader(stage.others(old));
    stage.write(next);
    // Only its log decides now: the one that leads is gone.
    stage.network.heal();
    stage.kill(next);
    old.start();
    const left = stage.others(next);
    stage.write(stage.servingLeader(left));
  },
};

/** A vote is asked for twice in one term, the voter loses power between the two. */
const twoCandidates: Scenario = {
  name: "two-candidates",
  about:
    "two nodes campaign in one term; the third votes, loses power at once and is asked by the other",
  members: 3,
  syncMs: { low: 3, high: 6 },
  play(stage) {
    const [voter, one, two] = stage.nodes;
    campaignTogether(stage, [one, two], voter);
    let voted = false;
    stage.network.divert((from, _to, payload, send) => {
      const message = messageOf(payload);
      if (message?.kind !== "voteResponse" && message?.kind !== "voteRequest") return;
      if (from === voter.member.id && message.kind === "voteResponse" && message.granted)
        voted = true;
      send();
    });
    stage.network.releaseSome((from, to) => from === one.member.id && to === voter.member.id);
    if (!stage.wait(() => voted, 100)) stage.skip();
    stage.run(stage.prng.next());
    stage.kill(voter);
    voter.start();
    stage.network.releaseSome((from, to) => from === two.member.id && to === voter.member.id);
    stage.run(30);
  },
};

export const electionScenarios: readonly Scenario[] = [
  loneFollower,
  brokenLink,
  isolatedLeader,
  quietRestart,
  lateVotes,
  longOldLog,
  twoCandidates,
];
