/** Appends that overtake each other, and probes that may miss: what a bad order must not cost. */
import { describe, expect, test } from "vitest";
import { probeBytesMax } from "../src/replicator.ts";
import { append, appendAnswer, Bench, heartbeat, heartbeatAnswer } from "./harness/bench.ts";
import { entryOf, optionsOf } from "./harness/options.ts";
import { TestPrng } from "./harness/prng.ts";
import { TestNode, type NodeEvents } from "./harness/test-node.ts";
import type { AppendRequest, Message } from "../src/index.ts";

/** The append of `b` in term 1 that carries entry `index`, of some size. */
function appendOf(index: number, text = "x"): AppendRequest {
  const previousTerm = index === 1 ? 0 : 1;
  const ends = { from: "b", to: "a", term: 1, previousIndex: index - 1, previousTerm } as const;
  return append({ ...ends, entries: [entryOf(index, 1, text)] });
}

/** An append without entries at the end of the leader's log. */
function emptyAt(previousIndex: number): AppendRequest {
  return append({ from: "b", to: "a", term: 1, previousIndex, previousTerm: 1 });
}

/** Follows `b`, whose first entry it has. */
function follower(limits: { inflightMessagesMax?: number; inflightBytesMax?: number } = {}): Bench {
  const node = new Bench({ id: "a", limits: { inflightMessagesMax: 8, ...limits } });
  return node.step(appendOf(1)).forget();
}

describe("an append that comes before those it follows", () => {
  test("is kept, and acknowledged with them", () => {
    const node = follower().step(appendOf(4), appendOf(3));
    expect(node.take("appendResponse")).toEqual([]);
    node.step(appendOf(2));
    expect(node.core.lastIndex()).toBe(4);
    expect(node.take("appendResponse").at(-1)).toMatchObject({ success: true, matchIndex: 4 });
  });

  test("is refused at once when nothing of this leader has fitted yet: then the logs may differ", () => {
    const node = new Bench({ id: "a", entries: [entryOf(1, 1)] });
    node.step(append({ ...appendOf(4), term: 2 }));
    expect(node.take("appendResponse")).toMatchObject([{ success: false, rejectedIndex: 3 }]);
  });

  test("is forgotten with the term in which it was sent", () => {
    const node = follower().step(appendOf(3));
    const ends = { from: "c", to: "a", term: 2, previousIndex: 1, previousTerm: 1 } as const;
    node.step(append({ ...ends, entries: [entryOf(2, 2)] }));
    expect(node.core.lastIndex()).toBe(2);
  });

  test("is refused beyond three quarters of the window: what is missing is lost by then", () => {
    const node = follower();
    for (let index = 3; index < 9; index += 1) {
      node.step(appendOf(index));
    }
    expect(node.take("appendResponse")).toEqual([]);
    node.step(appendOf(9));
    expect(node.take("appendResponse")).toMatchObject([{ success: false, hintIndex: 1 }]);
    node.step(appendOf(2));
    expect(node.core.lastIndex()).toBe(8);
  });

  test("is refused beyond the bytes of the window", () => {
    const node = follower({ inflightBytesMax: 100 });
    node.step(appendOf(3, "x".repeat(60)));
    expect(node.take("appendResponse")).toEqual([]);
    node.step(appendOf(4, "x".repeat(60)));
    expect(node.take("appendResponse")).toMatchObject([{ success: false }]);
  });

  test("and comes again is kept once", () => {
    const node = follower();
    for (let time = 0; time < 50; time += 1) {
      node.step(appendOf(3));
    }
    expect(node.take("appendResponse")).toEqual([]);
  });

  test("without entries is passed over while others still come, and refused when none did since a heartbeat", () => {
    const node = follower().step(emptyAt(7));
    expect(node.take("appendResponse")).toEqual([]);
    node.step(heartbeat({ from: "b", to: "a", term: 1 }), emptyAt(7));
    expect(node.take("appendResponse")).toMatchObject([{ success: false, rejectedIndex: 7 }]);
  });
});

