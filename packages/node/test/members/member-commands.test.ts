import { beforeEach, describe, expect, it } from "vitest";
import type { MemberChange } from "../../src/members/member-record.ts";
import type { FakeMembership } from "../server/support/fake-membership.ts";
import type { RawClient } from "../server/support/raw-client.ts";
import { startTestServer } from "../server/support/test-server.ts";
import { until } from "../server/support/until.ts";

const CHANGE: MemberChange = {
  id: 7,
  kind: "add",
  name: "n4",
  target: null,
  replaces: null,
  asLearner: false,
  newcomer: "n4",
  address: null,
  phase: "waiting",
  reason: null,
  startedMs: 5,
};
const CHANGE_REPLY =
  "*22\r\n$2\r\nid\r\n:7\r\n$4\r\nkind\r\n$3\r\nadd\r\n$4\r\nname\r\n$2\r\nn4\r\n$8\r\nnewcomer\r\n$2\r\nn4\r\n" +
  "$9\r\ntarget_id\r\n$-1\r\n$11\r\nreplaced_id\r\n$-1\r\n$7\r\nlearner\r\n:0\r\n$7\r\naddress\r\n$-1\r\n" +
  "$5\r\nphase\r\n$7\r\nwaiting\r\n$6\r\nreason\r\n$-1\r\n$10\r\nstarted_ms\r\n:5\r\n";

let membership: FakeMembership;
let client: RawClient;

beforeEach(async () => {
  const test = await startTestServer();
  ({ membership } = test.replica);
  membership.outcome = { ok: true, changeId: 7 };
  client = await test.connect();
});

/** Sends it, and ends the change that it follows. */
async function ask(end: MemberChange | null, ...words: string[]): Promise<string> {
  const reply = client.ask("FERRITE.MEMBER", ...words);
  await until(() => membership.follows.length > 0);
  for (const { done } of membership.follows.splice(0)) done(end);
  return await reply;
}

