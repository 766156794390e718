/** What reads and writes promise on each of three nodes, and what is left of it without a majority. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TestCluster, report, until } from "./harness/cluster.ts";
import { RespError, type RespClient, type RespValue } from "./harness/resp-client.ts";

const NODES = [0, 1, 2];
const ROUNDS = 200;
const PROPOSAL_TIMEOUT_MS = 1500;
/** A loaded machine may answer later than the limit says by this much. */
const TIMEOUT_SLACK_MS = 3000;

let cluster: TestCluster;
let clients: RespClient[];
beforeAll(async () => {
  cluster = await TestCluster.start({
    settings: { "proposal-timeout-ms": String(PROPOSAL_TIMEOUT_MS) },
  });
  clients = await Promise.all(NODES.map((node) => cluster.client(node)));
});
afterAll(async () => {
  for (const client of clients ?? []) client.close();
  await cluster.close();
});

function errorText(reply: RespValue): string {
  return reply instanceof RespError ? reply.text : `no error: ${JSON.stringify(reply)}`;
}

describe("reads", () => {
  it("are of session consistency unless a connection asks for something else", async () => {
    const [client] = clients as [RespClient];
    expect(await client.call("FERRITE.CONSISTENCY")).toBe("session");
    expect(await client.call("FERRITE.CONSISTENCY", "LOCAL")).toBe("OK");
    expect(await client.call("FERRITE.CONSISTENCY")).toBe("local");
    const other = await cluster.client(0);
    expect(await other.call("FERRITE.CONSISTENCY")).toBe("session");
    other.close();
    expect(errorText(await client.call("FERRITE.CONSISTENCY", "eventual"))).toMatch(
      /^ERR consistency is one of/,
    );
    expect(await client.call("FERRITE.CONSISTENCY", "session")).toBe("OK");
  });

  it("see the connection's own writes at once on every node, also in one pipeline", async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const client = clients[round % 3];
      const value = String(round);
      const replies = client.pipeline([
        ["SET", "own", value],
        ["GET", "own"],
        ["STRLEN", "own"],
      ]);
      expect(await Promise.all(replies)).toEqual(["OK", value, value.length]);
    }
  });

  it("never go backwards on one connection while another node writes", async () => {
    const [writer, reader] = [clients[1], clients[2]];
    await writer.call("SET", "forward", "0");
    const writes = (async () => {
      for (let round = 0; round < ROUNDS; round++) await writer.call("INCR", "forward");
    })();
    let newest = 0;
    while (newest < ROUNDS) {
      const seen = Number(await reader.call("GET", "forward"));
      expect(seen).toBeGreaterThanOrEqual(newest);
      newest = seen;
    }
    await writes;
  });

  it("that are linearizable see what was acknowledged on another node just before", async () => {
    const readers = await Promise.all(NODES.map((node) => cluster.client(node)));
    for (const reader of readers) await reader.call("FERRITE.CONSISTENCY", "linearizable");
    for (let round = 0; round < ROUNDS; round++) {
      const writer = clients[round % 3];
      expect(await writer.call("SET", "fresh", String(round))).toBe("OK");
      const seen = await Promise.all(readers.map((reader) => reader.call("GET", "fresh")));
      expect(seen).toEqual(NODES.map(() => String(round)));
    }
    for (const reader of readers) reader.close();
  });
});

describe("WAIT", () => {
  it.each(NODES)("counts both other nodes on node %i", async (node) => {
    const client = clients[node];
    expect(await client.call("SET", "waited", "1")).toBe("OK");
    expect(await client.call("WAIT", "2", "5000")).toBe(2);
    expect(await client.call("WAIT", "1", "5000")).toBeGreaterThanOrEqual(1);
    expect(await client.call("WAIT", "0", "0")).toBeGreaterThanOrEqual(1);
  });

  it("for more nodes than there are says how many have it when its time is up", async () => {
    const client = clients[0];
    await client.call("SET", "waited", "2");
    const startedAtMs = performance.now();
    expect(await client.call("WAIT", "5", "200")).toBe(2);
    expect(performance.now() - startedAtMs).toBeGreaterThanOrEqual(190);
  });
});

describe("INFO replication", () => {
  it("says master on the leader, and slave with the leader's address elsewhere", async () => {
    const leader = await cluster.leader();
    for (const node of NODES) {
      const info = await cluster.info(node, "replication");
      if (node === leader) {
        expect(info.get("role")).toBe("master");
        expect(info.get("connected_slaves")).toBe("2");
        const ports = ["slave0", "slave1"].map(
          (name) => /ip=127\.0\.0\.1,port=(\d+),state=online/.exec(info.get(name)!)?.[1],
        );
        const others = cluster.nodes
          .filter((other) => other.index !== leader)
          .map((other) => String(other.port));
        expect(new Set(ports)).toEqual(new Set(others));
      } else {
        expect(info.get("role")).toBe("slave");
        expect(info.get("master_host")).toBe("127.0.0.1");
        expect(info.get("master_port")).toBe(String(cluster.nodes[leader].port));
        expect(info.get("master_link_status")).toBe("up");
      }
    }
  });
});

