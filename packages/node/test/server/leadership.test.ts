/** FAILOVER and FERRITE.LEADER: what they ask for, and how what the leader says is told. */
import { describe, expect, it } from "vitest";
import type { LeadershipOutcome } from "../../src/replica/leadership-control.ts";
import { startTestServer } from "./support/test-server.ts";
import { until } from "./support/until.ts";

const OTHER = {
  id: "00000000-0000-4000-8000-0000000000bb",
  name: "node-b",
  peerAddress: "10.0.0.2:16379",
  clientAddress: "10.0.0.2:6379",
  learner: false,
  isSelf: false,
  isLeader: false,
  connected: true,
  matchIndex: 9,
};

async function started(): Promise<{
  readonly ask: (...words: string[]) => Promise<string>;
  readonly server: Awaited<ReturnType<typeof startTestServer>>;
}> {
  const server = await startTestServer();
  server.replica.extraMembers = [OTHER];
  const client = await server.connect();
  return { server, ask: (...words) => client.ask(...words) };
}

describe("FAILOVER", () => {
  it("asks for a transfer to anybody, and answers when it is accepted", async () => {
    const { ask, server } = await started();
    expect(await ask("FAILOVER")).toBe("+OK\r\n");
    expect(server.replica.leadership.asked).toEqual([
      { wish: { kind: "transfer", target: null }, until: "accepted", timeoutMs: 10_000 },
    ]);
  });

  it("finds its target by the address for clients, and takes a timeout", async () => {
    const { ask, server } = await started();
    expect(await ask("failover", "TO", "10.0.0.2", "6379", "TIMEOUT", "500")).toBe("+OK\r\n");
    expect(server.replica.leadership.asked).toEqual([
      { wish: { kind: "transfer", target: OTHER.id }, until: "accepted", timeoutMs: 500 },
    ]);
  });

  it("cancels with ABORT", async () => {
    const { ask, server } = await started();
    expect(await ask("FAILOVER", "ABORT")).toBe("+OK\r\n");
    expect(server.replica.leadership.asked[0]?.wish).toEqual({ kind: "cancel" });
    server.replica.leadership.outcome = "nothing";
    expect(await ask("FAILOVER", "ABORT")).toBe("-ERR No failover in progress.\r\n");
  });

  it.each([
    [["BOGUS"], "ERR syntax error"],
    [["ABORT", "FORCE"], "ERR syntax error"],
    [["TO", "10.0.0.2"], "ERR syntax error"],
    [["TO", "10.0.0.2", "x"], "ERR value is not an integer or out of range"],
    [["TIMEOUT", "x"], "ERR value is not an integer or out of range"],
    [["TIMEOUT", "0"], "ERR FAILOVER timeout must be greater than 0"],
    [["TIMEOUT", "3600001"], "ERR FAILOVER timeout must not be greater than 3600000"],
    [["TO", "10.0.0.9", "6379"], "ERR FAILOVER target HOST and PORT is not a replica."],
    [["FORCE"], "ERR FAILOVER with force option requires both a timeout and target HOST and IP."],
    [
      ["TO", "10.0.0.2", "6379", "FORCE", "TIMEOUT", "5"],
      "ERR FAILOVER FORCE is not supported: a node that lacks acknowledged writes can not lead. Without FORCE it is brought up to date first",
    ],
  ])("refuses %j", async (words, error) => {
    const { ask, server } = await started();
    expect(await ask("FAILOVER", ...words)).toBe(`-${error}\r\n`);
    expect(server.replica.leadership.asked).toEqual([]);
  });

  it.each<[LeadershipOutcome, string]>([
    ["underWay", "-ERR FAILOVER already in progress.\r\n"],
    ["nobody", "-ERR FAILOVER requires connected replicas.\r\n"],
    ["timeout", "-CLUSTERDOWN no leader answered; leadership stays where it is\r\n"],
  ])("tells %s", async (outcome, reply) => {
    const { ask, server } = await started();
    server.replica.leadership.outcome = outcome;
    expect(await ask("FAILOVER")).toBe(reply);
  });

  it("is seen in INFO", async () => {
    const { ask, server } = await started();
    expect(await ask("INFO", "replication")).toContain("master_failover_state:no-failover");
    server.replica.leadership.handingOver = true;
    expect(await ask("INFO", "replication")).toContain(
      "master_failover_state:failover-in-progress",
    );
  });
});

describe("FERRITE.LEADER", () => {
  it("tells who leads", async () => {
    const { ask } = await started();
    const reply = await ask("FERRITE.LEADER");
    expect(reply).toContain("name\r\n");
    expect(reply).toContain("handing_over\r\n");
  });

  it("holds its answer to TRANSFER back until another node leads", async () => {
    const { server } = await started();
    server.replica.leadership.outcome = null;
    const client = await server.connect();
    client.send("FERRITE.LEADER TRANSFER node-b");
    await until(() => server.replica.leadership.waiting.length === 1);
    expect(server.replica.leadership.asked[0]).toMatchObject({
      wish: { kind: "transfer", target: OTHER.id },
      until: "moved",
    });
    expect(client.receivedBytes).toBe(0);
    server.replica.leadership.waiting[0]("accepted");
    expect(await client.expectBytes("+OK\r\n")).toBe("+OK\r\n");
  });

  it("says OK at once when the member leads already, and refuses a name that nobody has", async () => {
    const { ask, server } = await started();
    server.replica.extraMembers = [{ ...OTHER, isLeader: true }];
    expect(await ask("FERRITE.LEADER", "TRANSFER", "node-b")).toBe("+OK\r\n");
    expect(await ask("FERRITE.LEADER", "TRANSFER", "node-x")).toBe(
      "-ERR no member has this name\r\n",
    );
    expect(await ask("FERRITE.LEADER", "TRANSFER", "node-b", "x")).toBe("-ERR syntax error\r\n");
    expect(server.replica.leadership.asked).toEqual([]);
  });

  it.each<[LeadershipOutcome, RegExp]>([
    ["nobody", /^-REFUSED no voter can take over/],
    ["underWay", /^-REFUSED leadership is being handed over already/],
    ["stays", /^-REFUSED the other node did not take over in time/],
    ["notLeader", /^-CLUSTERDOWN no leader answered/],
  ])("tells %s", async (outcome, reply) => {
    const { ask, server } = await started();
    server.replica.leadership.outcome = outcome;
    expect(await ask("FERRITE.LEADER", "TRANSFER")).toMatch(reply);
  });

  it("asks for STEPDOWN and CANCEL", async () => {
    const { ask, server } = await started();
    expect(await ask("FERRITE.LEADER", "STEPDOWN")).toBe("+OK\r\n");
    expect(await ask("FERRITE.LEADER", "CANCEL")).toBe("+OK\r\n");
    expect(server.replica.leadership.asked.map(({ wish }) => wish.kind)).toEqual([
      "stepDown",
      "cancel",
    ]);
    expect(await ask("FERRITE.LEADER", "HELP")).toContain("TRANSFER [<name>]");
  });
});