describe("FERRITE.MEMBER", () => {
  it.each([
    [["ADD", "n4"], { kind: "add", name: "n4", asLearner: false, address: null }],
    [
      ["add", "n4", "learner", "address", "[::1]:7000"],
      { kind: "add", name: "n4", asLearner: true, address: "[::1]:7000" },
    ],
    [["REMOVE", "n1"], { kind: "remove", name: "n1" }],
    [["PROMOTE", "n1"], { kind: "promote", name: "n1" }],
    [["DEMOTE", "n1"], { kind: "demote", name: "n1" }],
    [["REPLACE", "n1"], { kind: "replace", name: "n1", newcomer: null }],
    [["REPLACE", "n1", "BY", "n9"], { kind: "replace", name: "n1", newcomer: "n9" }],
    [["CANCEL"], { write: "cancel" }],
  ])(
    "%j asks for the change and answers with it when the leader has taken it",
    async (words, write) => {
      expect(await ask(CHANGE, ...words)).toBe(CHANGE_REPLY);
      expect(membership.asked).toMatchObject([{ write, actorId: 0 }]);
    },
  );

  it("waits for the end with WAIT, and says at its deadline how far the change is", async () => {
    const reply = client.ask("FERRITE.MEMBER", "REMOVE", "n1", "WAIT", "1500");
    await until(() => membership.follows.length > 0);
    const [{ request, done }] = membership.follows;
    expect(request).toEqual({ changeId: 7, until: "over", timeoutMs: 1500 });
    done(CHANGE);
    expect(await reply).toBe(CHANGE_REPLY);
  });

  it("answers a refusal as an error with its reason, whoever made it", async () => {
    const refused: MemberChange = { ...CHANGE, phase: "refused", reason: "would lose quorum: 1" };
    expect(await ask(refused, "REMOVE", "n1")).toBe("-REFUSED would lose quorum: 1\r\n");
    membership.outcome = { ok: false, errorText: "REFUSED unknown member: n1" };
    expect(await client.ask("FERRITE.MEMBER", "REMOVE", "n1")).toBe(
      "-REFUSED unknown member: n1\r\n",
    );
  });

  it("PRIORITY answers OK, and takes 0 to 100", async () => {
    expect(await client.ask("FERRITE.MEMBER", "PRIORITY", "n1", "100")).toBe("+OK\r\n");
    expect(membership.asked[0].write).toEqual({ write: "priority", name: "n1", priority: 100 });
    for (const wrong of ["101", "-1", "x", ""]) {
      expect(await client.ask("FERRITE.MEMBER", "PRIORITY", "n1", wrong)).toMatch(/^-ERR value/);
    }
  });

  it.each([
    [["ADD", "n4", "LEARNER", "LEARNER"], "-ERR syntax error"],
    [["ADD", "n4", "ADDRESS"], "-ERR syntax error"],
    [["ADD", "n4", "NONSENSE"], "-ERR syntax error"],
    [["ADD", "n4", "ADDRESS", "nowhere"], "-ERR the address is not host:port"],
    [["ADD", "n4", "ADDRESS", "h:70000"], "-ERR the address is not host:port"],
    [["ADD", "with space"], "-ERR the name is not"],
    [["ADD", ""], "-ERR the name is not"],
    [["ADD", "n".repeat(254)], "-ERR the name is not"],
    [["REPLACE", "n1", "BY", "a b"], "-ERR the name is not"],
    [["REMOVE", "n1", "WAIT", "-5"], "-ERR value is not an integer"],
    [["REMOVE", "n1", "WAIT", "86400001"], "-ERR value is not an integer"],
    [["REMOVE", "n1", "LEARNER"], "-ERR syntax error"],
    [["REMOVE"], "-ERR wrong number of arguments"],
    [["NONSENSE"], "-ERR unknown subcommand"],
  ])("%j is refused with clear words and asks for nothing", async (words, error) => {
    expect(await client.ask("FERRITE.MEMBER", ...words)).toMatch(new RegExp(`^${error}`));
    expect(membership.asked).toEqual([]);
  });

  it("LIST gives members, change, level and alarms", async () => {
    membership.members = [
      {
        id: "0a1b2c3d-0000-4000-8000-00000000000a",
        name: "n1",
        peerAddress: "h:1",
        clientAddress: "h:2",
        tlsAddress: "h:3",
        priority: 50,
        featureLevel: 1,
        version: "1.0.0",
        role: "voter",
        isLeader: true,
        isConnected: true,
        matchIndex: 44,
      },
    ];
    membership.lastChange = CHANGE;
    membership.goal = 45;
    membership.alarmList = [{ kind: "state", nodeId: "x", text: "differs", sinceMs: 9 }];
    const reply = await client.ask("FERRITE.MEMBER", "LIST");
    expect(reply).toMatch(/^\*10\r\n\$13\r\nfeature_level\r\n:1\r\n\$10\r\ngoal_index\r\n:45\r\n/);
    expect(reply).toContain(CHANGE_REPLY);
    for (const fact of ["role\r\n$5\r\nvoter", "match_index\r\n:44", "tls_address\r\n$3\r\nh:3"]) {
      expect(reply).toContain(fact);
    }
    expect(reply).toMatch(/alarms\r\n\*1\r\n\*8\r\n\$4\r\nkind\r\n\$5\r\nstate/);
  });

  it("HELP names every subcommand", async () => {
    const help = await client.ask("FERRITE.MEMBER", "HELP");
    for (const name of [
      "ADD",
      "CANCEL",
      "DEMOTE",
      "LIST",
      "PRIORITY",
      "PROMOTE",
      "REMOVE",
      "REPLACE",
    ]) {
      expect(help).toContain(`+${name}`);
    }
  });

  it("changes are for administrators; who is not may still look", async () => {
    const test = await startTestServer();
    const admin = await test.connect();
    await admin.ask("ACL", "SETUSER", "eve", "on", ">pw", "+@all", "-@dangerous");
    const eve = await test.connect();
    await eve.ask("AUTH", "eve", "pw");
    expect(await eve.ask("FERRITE.MEMBER", "REMOVE", "n1")).toMatch(/^-NOPERM/);
    expect(await eve.ask("FERRITE.MEMBER", "LIST")).toMatch(/^\*10/);
    expect(test.replica.membership.asked).toEqual([]);
  });
});
