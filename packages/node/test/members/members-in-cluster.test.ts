import { afterEach, describe, expect, it } from "vitest";
import { change, MemberCluster, type MemberNode } from "./member-cluster.ts";

let cluster: MemberCluster;

afterEach(() => {
  for (const { node } of cluster.nodes) if (node.isUp) node.replica.stop();
});

function formed(size: number): MemberCluster {
  cluster = new MemberCluster(size).settle();
  return cluster;
}

function write(at: MemberNode, key: string, value: string): void {
  const pending = at.node.write(0, "SET", key, value);
  cluster.timers.runUntil("a write", () => pending.outcome !== null);
  expect(pending.outcome).toBe("+OK\r\n");
}

function value(at: MemberNode, key: string): string | null {
  const { keyspace } = at.node.replica;
  const bytes = Buffer.from(key);
  const ref = keyspace.find(bytes, 0, bytes.length, 0);
  if (ref === 0) return null;
  const start = keyspace.valueStart(ref);
  const end = start + keyspace.valueLength(ref);
  return Buffer.from(keyspace.valueBuffer(ref).subarray(start, end)).toString();
}

describe("members of a cluster", () => {
  it("reaches feature level 1 right after forming, and every member announces itself (O05, O13)", () => {
    formed(3);
    cluster.timers.runUntil("announced", () =>
      cluster
        .leader()
        .table.all()
        .every(({ record }) => record.version === "1.2.3"),
    );
    expect(
      cluster
        .leader()
        .table.all()
        .map(({ record }) => record.peerAddress),
    ).toEqual(["node1.test:16379", "node2.test:16379", "node3.test:16379"]);
    cluster.agree();
  });

  it("goes from three to five and back to three without an error (O08)", () => {
    formed(3);
    write(cluster.leader(), "k", "1");
    for (const name of ["node4", "node5"]) {
      const asked = cluster.ask(change({ kind: "add", name }));
      cluster.newDisk(name);
      cluster.timers.runUntil("an answer", () => asked.outcome !== null);
      expect(cluster.end(cluster.leader().table.change!.id)).toMatchObject({ phase: "done" });
    }
    expect(cluster.voters()).toEqual(["node1", "node2", "node3", "node4", "node5"]);
    write(cluster.named("node5"), "k", "2");
    cluster.agree();
    expect(cluster.nodes.map((node) => value(node, "k"))).toEqual(["2", "2", "2", "2", "2"]);
    for (const name of ["node4", "node1"]) {
      expect(cluster.outcome({ kind: "remove", name })).toMatchObject({ phase: "done" });
    }
    expect(cluster.voters()).toEqual(["node2", "node3", "node5"]);
    write(cluster.named("node5"), "k", "3");
  });
});
