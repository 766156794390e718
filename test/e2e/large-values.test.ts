/**
 * The largest value there may be (proto-max-bulk-len) goes through a follower and through the leader: one frame in pieces,
 * one log record, one answer. That heartbeats pass it is shown in peers/large-frames.test.ts, where no pause of a busy
 * machine can be taken for a wait behind it; here the elections that there were are told.
 */
import { afterAll, beforeAll, expect, it } from "vitest";
import { TestCluster, report, until } from "./harness/cluster.ts";
import { RespClient } from "./harness/resp-client.ts";

const MEBIBYTE = 1024 * 1024;
const VALUE_BYTES = 64 * MEBIBYTE;

let cluster: TestCluster;
/** All nodes, the leader first. */
let order: readonly number[];
beforeAll(async () => {
  cluster = await TestCluster.start({
    settings: {
      // How long it takes is the disk's matter: three copies are synced on one machine, beside other tests.
      "proposal-timeout-ms": "120000",
    },
  });
  const leader = await cluster.leader();
  order = [leader, (leader + 1) % 3, (leader + 2) % 3];
});
afterAll(async () => {
  await cluster?.close();
});

/** Frames that a node has got from the others. */
async function receivedFrames(index: number): Promise<number> {
  const answer = await fetch(`http://127.0.0.1:${cluster.nodes[index].httpPort}/metrics`);
  const line = /^ferrite_peer_received_frames_total (\d+)$/m.exec(await answer.text());
  return Number(line![1]);
}

/** The term the cluster is in. */
async function term(): Promise<number> {
  const terms = await Promise.all(
    cluster.nodes.map(async ({ index }) => Number((await cluster.status(index)).get("term"))),
  );
  return Math.max(...terms);
}

async function write(through: number, key: string): Promise<void> {
  const termBefore = await term();
  const framesBefore = await receivedFrames(through);
  const client = await RespClient.connect(cluster.nodes[through].port);
  const value = Buffer.alloc(VALUE_BYTES, "0123456789");
  const sinceMs = Date.now();
  expect(await client.call("SET", key, value)).toBe("OK");
  const tookMs = Date.now() - sinceMs;
  expect(await client.call("STRLEN", key)).toBe(VALUE_BYTES);
  client.close();
  for (const { index } of cluster.nodes) {
    await until("the value is there", async () => {
      return (await cluster.call(index, "STRLEN", key)) === VALUE_BYTES;
    });
    expect(await cluster.call(index, "GETRANGE", key, "-14", "-1")).toBe("01234567890123");
  }
  const frames = (await receivedFrames(through)) - framesBefore;
  const elections = (await term()) - termBefore;
  report(`64 MiB in ${tookMs} ms, ${frames} frames from the others and ${elections} elections`);
  expect(frames).toBeGreaterThan(0);
}

it("a value of 64 MB that is written through a follower is on every node", async () => {
  await write(order[1], "through-follower");
});

it("a value of 64 MB that is written through the leader is on every node", async () => {
  await write(order[0], "through-leader");
});
