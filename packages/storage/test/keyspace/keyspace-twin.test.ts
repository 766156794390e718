import * as fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { HashIndex } from "../../src/keyspace/hash-index.ts";
import { Keyspace } from "../../src/keyspace/keyspace.ts";
import { apply, operations, type Operation } from "./operations.ts";
import { expectSame, Twin } from "./twin.ts";

const START_MS = 1_800_000_000_000;

function run(steps: readonly Operation[], keyspace: Keyspace): void {
  const pair = { keyspace, twin: new Twin(), nowMs: START_MS };
  for (const [number, step] of steps.entries()) {
    apply(pair, step);
    if (number % 25 === 0) {
      pair.keyspace.checkInvariants();
    }
  }
  pair.keyspace.checkInvariants();
  expectSame(pair.keyspace, pair.twin);
}

const sequences = fc.array(operations, { maxLength: 150, size: "max" });

describe("the keyspace", () => {
  it("answers and holds what a Map would, whatever is done to it", () => {
    const property = fc.property(sequences, (steps) => run(steps, new Keyspace({ hashSeed: 7 })));
    expect(() => fc.assert(property, { numRuns: 60 })).not.toThrow();
  });

  it("does so when keys collide all the time", () => {
    const hasher = { hash: (_: Uint8Array, start: number, end: number) => (end - start) % 3 };
    const few = fc.array(
      operations.filter((operation) => operation.kind !== "grow"),
      { maxLength: 150, size: "max" },
    );
    const property = fc.property(few, (steps) => run(steps, new Keyspace({ hashSeed: 7 }, hasher)));
    expect(() => fc.assert(property, { numRuns: 40 })).not.toThrow();
  });

  it("would be caught if it forgot to remove (canary)", () => {
    const remove = vi.spyOn(HashIndex.prototype, "remove").mockImplementation(() => undefined);
    try {
      expect(() =>
        run(
          [
            { kind: "set", key: "a", value: Buffer.from("1"), expire: "none" },
            { kind: "remove", key: "a" },
          ],
          new Keyspace({ hashSeed: 7 }),
        ),
      ).toThrow(/neither used nor free|is wrong|not in the index|unused slab|class/u);
    } finally {
      remove.mockRestore();
    }
  });
});
