import { describe, expect, it } from "vitest";
import { certificateNames } from "../../src/certificates/certificate-names.ts";
import { NAME_BYTES_MAX, NAMES_MAX } from "../../src/certificates/limits.ts";
import { dnsName, extension, makeCertificate } from "./certificate-maker.ts";
import {
  attribute,
  COMMON_NAME,
  der,
  identifier,
  printable,
  sequence,
  set,
  utf8,
} from "./der-maker.ts";

const ORGANIZATION = "2.5.4.10";
const email = (text: string): Buffer => der(0x81, Buffer.from(text, "latin1"));
const uri = (text: string): Buffer => der(0x86, Buffer.from(text, "latin1"));
const utf16 = (text: string): Buffer => Buffer.from(text, "utf16le").swap16();

function namesOfSubject(...rdns: readonly Buffer[]): ReturnType<typeof certificateNames> {
  const { der: bytes } = makeCertificate({ subject: sequence(...rdns) });
  return certificateNames({ raw: bytes });
}

function namesOfValue(value: Buffer): ReturnType<typeof certificateNames> {
  return namesOfSubject(set(attribute(COMMON_NAME, value)));
}

function namesOfAlternatives(...names: readonly Buffer[]): ReturnType<typeof certificateNames> {
  const { der: bytes } = makeCertificate({ alternativeNames: sequence(...names) });
  return certificateNames({ raw: bytes });
}

