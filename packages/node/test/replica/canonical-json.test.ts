import { describe, expect, it } from "vitest";
import { canonicalJson } from "../../src/replica/canonical-json.ts";

describe("canonical JSON", () => {
  it("has one text for equal objects, however they were made (R32)", () => {
    const change = { id: 1, kind: "add", about: { name: "n4", target: null } };
    const other = { about: { target: null, name: "n4" }, kind: "add", id: 1 };
    expect(canonicalJson([change])).toBe(canonicalJson([other]));
    expect(JSON.parse(canonicalJson(change))).toEqual(change);
  });

  it("keeps the order of lists, and tells different values apart", () => {
    expect(canonicalJson([1, 2])).not.toBe(canonicalJson([2, 1]));
    expect(canonicalJson({ a: 1 })).not.toBe(canonicalJson({ a: 2 }));
    expect(canonicalJson({ a: null })).not.toBe(canonicalJson({}));
  });
});
