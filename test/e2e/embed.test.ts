/** A node inside another Node program. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseConfig, startNode, type NodeConfig, type NodeHandle } from "@ferrite/node";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { RespClient } from "./harness/resp-client.ts";

let directory: string;
const started: NodeHandle[] = [];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "ferrite-embed-"));
});
afterEach(async () => {
  await Promise.all(started.splice(0).map((node) => node.stop()));
  rmSync(directory, { recursive: true, force: true });
});

function configuration(settings: Readonly<Record<string, string>> = {}): NodeConfig {
  const values = {
    "node-name": "embedded",
    dir: join(directory, "data"),
    port: "0",
    "http-port": "no",
    ...settings,
  };
  const flags = Object.entries(values).map(([name, value]) => ({ name, value, flag: name }));
  const { config } = parseConfig(
    { flags, environment: {}, file: null },
    { hostname: "host", workingDirectory: directory, isTerminal: false },
  );
  return config;
}

async function start(config: NodeConfig = configuration()): Promise<NodeHandle> {
  const node = await startNode({ config });
  started.push(node);
  return node;
}

function connect(node: NodeHandle): Promise<RespClient> {
  const address = node.addresses.resp[0];
  return RespClient.connect(Number(address.slice(address.lastIndexOf(":") + 1)));
}

describe("an embedded node", () => {
  it("serves RESP on the port it has picked, stops when told, twice, and keeps its data", async () => {
    const node = await start();
    expect(node.addresses.peer).toBeNull();
    expect(node.addresses.http).toBeNull();
    expect(node.addresses.resp[0]).toMatch(/^127\.0\.0\.1:[1-9]\d*$/);
    const client = await connect(node);
    expect(await client.call("SET", "a", "1")).toBe("OK");
    expect(await client.call("INCR", "a")).toBe(2);
    expect(node.replica.role()).toBe("leader");
    await Promise.all([node.stop(), node.stop()]);
    await node.stop();
    expect(await node.stopped).toBeNull();
    await expect(connect(node)).rejects.toThrow();

    const again = await start();
    expect(again.nodeId).toBe(node.nodeId);
    expect(again.clusterId).toBe(node.clusterId);
    const other = await connect(again);
    expect(await other.call("GET", "a")).toBe("2");
    expect(await other.call("INCR", "a")).toBe(3);
    other.close();
  });

  it("answers what is under way before it stops", async () => {
    const node = await start();
    const client = await connect(node);
    const replies = client.pipeline(Array.from({ length: 500 }, () => ["INCR", "n"]));
    await replies[0];
    await node.stop();
    const settled = await Promise.allSettled(replies);
    const acknowledged = settled.filter(
      (each) => each.status === "fulfilled" && typeof each.value === "number",
    );
    const other = await connect(await start());
    expect(acknowledged.length).toBeGreaterThan(0);
    // Everything that ran was answered, and what was not answered did not run.
    expect(await other.call("GET", "n")).toBe(String(acknowledged.length));
    other.close();
  });

  it("is refused a directory that another node of the same process uses, and leaves nothing behind", async () => {
    const node = await start();
    await expect(startNode({ config: configuration() })).rejects.toMatchObject({
      code: "directoryLocked",
    });
    const client = await connect(node);
    expect(await client.call("PING")).toBe("PONG");
    client.close();
  });

  it("can have as many neighbours in one process as there are directories", async () => {
    const nodes = await Promise.all(
      ["one", "two", "three"].map((name) =>
        start(configuration({ "node-name": name, dir: join(directory, name) })),
      ),
    );
    const clients = await Promise.all(nodes.map(connect));
    for (const [at, client] of clients.entries()) await client.call("SET", "who", String(at));
    const replies = await Promise.all(clients.map((client) => client.call("GET", "who")));
    expect(replies).toEqual(["0", "1", "2"]);
    for (const client of clients) client.close();
  });
});
