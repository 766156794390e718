/**
 * Members come, go, lose their disks and change their roles at random, while nodes die, links are cut and clients write.
 * Afterwards the cluster must have peace: one state on all members, every acknowledged write in it, no change left over, and
 * nobody a member whose disk was removed.
 */
import { afterEach, describe, expect, it } from "vitest";
import { namedIn } from "../../src/members/configuration-roles.ts";
import type { MemberChange } from "../../src/members/member-record.ts";
import { change, MemberCluster, type MemberNode } from "./member-cluster.ts";

const SEEDS = Number(process.env["CHURN_SEEDS"] ?? 12);
const STEPS = 60;
const NAMES = ["node1", "node2", "node3", "node4", "node5"];
/** All wait for changes that were begun: a joiner that never comes is cancelled by an operator. */
const PEACE_MS = 300_000;

/** Mulberry32. */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

class Churn {
  readonly cluster: MemberCluster;
  readonly #random: () => number;
  /** Keys of acknowledged writes. */
  readonly acknowledged: string[] = [];
  /** By change id: how it ended, as first seen. */
  readonly ends: Map<number, string> = new Map();
  /** Disks that were lost. */
  readonly #lost: Set<string> = new Set();
  #writes = 0;

  constructor(seed: number) {
    this.#random = generator(seed);
    this.cluster = new MemberCluster(3, { timeoutMs: 2000 }).settle();
  }

  pick<T>(items: readonly T[]): T {
    return items[Math.floor(this.#random() * items.length)];
  }

  /** Every node by name, the newest disk. */
  node(name: string): MemberNode | undefined {
    return this.cluster.nodes.findLast((node) => node.name === name);
  }

  up(): MemberNode[] {
    return this.cluster.nodes.filter(({ isUp }) => isUp);
  }

  act(): void {
    const { cluster } = this;
    const name = this.pick(NAMES);
    const at = this.pick(this.up());
    const roll = this.#random();
    if (roll < 0.12)
      cluster.ask(change({ kind: "add", name, asLearner: this.#random() < 0.3 }), at);
    else if (roll < 0.22) cluster.ask(change({ kind: "remove", name }), at);
    else if (roll < 0.3) cluster.ask(change({ kind: "promote", name }), at);
    else if (roll < 0.36) cluster.ask(change({ kind: "demote", name }), at);
    else if (roll < 0.4)
      cluster.ask(change({ kind: "replace", name, newcomer: this.pick(NAMES) }), at);
    else if (roll < 0.46) cluster.ask({ write: "cancel" }, at);
    else if (roll < 0.6) this.#freshDisk(name);
    else if (roll < 0.72) this.#killOne();
    else if (roll < 0.8) this.#cut();
    else cluster.timers.heal();
  }

  /** A disk is lost only where the others are a majority without it, by every configuration that anybody goes by. */
  #freshDisk(name: string): void {
    const old = this.node(name);
    if (old !== undefined) {
      this.#lost.add(old.id);
      if (!this.#hasMajorities()) {
        this.#lost.delete(old.id);
        return;
      }
      if (old.isUp) old.stop();
    }
    this.cluster.newDisk(name);
  }

  #hasMajorities(): boolean {
    return this.cluster.nodes
      .filter(({ id, node }) => !this.#lost.has(id) && node.replica !== undefined)
      .every(({ node }) => {
        const { voters, votersOutgoing } = node.replica.core.status().configuration;
        return [voters, votersOutgoing].every((half) => {
          const kept = half.filter((id) => !this.#lost.has(id)).length;
          return half.length === 0 || kept * 2 > half.length;
        });
      });
  }

  #killOne(): void {
    const { timers } = this.cluster;
    const victim = this.pick(this.up());
    if (this.up().length < 2) return;
    victim.stop();
    timers.after(this.#random() * 2000, () => {
      if (!victim.isUp && victim.removedText === null && this.node(victim.name) === victim) {
        victim.node.start();
        const attach = (): void => {
          if (victim.isUp) victim.attach();
          else timers.after(1, attach);
        };
        attach();
      }
    });
  }

  #cut(): void {
    const [from, to] = [this.pick(this.up()), this.pick(this.up())];
    if (from !== to) this.cluster.timers.cut(from.node, to.node);
  }

  write(): void {
    const key = `k${++this.#writes}`;
    const at = this.pick(this.up());
    const { timers } = this.cluster;
    const pending = at.node.write(0, "SET", key, "v");
    const look = (): void => {
      if (pending.outcome === "+OK\r\n") this.acknowledged.push(key);
      else if (pending.outcome === null) timers.after(10, look);
    };
    look();
  }

  /** What no node may ever say otherwise. */
  check(): void {
    for (const { table } of this.up()) {
      const last = table.change;
      if (last === null || !["done", "refused", "cancelled"].includes(last.phase)) continue;
      const end = `${last.kind} ${last.name} ${last.target ?? "-"} ${last.phase}`;
      expect(this.ends.get(last.id) ?? end).toBe(end);
      this.ends.set(last.id, end);
    }
  }

  peace(): void {
    const { cluster } = this;
    cluster.timers.heal();
    for (const node of cluster.nodes) {
      const isNewest = this.node(node.name) === node;
      if (!node.isUp && isNewest && node.removedText === null) cluster.start(node);
    }
    const open = (): MemberChange | null => {
      const { change: last } = cluster.leader().table;
      return last !== null && ["asked", "waiting", "catchingUp", "changing"].includes(last.phase)
        ? last
        : null;
    };
    cluster.timers.run(5000);
    if (open() !== null) cluster.answer({ write: "cancel" });
    cluster.timers.runUntil("no change under way", () => open() === null, PEACE_MS);
    cluster.timers.runUntil(
      "order",
      () =>
        cluster
          .leader()
          .table.all()
          .every(({ isLeaving }) => !isLeaving),
      PEACE_MS,
    );
  }
}

let churn: Churn;

afterEach(() => {
  for (const { node } of churn.cluster.nodes) if (node.isUp) node.replica.stop();
});

describe("a cluster whose members come and go at random", () => {
  it.each(Array.from({ length: SEEDS }, (_, seed) => seed))(
    "has peace at the end (seed %i)",
    (seed) => {
      churn = new Churn(seed);
      const { cluster } = churn;
      for (let step = 0; step < STEPS; step++) {
        churn.act();
        churn.write();
        cluster.timers.run(150);
        churn.check();
      }
      churn.peace();
      const leader = cluster.leader();
      const { table } = leader;
      const { configuration } = leader.node.replica.machine;
      const named = namedIn(configuration);
      expect(
        table
          .all()
          .map(({ record }) => record.id)
          .sort(),
      ).toEqual([...named].sort());
      for (const id of table.removedIds()) expect(named.has(id)).toBe(false);
      const { keyspace } = leader.node.replica;
      const missing = churn.acknowledged.filter((key) => {
        const bytes = Buffer.from(key);
        return keyspace.find(bytes, 0, bytes.length, 0) === 0;
      });
      expect(missing).toEqual([]);
      const members = (): MemberNode[] => churn.up().filter(({ id }) => named.has(id));
      cluster.timers.runUntil(
        "one position",
        () => new Set(members().map(({ node }) => node.appliedIndex)).size === 1,
        PEACE_MS,
      );
      expect(new Set(members().map(({ node }) => node.replica.machine.stateHash())).size).toBe(1);
    },
  );
});
