/**
 * R34: links that fail in one direction only. For every set of cut links among three nodes (64 of them, and 5,000 of the
 * 2^20 of five) in which some majority can still talk both ways, the cluster must settle on one leader and keep it.
 */
import { describe, expect, test } from "vitest";
import type { Message } from "../../src/index.ts";
import { optionsOf } from "../harness/options.ts";
import { TestPrng } from "../harness/prng.ts";
import { TestNode, type NodeEvents } from "../harness/test-node.ts";

class CutNetwork implements NodeEvents {
  readonly nodes: readonly TestNode[];
  readonly #cut: (from: string, to: string) => boolean;
  #inFlight: Message[] = [];

  constructor(names: readonly string[], cut: (from: string, to: string) => boolean, seed: number) {
    this.#cut = cut;
    this.nodes = names.map((id) => new TestNode(optionsOf({ id, voters: names, seed }), this));
  }

  send(message: Message): void {
    if (!this.#cut(message.from, message.to)) {
      this.#inFlight.push(message);
    }
  }

  appended(): void {}
  applied(): void {}
  installed(): void {}
  readConfirmed(): void {}
  readFailed(): void {}

  tick(): void {
    for (const node of this.nodes) {
      node.core.tick();
      node.pump();
    }
    for (let hop = 0; hop < 6; hop += 1) {
      for (const node of this.nodes) {
        while (node.disk.pendingWrites > 0) {
          node.completeWrite();
        }
      }
      const batch = this.#inFlight;
      this.#inFlight = [];
      for (const message of batch) {
        const target = this.nodes.find((node) => node.id === message.to);
        target?.core.step(message);
        target?.pump();
      }
    }
  }

  /** Who leads, with whose majority in contact: id and term, or null. */
  leader(): string | null {
    const leaders = this.nodes
      .filter((node) => node.core.role() === "leader")
      .toSorted((one, other) => other.core.term() - one.core.term());
    return leaders[0] === undefined ? null : `${leaders[0].id} in term ${leaders[0].core.term()}`;
  }
}

function directedLinks(names: readonly string[]): readonly (readonly [string, string])[] {
  return names.flatMap((from) =>
    names.filter((to) => to !== from).map((to) => [from, to] as const),
  );
}

/** Is there a majority of nodes of which every two can talk both ways? */
function hasConnectedMajority(names: readonly string[], cut: ReadonlySet<string>): boolean {
  const majority = Math.floor(names.length / 2) + 1;
  return Array.from({ length: 2 ** names.length }, (_, bits) =>
    names.filter((_name, place) => ((bits >> place) & 1) === 1),
  ).some(
    (group) =>
      group.length >= majority &&
      group.every((from) => group.every((to) => from === to || !cut.has(`${from}>${to}`))),
  );
}

/** Leads whoever it is after a while, the same all the time after that? */
function settles(names: readonly string[], cut: ReadonlySet<string>, seed: number): boolean {
  // Every second run the cut meets a cluster with a leader and a log, the other runs a fresh one.
  let whole = seed % 2 === 0;
  const network = new CutNetwork(names, (from, to) => !whole && cut.has(`${from}>${to}`), seed);
  for (let tick = 0; tick < 40; tick += 1) {
    network.tick();
    network.nodes.forEach((node) => node.core.propose(new Uint8Array(1)));
  }
  whole = false;
  for (let tick = 0; tick < 400; tick += 1) {
    network.tick();
  }
  const leader = network.leader();
  for (let tick = 0; tick < 200; tick += 1) {
    network.tick();
    if (network.leader() !== leader) {
      return false;
    }
  }
  return leader !== null;
}

describe("R34: one-way link failures", () => {
  test("all 64 cut sets of three nodes with a connected majority lead to a stable leader", () => {
    const names = ["a", "b", "c"];
    const links = directedLinks(names);
    let tried = 0;
    for (let bits = 0; bits < 2 ** links.length; bits += 1) {
      const cut = new Set(
        links
          .filter((_, place) => ((bits >> place) & 1) === 1)
          .map(([from, to]) => `${from}>${to}`),
      );
      if (!hasConnectedMajority(names, cut)) {
        continue;
      }
      tried += 1;
      for (const seed of [1, 2, 4, 6]) {
        expect(settles(names, cut, seed), `cut ${[...cut].join(" ")}, seed ${seed}`).toBe(true);
      }
    }
    // Each of the three pairs whole: 3 * 16 sets, less those counted twice or thrice.
    expect(tried).toBe(3 * 16 - 3 * 4 + 1);
  });

  test(
    "5,000 of the cut sets of five nodes with a connected majority lead to a stable leader",
    { timeout: 300_000 },
    () => {
      const names = ["a", "b", "c", "d", "e"];
      const links = directedLinks(names);
      const prng = new TestPrng(34);
      const tried = new Set<string>();
      while (tried.size < 5000) {
        // Half of them drawn evenly from all that there are, half with fewer cuts, which those hardly show.
        const percent = tried.size % 2 === 0 ? 50 : 5 + prng.below(40);
        const cut = new Set(
          links.filter(() => prng.chance(percent)).map(([from, to]) => `${from}>${to}`),
        );
        const name = [...cut].join(" ");
        if (tried.has(name) || !hasConnectedMajority(names, cut)) {
          continue;
        }
        tried.add(name);
        expect(settles(names, cut, tried.size), `cut ${name}`).toBe(true);
      }
    },
  );
});
