/** The largest value there may be (proto-max-bulk-len) goes through a follower: one frame, one log record, one answer. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { TestCluster, until } from "./harness/cluster.ts";
import { RespClient } from "./harness/resp-client.ts";

const VALUE_BYTES = 64 * 1024 * 1024;

let cluster: TestCluster;
beforeAll(async () => {
  // How long it takes is the disk's matter: three copies are synced on one machine, beside other tests.
  cluster = await TestCluster.start({ settings: { "proposal-timeout-ms": "120000" } });
});
afterAll(async () => {
  await cluster?.close();
});

it("a value of 64 MB that is written through a follower is on every node", async () => {
  const roles = await Promise.all(
    cluster.nodes.map(async ({ index }) => (await cluster.status(index)).get("role")),
  );
  const client = await RespClient.connect(cluster.nodes[roles.indexOf("follower")].port);
  const value = Buffer.alloc(VALUE_BYTES, "0123456789");
  expect(await client.call("SET", "large", value)).toBe("OK");
  expect(await client.call("STRLEN", "large")).toBe(VALUE_BYTES);
  client.close();
  for (const { index } of cluster.nodes) {
    await until("the value is there", async () => {
      return (await cluster.call(index, "STRLEN", "large")) === VALUE_BYTES;
    });
    expect(await cluster.call(index, "GETRANGE", "large", "-14", "-1")).toBe("01234567890123");
  }
});
