/** Processes that stand still for a while and then go on as if nothing had happened (R29, R50). */
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { TestCluster, report, until } from "./harness/cluster.ts";
import { RespError } from "./harness/resp-client.ts";
import { outcomeOf, settled } from "./load/outcome.ts";
import { Load } from "./load/load.ts";

const ROUNDS = 3;
const NODES = [0, 1, 2];
const QUEUE_BYTES = 1024 ** 2;
const VALUE = "x".repeat(1000);
/** More than the queue holds. */
const FLOOD_WRITES = 3000;

let cluster: TestCluster;
const paused = new Set<number>();
beforeAll(async () => {
  cluster = await TestCluster.start({
    settings: { "proposal-timeout-ms": "30000", "proposal-queue-bytes": String(QUEUE_BYTES) },
  });
});
afterEach(() => {
  for (const node of paused) resume(node);
});
afterAll(async () => {
  await cluster.close();
});

function pauseNode(node: number): void {
  process.kill(cluster.pid(node), "SIGSTOP");
  paused.add(node);
}

function resume(node: number): void {
  process.kill(cluster.pid(node), "SIGCONT");
  paused.delete(node);
}

it("a leader that stood still answers no linearizable read from the past, and its clients' writes count once (R29)", async () => {
  for (let round = 0; round < ROUNDS; round++) {
    const leader = await cluster.leader();
    const other = (leader + 1) % 3;
    const load = new Load(cluster, { name: `paused${round}`, nodes: NODES });
    await load.start();
    await load.acknowledged(20);
    const reader = await cluster.client(leader);
    await reader.call("FERRITE.CONSISTENCY", "linearizable");
    const before = await cluster.client(leader);
    expect(await before.call("SET", "newest", "old")).toBe("OK");

    pauseNode(leader);
    const read = reader.call("GET", "newest");
    const writer = await cluster.client(other);
    expect(await writer.call("SET", "newest", `new ${round}`)).toBe("OK");
    resume(leader);
    const reply = await read;
    if (!(reply instanceof RespError)) expect(reply).toBe(`new ${round}`);
    load.mark();
    await load.acknowledged(20);
    await load.stop();
    expect(load.count("refused"), "writes refused").toBe(0);
    for (const node of NODES) expect(await load.violations(node)).toEqual([]);
    for (const client of [reader, before, writer]) client.close();
  }
});

it("writes beyond proposal-queue-bytes are refused while the others stand still; what was taken is applied once they go on", async () => {
  const leader = await cluster.leader();
  const others = NODES.filter((node) => node !== leader);
  const client = await cluster.client(leader);
  for (const node of others) pauseNode(node);
  const commands = Array.from({ length: FLOOD_WRITES }, (_, at) => ["SET", `flood:${at}`, VALUE]);
  const answers = client.pipeline(commands).map(settled);
  // The refusals stand behind the writes that wait, so that none of them is seen yet: the leader's counts tell.
  await until("writes were refused", async () => {
    const statistics = await cluster.info(leader, "commandstats");
    return Number(/rejected_calls=(\d+)/.exec(statistics.get("cmdstat_set") ?? "")?.[1] ?? 0) > 0;
  });
  for (const node of others) resume(node);
  const outcomes = (await Promise.all(answers)).map(outcomeOf);
  const taken = outcomes.filter((outcome) => outcome === "acknowledged").length;
  report(
    `of ${FLOOD_WRITES} writes ${taken} waited for the others, ${FLOOD_WRITES - taken} were refused`,
  );
  expect(outcomes).not.toContain("unknown");
  expect(taken).toBeGreaterThan(0);
  expect(taken).toBeLessThan(FLOOD_WRITES);
  await until("a write is taken", async () => (await client.call("SET", "after", "1")) === "OK");
  for (const node of NODES) {
    const reader = await cluster.client(node);
    await reader.call("FERRITE.CONSISTENCY", "linearizable");
    const found = await Promise.all(reader.pipeline(commands.map(([, key]) => ["EXISTS", key])));
    expect(found).toEqual(outcomes.map((outcome) => (outcome === "acknowledged" ? 1 : 0)));
    reader.close();
  }
  client.close();
});
