/** Lease reads and bounded reads over whole replicas: when a node answers by itself, and when it no longer does. */
import { describe, expect, it } from "vitest";
import { TestCluster, type TestNode } from "./cluster.ts";

function settled(leaseReads = true): {
  cluster: TestCluster;
  leader: TestNode;
  followers: TestNode[];
} {
  const cluster = new TestCluster(3, { leaseReads });
  cluster.settle();
  return { cluster, leader: cluster.leader(), followers: cluster.followers() };
}

/** As a client that reads by lease all the time. */
function readAllTheTime(cluster: TestCluster, node: TestNode): { atOnce: number; refused: number } {
  const counts = { atOnce: 0, refused: 0 };
  const read = (): void => {
    if (!node.isUp) return;
    if (node.replica.mayReadNow("lease", 0)) counts.atOnce++;
    else counts.refused++;
    cluster.after(1, read);
  };
  read();
  return counts;
}

describe("reads by lease", () => {
  it("are answered at once by a leader, once it has been asked for some", () => {
    const { cluster, leader, followers } = settled();
    const counts = readAllTheTime(cluster, leader);
    cluster.run(200);
    expect(counts.refused).toBeLessThan(70);
    counts.refused = 0;
    cluster.run(2000);
    expect(counts.refused).toBe(0);
    expect(followers.map((node) => node.replica.mayReadNow("lease", 0))).toEqual([false, false]);
  });

  it("end before anybody else is elected, when the leader is cut off", () => {
    const { cluster, leader } = settled();
    readAllTheTime(cluster, leader);
    cluster.run(500);
    expect(leader.replica.mayReadNow("lease", 0)).toBe(true);
    cluster.isolate(leader);
    // The followers see their links break; without promises they would elect another leader at once.
    for (const node of cluster.nodes) {
      if (node !== leader) node.replica.onDisconnected(leader.id);
    }
    const others = cluster.nodes.filter((node) => node !== leader);
    cluster.runUntil("another leader", () =>
      others.some((node) => node.replica.role() === "leader"),
    );
    expect(leader.replica.mayReadNow("lease", 0)).toBe(false);
    expect(leader.replica.core.leaseTicksLeft()).toBe(0);
  });

  it("are not while leadership is handed over", () => {
    const { cluster, leader } = settled();
    readAllTheTime(cluster, leader);
    cluster.run(500);
    leader.replica.handOver();
    expect(leader.replica.mayReadNow("lease", 0)).toBe(false);
  });

  it("are confirmed like any others without lease-reads", () => {
    const { cluster, leader } = settled(false);
    const counts = readAllTheTime(cluster, leader);
    cluster.run(1000);
    expect(counts.atOnce).toBe(0);
    let answer: string | null | undefined;
    leader.replica.confirmRead((errorText) => (answer = errorText));
    cluster.run(100);
    expect(answer).toBeNull();
  });
});

describe("bounded reads", () => {
  it("are answered at once by a follower while a confirmed index is recent enough", () => {
    const { cluster, followers } = settled(false);
    const [follower] = followers;
    cluster.runUntil("a confirmation", () => follower.replica.mayReadNow("bounded", 50));
    cluster.run(60);
    expect(follower.replica.mayReadNow("bounded", 40)).toBe(false);
    expect(follower.replica.mayReadNow("bounded", 2000)).toBe(true);
  });

  it("are not answered by a follower whose answers are lost, however often it hears the leader", () => {
    const { cluster, leader, followers } = settled(false);
    const [deaf] = followers;
    cluster.cut(deaf, leader);
    const heard = (): number => deaf.replica.service.leaderSilenceMs();
    leader.write(0, "SET", "a", "1");
    cluster.run(3000);
    // Its heartbeats still come: they name a commit index that is cut to what it is known to have.
    expect(heard()).toBeLessThan(200);
    expect(deaf.replica.mayReadNow("bounded", 2000)).toBe(false);
    let answer: string | null | undefined;
    deaf.replica.confirmRead((errorText) => (answer = errorText));
    cluster.runUntil("an error", () => answer !== undefined);
    expect(answer).toMatch(/^CLUSTERDOWN no leader confirmed the read/);
  });
});
