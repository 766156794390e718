/** Writes whose way is cut in the middle: sent twice, given up, taken over by the next leader. */
import { bringsEntries, messageOf } from "./message-of.ts";
import type { Scenario } from "./scenario.ts";

/** The next leader has a forwarded write in its log and gets it once more. */
const sentTwice: Scenario = {
  name: "sent-twice",
  about:
    "a leader dies with a forwarded write in the others' logs, whose node sends it to the next leader again",
  members: 3,
  play(stage) {
    const leader = stage.servingLeader();
    const [origin, third] = stage.others(leader);
    stage.write(origin);
    // The leader brings the write to all and never hears that they have it.
    stage.network.rule((_from, to, payload) => {
      const isAnswer = messageOf(payload)?.kind === "appendResponse";
      return isAnswer && to === leader.member.id ? "drop" : "pass";
    });
    const before = third.replica!.core.lastIndex();
    const append = stage.client.write(origin);
    stage.until("the write in both logs", () => {
      return stage.others(leader).every((node) => node.replica!.core.lastIndex() > before);
    });
    stage.run(5);
    stage.kill(leader);
    stage.network.passAll();
    stage.until("the write's end", () => append.endMs !== Infinity, 20_000);
    stage.write(origin);
  },
};

/** A write is given up by its node and committed all the same. */
const givenUp: Scenario = {
  name: "given-up",
  about: "a forwarded write is in the leader's log, its node gives it up, then it is committed",
  members: 3,
  limits: { timeoutMs: 400, resendAfterMs: 100_000 },
  play(stage) {
    const leader = stage.servingLeader();
    const [origin] = stage.others(leader);
    stage.write(origin);
    stage.network.rule((_from, _to, payload) => (bringsEntries(payload) ? "drop" : "pass"));
    const append = stage.client.write(origin);
    stage.until("giving up", () => append.endMs !== Infinity, 5000);
    stage.run(stage.prng.between(1, 50));
    stage.network.passAll();
    stage.write(stage.servingLeader());
    stage.run(500);
  },
};

/** The second of two batches reaches the leader and the first does not. */
const overtaken: Scenario = {
  name: "overtaken",
  about:
    "of two forwarded batches the first is lost on the way; it comes again and nothing is passed over",
  members: 3,
  play(stage) {
    const old = stage.servingLeader();
    const [origin, third] = stage.others(old);
    stage.write(origin);
    // The new leader has appended nothing of that node yet: only apply can know what is missing.
    old.replica!.core.transferLeadership(third.member.id);
    stage.until("a transfer", () => third.replica?.role() === "leader");
    stage.servingLeader([third]);
    stage.until("the new leader's name", () => origin.replica?.core.leader() === third.member.id);
    stage.network.rule((_from, _to, payload) => (payload.kind === "forward" ? "drop" : "pass"));
    const first = stage.client.write(origin);
    stage.run(stage.prng.between(2, 20));
    stage.network.passAll();
    const second = stage.client.write(origin);
    stage.until("both writes", () => first.endMs !== Infinity && second.endMs !== Infinity, 5000);
  },
};

export const writeScenarios: readonly Scenario[] = [sentTwice, givenUp, overtaken];