describe("a follower alone, with the other two killed", () => {
  let left: number;
  let client: RespClient;
  let other: RespClient;
  let others: number[];

  beforeAll(async () => {
    const leader = await cluster.leader();
    left = (leader + 1) % 3;
    others = NODES.filter((node) => node !== left);
    client = clients[left]!;
    other = await cluster.client(left);
    await client.call("SET", "kept", "value");
    await client.call("SET", "counter", "10");
    await Promise.all(others.map((node) => cluster.end(node, "SIGKILL")));
  });

  it("ends writes within proposal-timeout-ms with an error that says what is known of them", async () => {
    const startedAtMs = performance.now();
    const replies = await Promise.all([
      client.call("INCR", "counter"),
      other.call("SET", "alone", "1"),
    ]);
    const tookMs = performance.now() - startedAtMs;
    report(
      `without a majority a write is answered after ${Math.round(tookMs)} ms: ${errorText(replies[0])}`,
    );
    for (const reply of replies) expect(errorText(reply)).toMatch(/^(CLUSTERDOWN|UNKNOWNOUTCOME) /);
    expect(tookMs).toBeLessThan(PROPOSAL_TIMEOUT_MS + TIMEOUT_SLACK_MS);
    await until("writes are refused at once", async () => {
      const before = performance.now();
      const refused = errorText(await client.call("SET", "alone", "2"));
      return (
        refused.startsWith("CLUSTERDOWN ") && performance.now() - before < PROPOSAL_TIMEOUT_MS / 2
      );
    });
  });

  it("goes on answering session and local reads", async () => {
    expect(await client.call("GET", "kept")).toBe("value");
    await client.call("FERRITE.CONSISTENCY", "local");
    expect(await client.call("GET", "kept")).toBe("value");
    expect(await client.call("EXISTS", "alone")).toBe(0);
    const info = await cluster.info(left, "replication");
    expect(info.get("role")).toBe("slave");
    expect(info.get("master_link_status")).toBe("down");
  });

  it("answers linearizable reads with an error", async () => {
    await client.call("FERRITE.CONSISTENCY", "linearizable");
    const startedAtMs = performance.now();
    expect(errorText(await client.call("GET", "kept"))).toMatch(/^CLUSTERDOWN /);
    expect(performance.now() - startedAtMs).toBeLessThan(PROPOSAL_TIMEOUT_MS + TIMEOUT_SLACK_MS);
  });

  it("serves again when one of the others is back, and what was refused has not been applied", async () => {
    cluster.spawn(others[0]);
    await cluster.ready(others[0]);
    await until("a write is taken", async () => (await other.call("SET", "again", "1")) === "OK");
    await client.call("FERRITE.CONSISTENCY", "linearizable");
    expect(await client.call("GET", "again")).toBe("1");
    expect(["10", "11"]).toContain(await client.call("GET", "counter"));
    expect(await client.call("GET", "alone")).not.toBe("2");
  });
});

describe("a node that was killed and started again", () => {
  it("answers no read with something older than what it has shown before (R21)", async () => {
    for (const node of NODES) if (!cluster.isRunning(node)) cluster.spawn(node);
    await Promise.all(NODES.map((node) => cluster.ready(node)));
    const restarted = ((await cluster.leader()) + 1) % 3;
    const before = await cluster.client(restarted);
    const commands = Array.from({ length: 20_000 }, () => ["INCR", "shown"]);
    const counts = await Promise.all(before.pipeline(commands));
    const shown = await before.call("GET", "shown");
    expect(shown).toBe("20000");
    expect(counts.at(-1)).toBe(20_000);
    before.close();
    await cluster.end(restarted, "SIGKILL");
    cluster.spawn(restarted);
    let loading = 0;
    let seen: RespValue = null;
    // From the first moment at which it takes connections.
    await until("a read is answered", async () => {
      seen = await cluster.call(restarted, "GET", "shown").catch(() => null);
      if (seen instanceof RespError) {
        expect(seen.text).toBe("LOADING Redis is loading the dataset in memory");
        loading++;
      }
      return typeof seen === "string";
    });
    report(`reads refused with LOADING until the restarted node had caught up: ${loading}`);
    expect(seen).toBe(shown);
  });
});