describe("The names of a certificate (S30)", () => {
  it("are those of its DER, each kind in its order", () => {
    const made = makeCertificate({
      subject: sequence(
        set(attribute(ORGANIZATION, utf8("Ferrite"))),
        set(attribute(COMMON_NAME, utf8("gärtner"))),
      ),
      alternativeNames: sequence(
        dnsName("b.example"),
        uri("spiffe://example/app"),
        dnsName("a.example"),
        email("app@example"),
        der(0x87, Buffer.from([127, 0, 0, 1])),
      ),
    });
    expect(certificateNames({ raw: made.der })).toEqual({
      commonNames: ["gärtner"],
      dnsNames: ["b.example", "a.example"],
      uris: ["spiffe://example/app"],
      emails: ["app@example"],
    });
  });

  it("are none where it has none: an empty subject, no further names", () => {
    const none = { commonNames: [], dnsNames: [], uris: [], emails: [] };
    expect(namesOfSubject()).toEqual(none);
  });

  it("are all of them when there are several common names: who uses them has to choose none", () => {
    const twice = namesOfSubject(
      set(attribute(COMMON_NAME, utf8("admin"))),
      set(attribute(COMMON_NAME, utf8("app"))),
    );
    expect(twice).toMatchObject({ commonNames: ["admin", "app"] });
  });

  it("keep what only looks like a separator inside of one name (CVE-2021-44532)", () => {
    expect(namesOfAlternatives(dnsName("a.example, DNS:admin.example"))).toMatchObject({
      dnsNames: ["a.example, DNS:admin.example"],
    });
    expect(namesOfAlternatives(uri('http://a/", URI:spiffe://admin'))).toMatchObject({
      uris: ['http://a/", URI:spiffe://admin'],
    });
    expect(namesOfValue(utf8("app, CN=admin"))).toMatchObject({ commonNames: ["app, CN=admin"] });
    expect(namesOfValue(utf8("app/CN=admin"))).toMatchObject({ commonNames: ["app/CN=admin"] });
  });

  const accepted: readonly (readonly [string, Buffer, string])[] = [
    ["UTF8String", utf8("jürgen"), "jürgen"],
    ["PrintableString", printable("app-1"), "app-1"],
    ["IA5String", der(0x16, Buffer.from("app@1")), "app@1"],
    ["NumericString", der(0x12, Buffer.from("42")), "42"],
    ["VisibleString", der(0x1a, Buffer.from("app")), "app"],
    ["BMPString", der(0x1e, utf16("jürgen")), "jürgen"],
    ["UniversalString", der(0x1c, Buffer.from([0, 0, 0, 0x61, 0, 1, 0xf4, 0x80])), "a💀"],
  ];
  it.each(accepted)("are read from a %s", (_kind, value, text) => {
    expect(namesOfValue(value)).toMatchObject({ commonNames: [text] });
  });

  const refused: readonly (readonly [string, Buffer])[] = [
    ["a zero byte", utf8("admin\0.evil.example")],
    ["a zero byte in a PrintableString", printable("admin\0x")],
    ["a zero character in a BMPString", der(0x1e, utf16("admin\0"))],
    ["a line end", utf8("admin\nCN=other")],
    ["a character that turns text around", utf8("nimda‮")],
    ["a character that can not be seen", utf8("ad​min")],
    ["a TeletexString, whose bytes mean different things", der(0x14, Buffer.from("admin"))],
    ["characters that a PrintableString can not have", printable("ad_min*")],
    ["bytes that are no UTF-8", der(0x0c, Buffer.from([0x61, 0xe9, 0x62]))],
    ["UTF-8 that is longer than needed", der(0x0c, Buffer.from([0xc1, 0xa1]))],
    ["half a character of a BMPString", der(0x1e, Buffer.from([0, 0x61, 0]))],
    ["half of a pair in a BMPString", der(0x1e, Buffer.from([0xd8, 0x00]))],
    ["a number that is no character", der(0x1c, Buffer.from([0x7f, 0, 0, 0]))],
    ["part of a character of a UniversalString", der(0x1c, Buffer.from([0, 0, 0x61]))],
    ["bytes above ASCII in an IA5String", der(0x16, Buffer.from([0x61, 0xe9]))],
    ["nothing in it", utf8("")],
    ["too many bytes", utf8("a".repeat(NAME_BYTES_MAX + 1))],
    ["a value that is no string", der(0x02, Buffer.from([1]))],
  ];
  it.each(refused)("are malformed with %s in the common name", (_what, value) => {
    expect(namesOfValue(value)).toMatchObject({ malformed: true });
  });

  it("may be as long as the limit, and as many", () => {
    expect(namesOfValue(utf8("a".repeat(NAME_BYTES_MAX)))).toMatchObject({
      commonNames: ["a".repeat(NAME_BYTES_MAX)],
    });
    const many = (count: number) =>
      namesOfAlternatives(...Array.from({ length: count }, (_, i) => dnsName(`n${i}`)));
    expect(many(NAMES_MAX)).not.toHaveProperty("malformed");
    expect(many(NAMES_MAX + 1)).toMatchObject({ malformed: true });
  });

  it("are malformed when the common name shares its part with something else (CVE-2021-44533)", () => {
    const shared = namesOfSubject(
      set(attribute(COMMON_NAME, utf8("app")), attribute(ORGANIZATION, utf8("x"))),
    );
    expect(shared).toMatchObject({ malformed: true });
    const twoInOne = namesOfSubject(
      set(attribute(COMMON_NAME, utf8("admin")), attribute(COMMON_NAME, utf8("app"))),
    );
    expect(twoInOne).toMatchObject({ malformed: true });
  });

  it("do not mind parts of several values without a common name", () => {
    const names = namesOfSubject(
      set(attribute(ORGANIZATION, utf8("x")), attribute("2.5.4.11", utf8("y"))),
      set(attribute(COMMON_NAME, utf8("app"))),
    );
    expect(names).toMatchObject({ commonNames: ["app"] });
  });

  const badAlternatives: readonly (readonly [string, Buffer])[] = [
    ["a zero byte", dnsName("admin.example\0.evil.example")],
    ["bytes above ASCII", dnsName("admin\xe9.example")],
    ["nothing in it", dnsName("")],
    ["a line end", uri("spiffe://a\r\nb")],
    ["too many bytes", email("a".repeat(NAME_BYTES_MAX + 1))],
  ];
  it.each(badAlternatives)("are malformed with %s in a further name", (_what, name) => {
    expect(namesOfAlternatives(name)).toMatchObject({ malformed: true });
  });

  it("are malformed when the extension is there twice, or is no list", () => {
    const names = sequence(dnsName("a.example"));
    const twice = makeCertificate({
      alternativeNames: names,
      extensions: [extension("2.5.29.17", sequence(dnsName("admin.example")))],
    });
    expect(certificateNames({ raw: twice.der })).toMatchObject({ malformed: true });
    const noList = makeCertificate({ alternativeNames: identifier("1.2.3") });
    expect(certificateNames({ raw: noList.der })).toMatchObject({ malformed: true });
    const more = makeCertificate({ alternativeNames: Buffer.concat([names, names]) });
    expect(certificateNames({ raw: more.der })).toMatchObject({ malformed: true });
  });
});
