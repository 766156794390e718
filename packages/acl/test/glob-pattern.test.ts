import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { GlobPattern } from "../src/glob-pattern.ts";
import { redisGlob } from "./support/redis-glob.ts";

function matches(pattern: string, text: string): boolean {
  const bytes = Buffer.from(`<${text}>`, "latin1");
  return new GlobPattern(pattern).matches(bytes, 1, bytes.length - 1);
}

describe("a glob pattern", () => {
  it.each([
    ["", "", true],
    ["", "a", false],
    ["a", "", false],
    ["abc", "abc", true],
    ["abc", "abcd", false],
    ["app:*", "app:", true],
    ["app:*", "app:1", true],
    ["app:*", "ap", false],
    ["app:*", "application", false],
    ["*", "x", true],
    ["**", "x", true],
    // As in Redis: an empty text is matched by the empty pattern only.
    ["*", "", false],
    ["**", "", false],
    ["a*", "a", true],
    ["a**", "a", true],
    ["*a", "ba", true],
    ["*a", "ab", false],
    ["a*b", "ab", true],
    ["a*b", "axxb", true],
    ["a*b", "axxbc", false],
    ["a*b*c", "abc", true],
    ["a*bc*c", "abc", false],
    ["ab*ba", "aba", false],
    ["*aab*", "aaab", true],
    ["?", "x", true],
    ["??", "x", false],
    ["a?c", "a\nc", true],
    ["[abc]", "b", true],
    ["[abc]", "d", false],
    ["[a-c]x", "bx", true],
    ["[c-a]x", "bx", true],
    ["[^a]", "b", true],
    ["[^a]", "a", false],
    ["[^]", "x", true],
    ["[]x", "]x", false],
    ["[", "[", false],
    ["[abc", "b", true],
    ["[^abc", "b", false],
    ["[a-", "-", true],
    ["[a-]", "b", false],
    ["[a-]", "^", true],
    ["[\\]]", "]", true],
    ["[\\", "\\", true],
    ["[a\\-z]", "b", false],
    ["[a\\-z]", "-", true],
    ["\\*", "*", true],
    ["\\*", "x", false],
    ["\\", "\\", true],
    ["a\\", "a\\", true],
    ["key\n*", "key\nx", true],
    ["$", "$", true],
    ["a$", "a", false],
    ["[\x80-\xff]", "\x90", true],
    // C's characters are signed: 0xff is -1, so this range is 0xff and everything up to "a".
    ["[a-\xff]", "b", false],
    ["[a-\xff]", "B", true],
  ])("%j on %j is %s (S11, D10)", (pattern, text, expected) => {
    expect(matches(pattern, text)).toBe(expected);
    expect(redisGlob(pattern, text)).toBe(expected);
  });

  it("decides as the recursive matcher for any pattern and text", () => {
    const letters = (alphabet: string): fc.Arbitrary<string> =>
      fc
        .array(fc.constantFrom(...alphabet.split("")), { maxLength: 10 })
        .map((parts) => parts.join(""));
    const property = fc.property(letters("aab*?[]^-\\"), letters("aaab]-"), (pattern, text) => {
      expect(matches(pattern, text)).toBe(redisGlob(pattern, text));
    });
    fc.assert(property, { numRuns: 20_000 });
  });

  it("costs at most its longest run for each byte of the key, whatever the pattern (S11)", () => {
    const stars = new GlobPattern(`${"a*".repeat(400)}b`);
    expect(stars.stepsMax(1_000_000)).toBe(401 + 1_000_000);
    const run = new GlobPattern(`*${"a".repeat(50)}b*`);
    expect(run.stepsMax(1_000)).toBe(51 + 51 * 1_000);
  });

  it("that took years in the recursive matcher takes no time (S11)", () => {
    const key = Buffer.alloc(1_000_000, 0x61);
    const pattern = new GlobPattern(`${"a*".repeat(500)}b`);
    const startedAtMs = performance.now();
    expect(pattern.matches(key, 0, key.length)).toBe(false);
    const behind = new GlobPattern(`${"*a".repeat(500)}b*`);
    expect(behind.matches(key, 0, key.length)).toBe(false);
    expect(performance.now() - startedAtMs).toBeLessThan(2_000);
  });
});
