/**
 * A user is who it is, not what it is called: one that is deleted and made again is another one. Whoever acted as the
 * old one is cut off on every node, also when nobody deleted it but its time was up (S09, D16, F44).
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TestCluster, report, until } from "../../e2e/harness/cluster.ts";
import { RespError, type RespClient, type RespValue } from "../../e2e/harness/resp-client.ts";
import { settled } from "../../e2e/load/outcome.ts";

const NODES = [0, 1, 2];
const WORKER_RULES = ["on", ">worker-password", "~*", "+@all"];
/** Rounds in which a user is deleted and made again while its writes are on their way. */
const ROUNDS = 20;
const WRITES_ON_THEIR_WAY = 200;
/** What the clocks, the cycle of the leader and a busy machine add to the two seconds that a user lives. */
const EXPIRED_WITHIN_MS = 6000;

let cluster: TestCluster;
let administrators: RespClient[];
beforeAll(async () => {
  cluster = await TestCluster.start({ settings: { "password-hash-iterations": "1000" } });
  administrators = await Promise.all(NODES.map((node) => cluster.client(node)));
});
afterAll(async () => {
  for (const administrator of administrators ?? []) administrator.close();
  await cluster?.close();
});

async function ok(answer: Promise<RespValue>): Promise<void> {
  expect(await answer).toBe("OK");
}

async function loggedIn(node: number, user: string): Promise<RespClient> {
  const client = await cluster.client(node);
  await ok(client.call("AUTH", user, "worker-password"));
  return client;
}

function errorText(reply: RespValue): string {
  return reply instanceof RespError ? reply.text : `no error: ${JSON.stringify(reply)}`;
}

describe("a user that is deleted and made again", () => {
  it("has none of its old connections left on any node, idle ones neither (S09, D16)", async () => {
    await ok(administrators[0].call("ACL", "SETUSER", "worker", ...WORKER_RULES));
    const old = await Promise.all(NODES.map((node) => loggedIn(node, "worker")));
    for (const client of old) expect(await client.call("ACL", "WHOAMI")).toBe("worker");
    const answers = administrators[1].pipeline([
      ["ACL", "DELUSER", "worker"],
      ["ACL", "SETUSER", "worker", ...WORKER_RULES],
    ]);
    expect(await Promise.all(answers)).toEqual([1, "OK"]);
    await until("the old connections are closed", () => old.every((client) => !client.isOpen));
    for (const node of NODES) {
      const client = await loggedIn(node, "worker");
      expect(await client.call("ACL", "WHOAMI")).toBe("worker");
      client.close();
    }
    for (const administrator of administrators) {
      expect(await administrator.call("ACL", "WHOAMI")).toBe("default");
    }
  });

  it("does not get the writes of the old one that are on their way (S09)", async () => {
    await ok(administrators[0].call("ACL", "SETUSER", "worker", ...WORKER_RULES));
    let before = 0;
    let lost = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const key = `order:${round}`;
      const old = await Promise.all(NODES.map((node) => loggedIn(node, "worker")));
      const answers = old.flatMap((client) =>
        client.pipeline(Array.from({ length: WRITES_ON_THEIR_WAY }, () => ["APPEND", key, "o"])),
      );
      const administrator = administrators[round % 3];
      const changes = administrator.pipeline([
        ["ACL", "DELUSER", "worker"],
        ["ACL", "SETUSER", "worker", ...WORKER_RULES],
        ["APPEND", key, "|"],
      ]);
      expect((await Promise.all(changes)).slice(0, 2)).toEqual([1, "OK"]);
      await Promise.all(answers.map(settled));
      const order = (await administrator.call("GET", key)) as string;
      expect(order).toMatch(/^o*\|$/);
      before += order.length - 1;
      lost += answers.length - (order.length - 1);
      for (const client of old) client.close();
    }
    report(
      `${ROUNDS} users deleted and made again at once: ${before} of their writes were before that, ${lost} behind, ` +
        "none of which was applied",
    );
    expect(before).toBeGreaterThan(0);
    expect(lost).toBeGreaterThan(0);
  });
});

describe("a user that lives for two seconds", () => {
  it("is removed by the cluster itself, its connections are closed on all nodes, and nobody logs in as it any more", async () => {
    await ok(administrators[0].call("ACL", "SETUSER", "guest", ...WORKER_RULES, "expire-in", "2"));
    const startedAtMs = performance.now();
    const guests = await Promise.all(NODES.map((node) => loggedIn(node, "guest")));
    for (const guest of guests) await ok(guest.call("SET", "guest", "1"));
    await until("the guest's connections are closed", () => guests.every(({ isOpen }) => !isOpen));
    const tookMs = performance.now() - startedAtMs;
    report(`a user of 2 s was cut off on all nodes ${Math.round(tookMs)} ms after it logged in`);
    expect(tookMs).toBeGreaterThan(900);
    expect(tookMs).toBeLessThan(EXPIRED_WITHIN_MS);
    for (const administrator of administrators) {
      expect(await administrator.call("ACL", "GETUSER", "guest")).toBeNull();
      expect(errorText(await administrator.call("AUTH", "guest", "worker-password"))).toMatch(
        /^WRONGPASS /,
      );
      // A failed login leaves the connection what it was.
      expect(await administrator.call("ACL", "WHOAMI")).toBe("default");
      const names = await administrator.call("ACL", "USERS");
      expect(names).not.toContain("guest");
    }
  });

  it("stays gone when all nodes are started again, and its name is free", async () => {
    for (const administrator of administrators) administrator.close();
    await Promise.all(NODES.map((node) => cluster.end(node, "SIGKILL")));
    for (const node of NODES) cluster.spawn(node);
    await Promise.all(NODES.map((node) => cluster.ready(node)));
    administrators = await Promise.all(NODES.map((node) => cluster.client(node)));
    expect(await administrators[2].call("ACL", "GETUSER", "guest")).toBeNull();
    await ok(administrators[2].call("ACL", "SETUSER", "guest", ...WORKER_RULES));
    const guest = await loggedIn(0, "guest");
    expect(await guest.call("ACL", "WHOAMI")).toBe("guest");
    guest.close();
  });
});
