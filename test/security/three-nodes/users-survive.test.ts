/**
 * Users are part of the state that the nodes agree on: they outlive leaders, restarts and logs, without any ACL SAVE, and
 * a node that does not have them yet honours nobody (F100, D8).
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TestCluster, pause, report, until } from "../../e2e/harness/cluster.ts";
import { PeerLinks } from "../../e2e/harness/peer-links.ts";
import { RespClient, RespError, type RespValue } from "../../e2e/harness/resp-client.ts";

const NODES = [0, 1, 2];
const LOADING = /^LOADING /;
const VALUE = "x".repeat(1000);
/** More than the log goes back. */
const WRITES = 4000;
const BATCH = 200;

let cluster: TestCluster;
let links: PeerLinks;
beforeAll(async () => {
  cluster = await TestCluster.prepare({
    settings: {
      "password-hash-iterations": "1000",
      "snapshot-log-bytes": "256kb",
      "log-segment-bytes": "1mb",
      "log-cache-bytes": "1mb",
    },
  });
  links = await PeerLinks.of(cluster);
  for (const node of NODES) cluster.spawn(node, links.settings(node));
  await Promise.all(NODES.map((node) => cluster.ready(node)));
  expect(
    await cluster.call(0, "ACL", "SETUSER", "kept", "on", ">kept-password", "~kept:*", "+@all"),
  ).toBe("OK");
  expect(
    await cluster.call(1, "ACL", "SETUSER", "reader", "on", ">reader-password", "(%R~a +get)"),
  ).toBe("OK");
});
afterAll(async () => {
  await cluster?.close();
  await links?.close();
});

async function restart(node: number): Promise<void> {
  cluster.spawn(node, links.settings(node));
  await cluster.ready(node);
}

async function userLines(node: number): Promise<RespValue> {
  return await cluster.call(node, "ACL", "LIST");
}

function errorText(reply: RespValue): string {
  return reply instanceof RespError ? reply.text : `no error: ${JSON.stringify(reply)}`;
}

/** The users of a node are those of the test, with their passwords and rules. */
async function expectUsers(node: number): Promise<void> {
  const client = await cluster.client(node);
  expect(await client.call("AUTH", "kept", "kept-password")).toBe("OK");
  expect(await client.call("SET", "kept:a", "1")).toBe("OK");
  expect(errorText(await client.call("SET", "other", "1"))).toMatch(/^NOPERM .*keys/);
  expect(await client.call("AUTH", "reader", "reader-password")).toBe("OK");
  expect(errorText(await client.call("SET", "a", "1"))).toMatch(/^NOPERM /);
  expect(await client.call("GET", "a")).toBeNull();
  client.close();
}

describe("users of three nodes, never saved to a file (F100, D8)", () => {
  it("are on every node, whichever made them (F96)", async () => {
    for (const node of NODES) await expectUsers(node);
    expect(await userLines(1)).toEqual(await userLines(0));
    expect(await userLines(2)).toEqual(await userLines(0));
  });

  it("survive the leader", async () => {
    const lines = await userLines(0);
    const leader = await cluster.leader();
    await cluster.end(leader, "SIGKILL");
    for (const node of NODES.filter((each) => each !== leader)) {
      await until("the node serves", async () => {
        return !((await cluster.call(node, "SET", "kept:b", "1")) instanceof RespError);
      });
      await expectUsers(node);
    }
    await restart(leader);
    await expectUsers(leader);
    expect(await userLines(leader)).toEqual(lines);
  });

  it("survive a kill of all nodes at once", async () => {
    const lines = await userLines(0);
    await Promise.all(NODES.map((node) => cluster.end(node, "SIGKILL")));
    await Promise.all(NODES.map((node) => restart(node)));
    for (const node of NODES) {
      await expectUsers(node);
      expect(await userLines(node)).toEqual(lines);
      expect(existsSync(join(cluster.nodes[node].dataDir, "acl.conf"))).toBe(false);
    }
  });
});

