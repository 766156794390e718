import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { namedUser } from "../../src/access/certificate-user.ts";
import { isBrokenSpiffeId } from "../../src/access/spiffe-id.ts";
import { certificateUserMap } from "../../src/config/tls-kinds.ts";

const NONE = { commonNames: [], dnsNames: [], uris: [], emails: [] };

function rules(text: string): ReturnType<typeof parsed> {
  return parsed(text);
}

function parsed(text: string) {
  const result = certificateUserMap.parse(text);
  if (!result.ok) throw new Error(result.problem);
  return result.value;
}

describe("the user that a certificate names (S30)", () => {
  const full = {
    commonNames: ["alice"],
    dnsNames: ["alice.example.org"],
    uris: ["spiffe://example.org/alice"],
    emails: ["alice@example.org"],
  };

  it.each([
    ["CN", "alice"],
    ["SAN-DNS", "alice.example.org"],
    ["SAN-URI", "spiffe://example.org/alice"],
    ["SAN-EMAIL", "alice@example.org"],
  ] as const)("is its %s", (field, user) => {
    expect(namedUser(full, field, [])).toEqual({ ok: true, user });
  });

  it.each(["CN", "SAN-DNS", "SAN-URI", "SAN-EMAIL"] as const)(
    "is nobody without a %s, whatever other names there are",
    (field) => {
      const emptied = {
        CN: { ...full, commonNames: [] },
        "SAN-DNS": { ...full, dnsNames: [] },
        "SAN-URI": { ...full, uris: [] },
        "SAN-EMAIL": { ...full, emails: [] },
      }[field];
      expect(namedUser(emptied, field, [])).toMatchObject({ ok: false });
    },
  );

  it("is nobody with two names of the kind, also when they are equal", () => {
    expect(namedUser({ ...NONE, commonNames: ["a", "b"] }, "CN", [])).toMatchObject({ ok: false });
    expect(namedUser({ ...NONE, uris: ["x:y", "x:y"] }, "SAN-URI", [])).toMatchObject({
      ok: false,
    });
  });

  it.each(["", "alice\u0000", "alice\nbob", "\u007f"])("is nobody with the name %j", (name) => {
    expect(namedUser({ ...NONE, commonNames: [name] }, "CN", [])).toMatchObject({ ok: false });
  });

  it("is told apart by case, and is a byte string of its UTF-8", () => {
    expect(namedUser({ ...NONE, commonNames: ["Alice"] }, "CN", rules("alice=x"))).toEqual({
      ok: true,
      user: "Alice",
    });
    const name = Buffer.from("Zoë", "utf8").toString("latin1");
    expect(namedUser({ ...NONE, commonNames: ["Zoë"] }, "CN", [])).toEqual({
      ok: true,
      user: name,
    });
  });

  it("is what the first rule that fits says, and the name itself when none does", () => {
    const map = rules("spiffe://p/ops/root=admin spiffe://p/ops/*=operator spiffe://p/*=reader");
    const user = (uri: string) => namedUser({ ...NONE, uris: [uri] }, "SAN-URI", map);
    expect(user("spiffe://p/ops/root")).toEqual({ ok: true, user: "admin" });
    expect(user("spiffe://p/ops/root2")).toEqual({ ok: true, user: "operator" });
    expect(user("spiffe://p/web")).toEqual({ ok: true, user: "reader" });
    expect(user("spiffe://q/ops/root")).toEqual({ ok: true, user: "spiffe://q/ops/root" });
  });

  it("is never the default user unless the certificate or a rule says so", () => {
    const names = fc.record({
      commonNames: fc.array(fc.string(), { maxLength: 3 }),
      dnsNames: fc.array(fc.string(), { maxLength: 3 }),
      uris: fc.array(fc.string(), { maxLength: 3 }),
      emails: fc.array(fc.string(), { maxLength: 3 }),
    });
    const fields = fc.constantFrom("CN", "SAN-URI", "SAN-DNS", "SAN-EMAIL" as const);
    fc.assert(
      fc.property(names, fields, (given, field) => {
        const all = [...given.commonNames, ...given.dnsNames, ...given.uris, ...given.emails];
        fc.pre(!all.includes("default"));
        const named = namedUser(given, field, []);
        expect(named.ok && named.user).not.toBe("default");
      }),
    );
  });
});

describe("SPIFFE ids", () => {
  it.each([
    "spiffe://example.org",
    "spiffe://example.org/ns/prod/sa/web_1",
    "urn:x",
    "https://a/b",
  ])("takes %s", (uri) => {
    expect(isBrokenSpiffeId(uri)).toBe(false);
  });

  it.each([
    "SPIFFE://example.org/web",
    "spiffe:example.org",
    "spiffe://",
    "spiffe:///web",
    "spiffe://Example.org/web",
    "spiffe://example.org:443/web",
    "spiffe://user@example.org/web",
    "spiffe://example.org/",
    "spiffe://example.org/a//b",
    "spiffe://example.org/a/",
    "spiffe://example.org/a/../b",
    "spiffe://example.org/./b",
    "spiffe://example.org/a%2fb",
    "spiffe://example.org/a?x",
    "spiffe://example.org/a#x",
    `spiffe://example.org/${"a".repeat(2048)}`,
  ])("refuses %s", (uri) => {
    expect(isBrokenSpiffeId(uri)).toBe(true);
    const names = { ...NONE, uris: [uri] };
    expect(namedUser(names, "SAN-URI", [])).toMatchObject({ ok: false });
  });
});
