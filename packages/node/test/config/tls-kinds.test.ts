import { describe, expect, it } from "vitest";
import {
  certificateUserMap,
  cipherList,
  ciphersuiteList,
  sanPatterns,
} from "../../src/config/tls-kinds.ts";

describe("tls-ciphers", () => {
  it.each(["", "ECDHE+AESGCM", "ECDHE-RSA-AES128-GCM-SHA256:!aNULL", "HIGH !NULL !MD5"])(
    "takes %j",
    (text) => {
      expect(cipherList.parse(text)).toMatchObject({ ok: true });
    },
  );

  it.each([
    ["NO-SUCH-CIPHER", "knows no cipher"],
    ["aNULL", "not safe"],
    ["ECDHE+AESGCM:RC4-SHA", "not safe"],
    ["DES-CBC3-SHA", "not safe"],
    ["ALL:COMPLEMENTOFALL", "not safe"],
    ["HIGH@SECLEVEL=0", "not safe"],
    ["TLS_AES_128_GCM_SHA256", "tls-ciphersuites"],
  ])("refuses %j (S36)", (text, words) => {
    const parsed = cipherList.parse(text);
    expect(parsed.ok ? "" : parsed.problem).toContain(words);
  });
});

describe("tls-ciphersuites", () => {
  it("takes names with colons or blanks between them and prints them with colons", () => {
    expect(ciphersuiteList.parse("TLS_AES_128_GCM_SHA256 TLS_AES_256_GCM_SHA384")).toEqual({
      ok: true,
      value: "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384",
    });
  });

  it("refuses a suite that does not exist", () => {
    expect(ciphersuiteList.parse("TLS_RSA_WITH_NULL_MD5")).toMatchObject({ ok: false });
  });
});

describe("tls-auth-clients-user-map", () => {
  it("reads names and prefixes, with the last = before the user, and prints them as they were", () => {
    const text = "spiffe://prod/reporting=reader spiffe://prod/ops/*=operator O=x=y";
    const parsed = certificateUserMap.parse(text);
    expect(parsed).toEqual({
      ok: true,
      value: [
        { name: "spiffe://prod/reporting", isPrefix: false, user: "reader" },
        { name: "spiffe://prod/ops/", isPrefix: true, user: "operator" },
        { name: "O=x", isPrefix: false, user: "y" },
      ],
    });
    expect(parsed.ok && certificateUserMap.print(parsed.value)).toBe(text);
  });

  it.each([
    ["reader", "not name=user"],
    ["=reader", "not name=user"],
    ["name=", "not name=user"],
    ["a*b=reader", "only understood at the end"],
    ["*=reader", "every certificate"],
    [Array.from({ length: 65 }, (_, i) => `n${i}=u`).join(" "), "at most 64"],
  ])("refuses %j", (text, words) => {
    const parsed = certificateUserMap.parse(text);
    expect(parsed.ok ? "" : parsed.problem).toContain(words);
  });
});

describe("peer-allowed-san", () => {
  it("takes patterns of DNS and URI names", () => {
    const patterns = ["*.ferrite.local", "spiffe://example.org/*/{name}"];
    expect(sanPatterns.parse(patterns.join(", "))).toEqual({ ok: true, value: patterns });
    expect(sanPatterns.parse("")).toEqual({ ok: true, value: [] });
  });

  it.each([
    ["*", "would allow every certificate"],
    ["spiffe://*/*", "would allow every certificate"],
    ["node-*.ferrite.local", "one whole label"],
    ["spiffe://example.org/node-*", "one whole label or path segment"],
    ["spiffe://example.org/*.x", "one whole label or path segment"],
    [Array.from({ length: 17 }, (_, i) => `n${i}`).join(" "), "at most 16"],
  ])("refuses %j (S31)", (text, words) => {
    const parsed = sanPatterns.parse(text);
    expect(parsed.ok ? "" : parsed.problem).toContain(words);
  });
});
