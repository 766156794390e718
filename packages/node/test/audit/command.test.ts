import { describe, expect, it } from "vitest";
import type { RawClient } from "../server/support/raw-client.ts";
import { startTestServer, type TestServer } from "../server/support/test-server.ts";
import { NODE_ID, newest, note, startWorld, until, type TrailWorld } from "./trail-world.ts";

async function serverWithTrail(): Promise<{
  test: TestServer;
  world: TrailWorld;
  client: RawClient;
}> {
  const world = await startWorld({ settings: { auditRingEntries: 16 } });
  for (let at = 2; at <= 29; at++) world.trail.record(note(`record ${at}`));
  const test = await startTestServer();
  Object.assign(test.access.audit, { log: world.trail });
  const client = await test.connect();
  // The first reading of a connection is record 30.
  await client.ask("FERRITE.AUDIT", "RECENT", "1");
  return { test, world, client };
}

/** Sequences of a reply of records. */
function sequences(reply: string): number[] {
  const lines = reply.split("\r\n").filter((line) => line.startsWith("{"));
  return lines.map((line) => (JSON.parse(line) as { seq: number }).seq);
}

describe("FERRITE.AUDIT", () => {
  it("RECENT returns the newest first, also those that are only in files (F89)", async () => {
    const { world, client } = await serverWithTrail();
    expect(sequences(await client.ask("FERRITE.AUDIT", "RECENT", "3"))).toEqual([30, 29, 28]);
    await until(() => world.trail.status().sinks[0].queuedRecords === 0);
    const all = sequences(await client.ask("ferrite.audit", "recent", "100"));
    expect(all).toEqual(Array.from({ length: 30 }, (_, at) => 30 - at));
    await world.trail.close();
  });

  it("SINCE returns what comes after a record, oldest first", async () => {
    const { world, client } = await serverWithTrail();
    await until(() => world.trail.status().sinks[0].queuedRecords === 0);
    expect(sequences(await client.ask("FERRITE.AUDIT", "SINCE", "27"))).toEqual([28, 29, 30]);
    expect(sequences(await client.ask("FERRITE.AUDIT", "SINCE", "2", "COUNT", "2"))).toEqual([
      3, 4,
    ]);
    expect(await client.ask("FERRITE.AUDIT", "SINCE", "30")).toBe("*0\r\n");
    await world.trail.close();
  });

  it("FOLLOW waits for the next record, and other clients do not wait with it", async () => {
    const { test, world, client } = await serverWithTrail();
    client.send("FERRITE.AUDIT FOLLOW 30 60000");
    const other = await test.connect();
    expect(await other.ask("PING")).toBe("+PONG\r\n");
    world.trail.record(note("news"));
    expect(sequences(await client.reply())).toEqual([31]);
    client.send("FERRITE.AUDIT FOLLOW 31 500");
    await other.ask("PING");
    world.clock.advance(500);
    expect(await client.reply()).toBe("*0\r\n");
    await world.trail.close();
  });

  it("who reads is recorded once, so that who follows does not follow only itself", async () => {
    const { test, world, client } = await serverWithTrail();
    expect((await newest(world.trail, 1))[0]).toMatchObject({
      seq: 30,
      action: "audit.read",
      user: "default",
      client: { addr: expect.stringContaining("127.0.0.1:") },
    });
    for (let at = 0; at < 5; at++) await client.ask("FERRITE.AUDIT", "SINCE", "28");
    client.send("FERRITE.AUDIT FOLLOW 30 1000");
    const other = await test.connect();
    await other.ask("PING");
    expect(world.trail.status().head.sequence).toBe(30);
    const audited = test.access.events.filter(({ category }) => category === "command");
    expect(audited).toEqual([]);
    await other.ask("FERRITE.AUDIT", "RECENT", "1");
    expect(sequences(await client.reply())).toEqual([31]);
    await world.trail.close();
  });

  it("a client that leaves while it follows is not answered", async () => {
    const { test, world, client } = await serverWithTrail();
    client.send("FERRITE.AUDIT FOLLOW 30");
    const other = await test.connect();
    await other.ask("PING");
    client.destroy();
    await client.closed;
    world.trail.record(note("news"));
    expect(sequences(await other.ask("FERRITE.AUDIT", "RECENT", "2"))).toEqual([32, 31]);
    await world.trail.close();
  });

  it("STATUS tells the head, the anchors of all nodes and the receivers", async () => {
    const { world, client } = await serverWithTrail();
    const anchor = { sequence: 12, head: "ab".repeat(32) };
    world.trail.attachAnchors(
      { propose: (_anchor, done) => done(false), latest: () => new Map([[NODE_ID, anchor]]) },
      () => false,
    );
    const reply = await client.ask("FERRITE.AUDIT", "STATUS");
    const { head } = world.trail.status();
    for (const part of [
      "$8\r\nsequence\r\n:30\r\n",
      `$4\r\nhead\r\n$64\r\n${head.hash}\r\n`,
      "$17\r\nanchored_sequence\r\n:12\r\n",
      `$7\r\nanchors\r\n*1\r\n*6\r\n$7\r\nnode_id\r\n$36\r\n${NODE_ID}\r\n`,
      "$5\r\nsinks\r\n*1\r\n*14\r\n$4\r\nname\r\n$4\r\nfile\r\n",
    ]) {
      expect(reply).toContain(part);
    }
    await world.trail.close();
  });

  it.each([
    [["RECENT"], "-ERR wrong number of arguments for 'ferrite.audit|recent' command\r\n"],
    [["RECENT", "0"], "-ERR value is not an integer or out of range\r\n"],
    [["RECENT", "x"], "-ERR value is not an integer or out of range\r\n"],
    [["SINCE", "-1"], "-ERR value is not an integer or out of range\r\n"],
    [["SINCE", "1", "COUNT"], "-ERR syntax error\r\n"],
    [["SINCE", "1", "LIMIT", "2"], "-ERR syntax error\r\n"],
    [["FOLLOW", "1", "300001"], "-ERR value is not an integer or out of range\r\n"],
    [
      ["FOLLOW", "1", "1", "1"],
      "-ERR wrong number of arguments for 'ferrite.audit|follow' command\r\n",
    ],
  ])("%j is refused", async (words, expected) => {
    const test = await startTestServer();
    const client = await test.connect();
    expect(await client.ask("FERRITE.AUDIT", ...words)).toBe(expected);
  });

  it("HELP names every sub-command", async () => {
    const test = await startTestServer();
    const client = await test.connect();
    const help = await client.ask("FERRITE.AUDIT", "HELP");
    for (const word of ["RECENT", "SINCE", "FOLLOW", "STATUS", "HELP"])
      expect(help).toContain(`+${word}`);
  });

  it("a node that keeps no trail, or has it off, says so", async () => {
    const test = await startTestServer();
    const client = await test.connect();
    expect(await client.ask("FERRITE.AUDIT", "RECENT", "1")).toBe(
      "-ERR this node keeps no audit trail\r\n",
    );
    const off = await startWorld({ settings: { auditEnabled: false } });
    Object.assign(test.access.audit, { log: off.trail });
    expect(await client.ask("FERRITE.AUDIT", "RECENT", "1")).toBe(
      "-ERR the audit trail is off (audit no)\r\n",
    );
    expect(await client.ask("FERRITE.AUDIT", "STATUS")).toContain("$7\r\nenabled\r\n:0\r\n");
  });

  it("is an administrator's: of the categories admin and dangerous, none of them fast", async () => {
    const test = await startTestServer();
    const client = await test.connect();
    const dangerous = await client.ask("ACL", "CAT", "dangerous");
    for (const name of ["recent", "since", "follow", "status"]) {
      expect(dangerous).toContain(`ferrite.audit|${name}`);
    }
  });
});
