import * as fc from "fast-check";
import { expect, test } from "vitest";
import { formatDouble } from "../../src/resp/double.ts";

test.each([
  [0, "0"],
  [-0, "-0"],
  [1, "1"],
  [3.5, "3.5"],
  [0.1, "0.10000000000000001"],
  [1e16, "10000000000000000"],
  [1e17, "1e+17"],
  [123456789012345680, "1.2345678901234568e+17"],
  [0.0001, "0.0001"],
  [0.00001, "1.0000000000000001e-05"],
  [5e-324, "4.9406564584124654e-324"],
  [1.7976931348623157e308, "1.7976931348623157e+308"],
  [-2.5, "-2.5"],
  [Infinity, "inf"],
  [-Infinity, "-inf"],
  [NaN, "nan"],
  // 0.100002288818359375: a tie at the 17th digit, which goes to the even one.
  [26215 / 262144, "0.10000228881835938"],
  // 0.100009918212890625 is a tie whose 17th digit is even already.
  [26217 / 262144, "0.10000991821289062"],
] as const)("%d is printed as C prints it with %%.17g: %s", (value, text) => {
  expect(formatDouble(value)).toBe(text);
});

test("A printed double reads back as itself", () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
      expect(Number(formatDouble(value))).toBe(value);
    }),
  );
});
