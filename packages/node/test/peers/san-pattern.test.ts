import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalName, isAnonymous, matchesSanPattern } from "../../src/peers/san-pattern.ts";
import type { AlternativeName } from "../../src/peers/san-pattern.ts";

const dns = (value: string): AlternativeName => ({ kind: "dns", value });
const uri = (value: string): AlternativeName => ({ kind: "uri", value });
const matches = (pattern: string, name: AlternativeName, node = "node-1"): boolean =>
  matchesSanPattern(pattern, name, node);

describe("a pattern of peer-allowed-san", () => {
  it.each<[string, AlternativeName, boolean]>([
    ["*.ferrite.local", dns("a.ferrite.local"), true],
    ["*.ferrite.local", dns("A.Ferrite.LOCAL"), true],
    ["*.ferrite.local", dns("a.b.ferrite.local"), false],
    ["*.ferrite.local", dns("ferrite.local"), false],
    ["*.ferrite.local", dns(".ferrite.local"), false],
    ["*.ferrite.local", dns("a.ferrite.local."), false],
    ["*.ferrite.local", dns("a.ferrite.local.evil"), false],
    ["*.ferrite.local", uri("a.ferrite.local"), false],
    ["a.*.local", dns("a.x.local"), true],
    ["{name}.ferrite.local", dns("node-1.ferrite.local"), true],
    ["{name}.ferrite.local", dns("node-2.ferrite.local"), false],
    ["{name}.*.local", dns("node-1.b.local"), true],
    ["spiffe://example.org/ferrite/*", uri("spiffe://example.org/ferrite/a"), true],
    ["spiffe://example.org/ferrite/*", uri("SPIFFE://Example.org/ferrite/a"), true],
    ["spiffe://example.org/ferrite/*", uri("spiffe://example.org/Ferrite/a"), false],
    ["spiffe://example.org/ferrite/*", uri("spiffe://example.org/ferrite/a/b"), false],
    ["spiffe://example.org/ferrite/*", uri("spiffe://example.org/ferrite/"), false],
    ["spiffe://example.org/ferrite/*", uri("spiffe://example.org/ferrite/.."), false],
    ["spiffe://example.org/ferrite/*", uri("spiffe://example.org/ferrite/%2e%2e"), false],
    ["spiffe://example.org/ferrite/*", uri("spiffe://example.org/ferrite/a?b"), false],
    ["spiffe://example.org/ferrite/*", uri("spiffe://example.org/ferrite/a#b"), false],
    ["spiffe://example.org/ferrite/*", uri("spiffe://example.org:1/ferrite/a"), false],
    ["spiffe://example.org/ferrite/*", uri("spiffe://u@example.org/ferrite/a"), false],
    ["spiffe://example.org/ferrite/*", uri("https://example.org/ferrite/a"), false],
    ["spiffe://example.org/ferrite/*", dns("spiffe://example.org/ferrite/a"), false],
    ["spiffe://*.org/{name}", uri("spiffe://example.org/node-1"), true],
    ["spiffe://*.org/{name}", uri("spiffe://example.org/node-2"), false],
  ])("%s and %o: %s", (pattern, name, expected) => {
    expect(matches(pattern, name)).toBe(expected);
  });

  it("is not matched by a wildcard in the certificate, which would be every node's (S31)", () => {
    expect(matches("*.ferrite.local", dns("*.ferrite.local"))).toBe(false);
    expect(matches("spiffe://example.org/*", uri("spiffe://example.org/*"))).toBe(false);
  });

  it("is not widened by a name that a peer makes up for itself (S32)", () => {
    for (const name of ["*", "*.ferrite", "", "a/b", "a b", "$&", "{name}"]) {
      expect(matches("{name}.ferrite.local", dns("node-2.ferrite.local"), name)).toBe(false);
    }
    expect(matches("{name}.ferrite.local", dns("{name}.ferrite.local"), "$&")).toBe(false);
  });

  it("is not matched by a name with a piece that is not plain", () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.constantFrom(".", "/", "\0", "\n", "*", " ", ","),
        (text, bad) => {
          expect(matches("*.ferrite.local", dns(`${text}${bad}x.ferrite.local`))).toBe(false);
        },
      ),
      { numRuns: 300 },
    );
  });

  it("says whose it is only with a placeholder", () => {
    expect(isAnonymous("*.ferrite.local")).toBe(true);
    expect(isAnonymous("{name}.ferrite.local")).toBe(false);
  });
});

describe("the one way to write a name", () => {
  it("makes one of what differs in case only where case does not count", () => {
    expect(canonicalName(dns("A.B"))).toBe("dns:a.b");
    expect(canonicalName(uri("SPIFFE://A.b/C"))).toBe("uri:spiffe://a.b/C");
    expect(canonicalName(uri("spiffe://a.b"))).toBe("uri:spiffe://a.b");
  });
});
