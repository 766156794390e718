import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Glob, GLOB_BYTES_MAX } from "../../src/commands/glob.ts";

function matches(pattern: string, text: string, ignoreCase = false): boolean {
  const bytes = Buffer.from(`<${text}>`, "latin1");
  return new Glob(Buffer.from(pattern, "latin1"), { ignoreCase }).matches(
    bytes,
    1,
    bytes.length - 1,
  );
}

describe("A glob pattern", () => {
  test.each([
    ["", "", true],
    ["", "a", false],
    // Redis does not even try a pattern on an empty text.
    ["*", "", false],
    ["*", "a", true],
    ["a*", "a", true],
    ["*a", "ba", true],
    ["*a*b*", "xxaxxbxx", true],
    ["a?c", "abc", true],
    ["a?c", "ac", false],
    ["[abc]", "b", true],
    ["[^abc]", "b", false],
    ["[a-c]x", "bx", true],
    ["[c-a]x", "bx", true],
    ["[a\\]b]", "]", true],
    ["[a", "a", true],
    ["[", "a", false],
    ["[^", "a", true],
    ["[]", "a", false],
    ["[]a]", "a", false],
    ["\\*", "*", true],
    ["\\*", "a", false],
    ["a\\", "a\\", true],
    ["[\x80-\xff]", "\x90", true],
    // Compared as signed bytes: 0xff is -1, so this range is -1 to 97.
    ["[a-\xff]", "b", false],
    ["[a-\xff]", "A", true],
  ] as const)("%j on %j: %s", (pattern, text, expected) => {
    expect(matches(pattern, text)).toBe(expected);
  });

  test("folds case only when asked to", () => {
    expect(matches("GeT*", "getrange")).toBe(false);
    expect(matches("GeT*", "getrange", true)).toBe(true);
    expect(matches("[A-C]*", "bx", true)).toBe(true);
    expect(matches("[X]", "x", true)).toBe(true);
  });

  test("knows the pattern that matches everything", () => {
    expect(new Glob(Buffer.from("*")).matchesAll).toBe(true);
    expect(new Glob(Buffer.from("**")).matchesAll).toBe(false);
  });

  test("S11: may have GLOB_BYTES_MAX bytes and not one more", () => {
    expect(() => new Glob(Buffer.alloc(GLOB_BYTES_MAX, "a"))).not.toThrow();
    expect(() => new Glob(Buffer.alloc(GLOB_BYTES_MAX + 1, "a"))).toThrow(RangeError);
  });

  test("S11: takes steps in proportion to pattern times text, however many stars it has", () => {
    let steps = 0;
    const counted = new Proxy(Buffer.from("a*".repeat(200) + "b"), {
      get: (target, name) => {
        if (typeof name === "string" && /^\d+$/.test(name)) steps++;
        return Reflect.get(target, name, target) as unknown;
      },
    });
    const text = Buffer.alloc(2000, "a");
    expect(new Glob(counted).matches(text, 0, text.length)).toBe(false);
    // The recursive matcher needs more steps here than there are atoms in the sun.
    expect(steps).toBeLessThan(401 * 2000 * 4);
  });
});

/** The obvious, exponential matcher, for literals, `?` and `*`. */
function matchesSlowly(pattern: string, text: string): boolean {
  if (pattern === "") return text === "";
  if (pattern[0] === "*") {
    return (
      matchesSlowly(pattern.slice(1), text) ||
      (text !== "" && matchesSlowly(pattern, text.slice(1)))
    );
  }
  return (
    text !== "" &&
    (pattern[0] === "?" || pattern[0] === text[0]) &&
    matchesSlowly(pattern.slice(1), text.slice(1))
  );
}

test("A glob pattern of stars, marks and letters matches what the slow matcher matches", () => {
  const pattern = fc.string({ unit: fc.constantFrom("a", "b", "*", "?"), maxLength: 8 });
  const text = fc.string({ unit: fc.constantFrom("a", "b"), minLength: 1, maxLength: 10 });
  fc.assert(
    fc.property(pattern, text, (one, other) => {
      expect(matches(one, other)).toBe(matchesSlowly(one, other));
    }),
    { numRuns: 3000 },
  );
});
