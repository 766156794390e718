import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Keyspace } from "../../src/keyspace/keyspace.ts";
import { setText } from "./twin.ts";

const MAX = 2n ** 63n - 1n;
const MIN = -(2n ** 63n);

function isInteger(text: string): boolean {
  const keyspace = new Keyspace({ hashSeed: 7 });
  return keyspace.isInteger(setText(keyspace, "key", text));
}

describe("the integer encoding", () => {
  it("is told for every 64-bit integer as Redis prints it", () => {
    for (const number of [0n, 1n, -1n, 10n, 100n, MAX, MAX - 1n, MIN, MIN + 1n, 10n ** 18n]) {
      expect([number, isInteger(number.toString())]).toEqual([number, true]);
    }
  });

  it("is not told for any other text", () => {
    const others = [
      "",
      "-",
      "+1",
      "-0",
      "00",
      "01",
      "-01",
      " 1",
      "1 ",
      "1.0",
      "1e3",
      "0x1",
      "a",
      "1a",
      "--1",
      "1\0",
      (MAX + 1n).toString(),
      (MIN - 1n).toString(),
      "9999999999999999999",
      "18446744073709551615",
      "-99999999999999999999",
      "1".repeat(21),
    ];
    for (const text of others) {
      expect([text, isInteger(text)]).toEqual([text, false]);
    }
  });

  it("agrees with printing and reading the number, for numbers around the limits", () => {
    const numbers = fc.oneof(
      fc.bigInt({ min: MIN - 1000n, max: MIN + 1000n }),
      fc.bigInt({ min: MAX - 1000n, max: MAX + 1000n }),
      fc.bigInt({ min: MIN * 20n, max: MAX * 20n }),
    );
    fc.assert(
      fc.property(numbers, (number) => {
        expect(isInteger(number.toString())).toBe(number >= MIN && number <= MAX);
      }),
      { numRuns: 500 },
    );
  });
});
