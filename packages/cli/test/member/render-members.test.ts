/** What a person reads of FERRITE.MEMBER LIST. */
import { describe, expect, it } from "vitest";
import { decodeMembership } from "../../src/member/member-report.ts";
import { describeChange, membershipLines } from "../../src/member/render-members.ts";
import { PLAIN_STYLE } from "../../src/terminal/style.ts";
import type { RespValue } from "../../src/connection/resp-value.ts";

function member(facts: Record<string, RespValue>): RespValue {
  const all = {
    name: "node1",
    id: "id-1",
    role: "voter",
    leader: 0,
    connected: 1,
    match_index: null,
    peer_address: "10.0.0.1:16379",
    client_address: "10.0.0.1:6379",
    tls_address: null,
    priority: 50,
    version: "0.1.0",
    feature_level: 1,
    ...facts,
  };
  return Object.entries(all).flat();
}

function reply(change: RespValue, alarms: readonly RespValue[] = []): RespValue {
  const members = [
    member({ leader: 1, match_index: 90 }),
    member({ name: "node2", id: "id-2", connected: 0, match_index: 80 }),
    member({ name: "node4", id: "id-4", role: "learner", match_index: 45 }),
  ];
  const parts = { feature_level: 1, goal_index: 90, members, change, alarms };
  return Object.entries(parts).flatMap(([name, value]): RespValue[] => [name, value]);
}

const ADDING: RespValue = Object.entries({
  id: 7,
  kind: "add",
  name: "node4",
  newcomer: "node4",
  target_id: "id-4",
  replaced_id: null,
  phase: "catchingUp",
  reason: null,
}).flat();

describe("the members as lines", () => {
  it("tells the leader, broken links, and how much of the log a newcomer has", () => {
    const report = decodeMembership(reply(ADDING));
    expect(report).not.toBeNull();
    const lines = membershipLines(report!, PLAIN_STYLE);
    expect(lines[0]).toMatch(/^NAME +ROLE +LINK +CLIENTS +PEERS +PRIORITY +VERSION +LOG +ID$/);
    expect(lines[1]).toMatch(/^node1 +leader +up +10\.0\.0\.1:6379 /);
    expect(lines[2]).toMatch(/^node2 +voter +down /);
    expect(lines[3]).toMatch(/^node4 +learner +up /);
    expect(lines.at(-1)).toBe("Change 7: add node4: node4 receives the log, 45 of 90 entries");
  });

  it("says nothing of a change that is over, and shows alarms without control characters", () => {
    const over = Object.entries({ id: 6, kind: "remove", name: "node3", phase: "done" }).flat();
    const alarm = Object.entries({
      kind: "state",
      node_id: "id-2",
      text: "differs\u001b[31m",
    }).flat();
    const lines = membershipLines(decodeMembership(reply(over, [alarm]))!, PLAIN_STYLE);
    expect(lines.join("\n")).not.toContain("Change");
    expect(lines.at(-1)).toBe("Alarm: node2: state: differs?[31m");
  });

  it("names who comes when it is not the same name", () => {
    const change = { id: 1, kind: "replace", name: "node2", newcomer: "node5" };
    const rest = { targetId: null, replacedId: "id-2", phase: "waiting", reason: null };
    expect(describeChange({ ...change, ...rest })).toBe("replace node2 by node5");
  });

  it("takes an answer without members for one of an unknown form", () => {
    expect(decodeMembership(["feature_level", 1])).toBeNull();
    expect(decodeMembership("OK")).toBeNull();
  });
});