describe("a node that comes back when the log does not go back to what it has", () => {
  it("gets users and revocations with the snapshot, and honours nobody by the old ones meanwhile (F100, S09)", async () => {
    const leader = await cluster.leader();
    const lagging = (leader + 1) % 3;
    expect(
      await cluster.call(
        leader,
        "ACL",
        "SETUSER",
        "leaver",
        "on",
        ">leaver-password",
        "~*",
        "+@all",
      ),
    ).toBe("OK");
    await cluster.end(lagging, "SIGKILL");
    expect(await cluster.call(leader, "ACL", "DELUSER", "leaver")).toBe(1);
    expect(
      await cluster.call(leader, "ACL", "SETUSER", "comer", "on", ">comer-password", "~*", "+@all"),
    ).toBe("OK");
    const writer = await cluster.client(leader);
    for (let first = 0; first < WRITES; first += BATCH) {
      const writes = Array.from({ length: BATCH }, (_, at) => ["SET", `w:${first + at}`, VALUE]);
      expect(new Set(await Promise.all(writer.pipeline(writes)))).toEqual(new Set(["OK"]));
    }
    writer.close();
    cluster.spawn(lagging, links.settings(lagging));
    const seen = await askUntilServed(lagging, "leaver", "leaver-password");
    await cluster.ready(lagging);
    expect(cluster.log(lagging)).toContain("installed a snapshot");
    expect(seen.filter((text) => !LOADING.test(text))).toEqual([
      "WRONGPASS invalid username-password pair or user is disabled.",
    ]);
    await expectUsers(lagging);
    const client = await cluster.client(lagging);
    expect(await client.call("AUTH", "comer", "comer-password")).toBe("OK");
    client.close();
    expect(await userLines(lagging)).toEqual(await userLines(leader));
  });
});

/** Logs in again and again from the first moment at which the node listens, until it is not told LOADING any more. */
async function askUntilServed(node: number, user: string, password: string): Promise<string[]> {
  const seen: string[] = [];
  await until("the node serves", async () => {
    const client = await RespClient.connect(cluster.nodes[node].port).catch(() => null);
    if (client === null) return false;
    const answers = client.pipeline([
      ["AUTH", user, password],
      ["GET", "w:1"],
    ]);
    const reply = await answers[0].catch(() => new RespError("LOADING (closed)"));
    await answers[1].catch(() => null);
    client.close();
    seen.push(errorText(reply));
    return !LOADING.test(seen.at(-1)!);
  });
  return seen;
}

describe("a node that listens and does not reach the others", () => {
  it("honours nobody from its first connection on, not even this machine's default user, until it has caught up (F100)", async () => {
    const alone = ((await cluster.leader()) + 1) % 3;
    const others = NODES.filter((node) => node !== alone);
    await cluster.end(alone, "SIGKILL");
    expect(
      await cluster.call(
        others[0],
        "ACL",
        "SETUSER",
        "late",
        "on",
        ">late-password",
        "~*",
        "+@all",
      ),
    ).toBe("OK");
    expect(await cluster.call(others[1], "ACL", "SETUSER", "kept", "off")).toBe("OK");
    links.isolate(alone);
    cluster.spawn(alone, links.settings(alone));
    await until("it listens", () =>
      RespClient.connect(cluster.nodes[alone].port).then(
        (client) => {
          client.close();
          return true;
        },
        () => false,
      ),
    );
    const startedAtMs = performance.now();
    let asked = 0;
    while (performance.now() - startedAtMs < 1500) {
      const client = await cluster.client(alone);
      const replies = await Promise.all(
        client.pipeline([
          ["AUTH", "kept", "kept-password"],
          ["GET", "kept:a"],
          ["SET", "kept:a", "2"],
          ["ACL", "SETUSER", "intruder", "on", "nopass", "~*", "+@all"],
        ]),
      );
      for (const reply of replies) expect(errorText(reply)).toMatch(LOADING);
      expect(await client.call("PING")).toBe("PONG");
      client.close();
      asked++;
      await pause(20);
    }
    report(`a node without the others refused ${asked} logins with LOADING`);
    const ready = await fetch(`http://127.0.0.1:${cluster.nodes[alone].httpPort}/readyz`);
    expect(ready.status).toBe(503);
    expect(await ready.text()).toContain("[-]users failed: LOADING");
    links.heal();
    const seen = await askUntilServed(alone, "kept", "kept-password");
    expect(seen.at(-1)).toMatch(/^WRONGPASS /);
    const client = await cluster.client(alone);
    expect(await client.call("AUTH", "late", "late-password")).toBe("OK");
    expect(await client.call("ACL", "GETUSER", "intruder")).toBeNull();
    client.close();
  });
});