describe("a probe", () => {
  function leader(sizeBytes: number): Bench {
    const limits = { appendBytesMax: 1 << 20, uncommittedBytesMax: 1 << 24 };
    const bench = new Bench({ id: "a", limits }).makeLeader().acknowledge("b").acknowledge("c");
    bench.core.peerUnreachable("b");
    bench.propose("x".repeat(sizeBytes)).forget();
    return bench.step(heartbeatAnswer({ from: "b", to: "a", term: 1 }));
  }

  test("carries no entry above its limit, and the entry follows when it fits", () => {
    const bench = leader(probeBytesMax + 1);
    expect(bench.take("append")).toMatchObject([{ to: "b", previousIndex: 1, entries: [] }]);
    bench.step(appendAnswer({ from: "b", to: "a", term: 1, matchIndex: 1 }));
    expect(bench.take("append")[0]?.entries.map((entry) => entry.index)).toEqual([2]);
  });

  test("carries what is small: one round trip less", () => {
    const bench = leader(probeBytesMax);
    expect(bench.take("append")[0]?.entries.map((entry) => entry.index)).toEqual([2]);
  });
});

/** Three nodes on a virtual clock; everything to and from `c` takes a random time. */
class JitteryNetwork implements NodeEvents {
  readonly nodes: readonly TestNode[];
  readonly #prng: TestPrng;
  readonly #jitterMs: number;
  #onTheirWay: { readonly atMs: number; readonly message: Message }[] = [];
  #nowMs = 0;
  isCut = true;
  appendsToC = 0;

  constructor(options: { seed: number; jitterMs: number; window: number }) {
    this.#prng = new TestPrng(options.seed);
    this.#jitterMs = options.jitterMs;
    const limits = {
      electionTimeoutTicks: 50,
      heartbeatIntervalTicks: 5,
      inflightMessagesMax: options.window,
      appendBytesMax: 1,
      uncommittedBytesMax: 1 << 20,
      inflightBytesMax: 1 << 20,
    };
    const voters = ["a", "b", "c"];
    this.nodes = voters.map(
      (id) => new TestNode(optionsOf({ id, voters, seed: options.seed, limits }), this),
    );
  }

  send(message: Message): void {
    const isSlow = message.to === "c" || message.from === "c";
    if (isSlow && this.isCut) {
      return;
    }
    this.appendsToC += message.kind === "append" && message.to === "c" ? 1 : 0;
    const delayMs = isSlow ? 1 + this.#prng.below(this.#jitterMs) : 1;
    this.#onTheirWay.push({ atMs: this.#nowMs + delayMs, message });
  }

  appended(): void {}
  applied(): void {}
  installed(): void {}
  readConfirmed(): void {}
  readFailed(): void {}

  millisecond(): void {
    this.#nowMs += 1;
    const due = this.#onTheirWay.filter(({ atMs }) => atMs <= this.#nowMs);
    this.#onTheirWay = this.#onTheirWay.filter(({ atMs }) => atMs > this.#nowMs);
    for (const { message } of due) {
      this.nodes.find((node) => node.id === message.to)?.core.step(message);
    }
    for (const node of this.nodes) {
      if (this.#nowMs % 10 === 0) {
        node.core.tick();
      }
      node.pump();
      while (node.disk.pendingWrites > 0) {
        node.completeWrite();
      }
    }
  }

  leader(): TestNode | undefined {
    return this.nodes.find((node) => node.core.role() === "leader");
  }
}

test.each([
  { window: 64, appendsMax: 2000, msMax: 1000 },
  { window: 4, appendsMax: 700, msMax: 6000 },
])(
  "a backlog of 500 appends comes over a network that reorders without a storm (window $window)",
  ({ window, appendsMax, msMax }) => {
    for (const seed of [1, 2, 3]) {
      const network = new JitteryNetwork({ seed, jitterMs: 20, window });
      while (network.leader() === undefined) {
        network.millisecond();
      }
      const leader = network.leader();
      const lagging = network.nodes[2];
      expect(leader?.id).not.toBe("c");
      for (let entry = 0; entry < 500; entry += 1) {
        leader?.core.propose(new Uint8Array(1));
        network.millisecond();
      }
      network.isCut = false;
      network.appendsToC = 0;
      let ms = 0;
      while ((lagging?.core.lastIndex() ?? 0) < (leader?.core.lastIndex() ?? 0) && ms < msMax) {
        network.millisecond();
        ms += 1;
      }
      expect(ms, `seed ${seed}`).toBeLessThan(msMax);
      expect(network.appendsToC, `seed ${seed}`).toBeLessThan(appendsMax);
    }
  },
);
