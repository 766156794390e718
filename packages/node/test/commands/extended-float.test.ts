import * as fc from "fast-check";
import { expect, test } from "vitest";
import { addExtended, formatHuman } from "../../src/commands/string/extended-float.ts";
import { FLOAT_BYTES_MAX, parseExtended } from "../../src/commands/string/extended-float-text.ts";

function sum(a: string, b: string): string {
  return formatHuman(addExtended(parseExtended(a)!, parseExtended(b)!)!);
}

test("Integers of up to 64 bits are added exactly", () => {
  const integer = fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n });
  fc.assert(
    fc.property(integer, integer, (a, b) => {
      expect(sum(String(a), String(b))).toBe(String(a + b));
    }),
  );
});

test("A sum needs no order", () => {
  const float = fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e300, max: 1e300 });
  fc.assert(
    fc.property(float, float, (a, b) => {
      expect(sum(String(a), String(b))).toBe(sum(String(b), String(a)));
    }),
  );
});

test("What is printed reads back as what is printed", () => {
  const float = fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e15, max: 1e15 });
  fc.assert(
    fc.property(float, (value) => {
      const text = formatHuman(parseExtended(String(value))!);
      expect(formatHuman(parseExtended(text)!)).toBe(text);
    }),
  );
});

test("A mantissa has 64 bits, and a tie goes to the even neighbour", () => {
  // 2^64 + 1 lies half-way between 2^64 and 2^64 + 2; 2^64 + 3 between + 2 and + 4.
  expect(formatHuman(parseExtended("18446744073709551617")!)).toBe("18446744073709551616");
  expect(formatHuman(parseExtended("18446744073709551619")!)).toBe("18446744073709551620");
  expect(formatHuman(parseExtended("18446744073709551615")!)).toBe("18446744073709551615");
});

test("The smallest and the largest float are floats, their neighbours beyond are none", () => {
  expect(parseExtended("3.6451995318824746e-4951")).toEqual({
    negative: false,
    mantissa: 1n,
    exponent: -16445,
  });
  expect(parseExtended("1.8e-4951")).toBeNull();
  expect(parseExtended("1.189731495357231765e4932")?.mantissa).toBe(2n ** 64n - 1n);
  expect(parseExtended("1.1897314953572317651e4932")).toBeNull();
});

test("A float may be written with FLOAT_BYTES_MAX bytes and not one more", () => {
  expect(parseExtended(`1.${"0".repeat(FLOAT_BYTES_MAX - 2)}`)).not.toBeNull();
  expect(parseExtended(`1.${"0".repeat(FLOAT_BYTES_MAX - 1)}`)).toBeNull();
});

test("Exponents no machine could raise ten to are refused at once", () => {
  expect(parseExtended(`1e${"9".repeat(4000)}`)).toBeNull();
  expect(parseExtended(`1e-${"9".repeat(4000)}`)).toBeNull();
  expect(parseExtended(`0e${"9".repeat(4000)}`)?.mantissa).toBe(0n);
});

test("Infinities of one sign stay, of two signs are not a number", () => {
  const plus = parseExtended("inf")!;
  const minus = parseExtended("-inf")!;
  expect(addExtended(plus, plus)).toEqual(plus);
  expect(addExtended(plus, minus)).toBeNull();
  expect(addExtended(parseExtended("1")!, minus)).toEqual(minus);
});
