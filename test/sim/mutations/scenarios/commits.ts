/** What counts as committed, and who must have it. */
import { EntryKind } from "@ferrite/raft";
import { bringsEntries, messageOf } from "./message-of.ts";
import type { Scenario } from "./scenario.ts";

/** Figure 8 of the paper, with three nodes: an entry of an earlier term on a majority is not committed by that. */
const figure8: Scenario = {
  name: "figure-8",
  about:
    "an entry of an earlier term reaches a majority, and a node without it has a later term in its log",
  members: 3,
  limits: { appendBytesMax: 1, inflightMessagesMax: 1 },
  play(stage) {
    const first = stage.servingLeader();
    stage.write(first);
    const [one, two] = stage.others(first);
    // The first leader takes an entry that nobody gets.
    stage.network.rule((_from, _to, payload) => (bringsEntries(payload) ? "drop" : "pass"));
    stage.client.write(first);
    stage.run(30);
    stage.kill(first);
    // The second one's own entry stays with it, too.
    const second = stage.leader([one, two]);
    stage.run(5);
    const third = second === one ? two : one;
    stage.until("the leader's own entry on its disk", () => {
      const status = second.replica?.core.status();
      return status !== undefined && status.durableIndex === status.lastIndex;
    });
    stage.kill(second);
    // The first one leads again: what it had goes out, the entry of its new term does not.
    first.start();
    stage.network.rule((_from, to, payload) => {
      const message = messageOf(payload);
      if (message?.kind !== "append") return "pass";
      const isOwn = message.entries.some(
        ({ term, kind }) => term === message.term && kind === EntryKind.NoOp,
      );
      // One that would only be refused may go: the refusal is what makes the leader begin further back.
      const receiver = stage.nodes.find(({ member }) => member.id === to);
      const lastIndex = receiver?.replica?.core.lastIndex() ?? 0;
      return isOwn && lastIndex >= message.previousIndex ? "drop" : "pass";
    });
    const again = stage.leader([first, third]);
    stage.run(100);
    if (again !== first) return;
    stage.kill(first);
    stage.network.passAll();
    second.start();
    stage.servingLeader([second, third]);
  },
};

/** The target of a transfer can not take over. */
const lostTransfer: Scenario = {
  name: "lost-transfer",
  about:
    "leadership is to be handed over and the target never hears of it; writes wait and then go on",
  members: 3,
  play(stage) {
    const leader = stage.servingLeader();
    stage.write(leader);
    stage.network.rule((_from, _to, payload) => {
      return messageOf(payload)?.kind === "timeoutNow" ? "drop" : "pass";
    });
    leader.replica!.handOver();
    const append = stage.client.write(leader);
    stage.until("a write during a transfer that fails", () => append.endMs !== Infinity, 2000);
  },
};

/** A record that was written and not synced is read back after kill -9, and answered for; then the power goes. */
const unsyncedRecord: Scenario = {
  name: "unsynced-record",
  about:
    "a sync fails, the process dies, the record is read back and acknowledged; then the power goes",
  members: 3,
  expectsDiskFaults: true,
  play(stage) {
    const leader = stage.servingLeader();
    const [follower, third] = stage.others(leader);
    stage.write(leader);
    stage.run(60);
    stage.isolate(third);
    follower.disk.failNextSync = true;
    const append = stage.client.write(leader);
    stage.until("the sync", () => !follower.disk.failNextSync);
    stage.killProcess(follower);
    follower.start();
    stage.wait(() => append.endMs !== Infinity, 1000);
    stage.kill(leader, follower);
    stage.network.heal();
    follower.start();
    stage.write(stage.servingLeader([follower, third]));
  },
};

/** A node alone: nobody else has what it acknowledges. */
const aloneWithoutPower: Scenario = {
  name: "alone-without-power",
  about: "a cluster of one node loses power right after it acknowledged a write",
  members: 1,
  syncMs: { low: 5, high: 20 },
  play(stage) {
    const node = stage.servingLeader();
    for (let count = 0; count < 5; count++) {
      stage.write(node);
      stage.kill(node);
      node.start();
      stage.servingLeader();
    }
  },
};

export const commitScenarios: readonly Scenario[] = [
  figure8,
  lostTransfer,
  unsyncedRecord,
  aloneWithoutPower,
];
