/** The kinds of values that only TLS has: protocol versions, ciphers, days of warning, patterns of names. */
import { createSecureContext } from "node:tls";
import { accept, refuse, type ValueKind } from "./value-kinds.ts";

/** Versions of TLS that are spoken. Older ones are not safe and do not exist here. */
export type TlsProtocol = "TLSv1.2" | "TLSv1.3";

const PROTOCOLS: readonly TlsProtocol[] = ["TLSv1.2", "TLSv1.3"];

function words(value: string): string[] {
  return value.split(/[\s,]+/).filter((word) => word !== "");
}

/** Versions in Redis' syntax: `"TLSv1.2 TLSv1.3"`. Redis' older ones are refused by name. */
export const tlsProtocols: ValueKind<readonly TlsProtocol[]> = {
  label: "`TLSv1.2`, `TLSv1.3` or both",
  range: "",
  manyWords: true,
  parse(value) {
    const asked = words(value).map((word) => word.toLowerCase());
    const unknown = asked.find((word) => !PROTOCOLS.some((each) => each.toLowerCase() === word));
    if (unknown !== undefined) {
      return refuse(`"${unknown}" is not spoken here, only ${PROTOCOLS.join(" and ")}`);
    }
    const chosen = PROTOCOLS.filter((each) => asked.includes(each.toLowerCase()));
    return chosen.length === 0
      ? refuse(`argument must be one or more of: ${PROTOCOLS.join(", ")}`)
      : accept(chosen);
  },
  print: (value) => value.join(" "),
};

/** What lets a connection be read or forged by others. A leading `!` or `-` takes it out, which is always legal. */
const UNSAFE_CIPHER = /^(?![!-]).*(NULL|ADH|AECDH|EXP|RC2|RC4|DES|MD5|SEED|IDEA|COMPLEMENTOF)/i;
/** OpenSSL's levels 0 and 1 allow keys and digests that are broken or nearly so. */
const LOW_SECURITY_LEVEL = /@SECLEVEL=[01]\b/i;

/** Ciphers of TLS 1.2 in OpenSSL's words: `ECDHE+AESGCM:!AES256`. Empty for our own choice. */
export const cipherList: ValueKind<string> = {
  label: "OpenSSL cipher list",
  range: "",
  manyWords: true,
  parse(value) {
    if (value.trim() === "") return accept("");
    const given = value.split(/[:,\s]+/).filter((word) => word !== "");
    const suite = given.find((word) => word.startsWith("TLS_"));
    if (suite !== undefined) return refuse(`"${suite}" is of TLS 1.3: see tls-ciphersuites`);
    const unsafe = given.find((word) => UNSAFE_CIPHER.test(word) || LOW_SECURITY_LEVEL.test(word));
    if (unsafe !== undefined) return refuse(`"${unsafe}" is not safe and not offered here`);
    const list = given.join(":");
    return isCipherList(list) ? accept(list) : refuse(`OpenSSL knows no cipher in "${list}"`);
  },
  print: (value) => value,
};

function isCipherList(list: string): boolean {
  try {
    createSecureContext({ ciphers: list, maxVersion: "TLSv1.2" });
    return true;
  } catch {
    return false;
  }
}

const CIPHERSUITES: readonly string[] = [
  "TLS_AES_128_GCM_SHA256",
  "TLS_AES_256_GCM_SHA384",
  "TLS_CHACHA20_POLY1305_SHA256",
  "TLS_AES_128_CCM_SHA256",
  "TLS_AES_128_CCM_8_SHA256",
];

/** Cipher suites of TLS 1.3 by their names. Empty for our own choice. */
export const ciphersuiteList: ValueKind<string> = {
  label: "names of cipher suites",
  range: "",
  manyWords: true,
  parse(value) {
    const given = value.split(/[:,\s]+/).filter((word) => word !== "");
    const unknown = given.find((word) => !CIPHERSUITES.includes(word));
    return unknown === undefined
      ? accept(given.join(":"))
      : refuse(`"${unknown}" is none of ${CIPHERSUITES.join(", ")}`);
  },
  print: (value) => value,
};

/** One rule of tls-auth-clients-user-map: a certificate's name, and the user that it stands for. */
export interface CertificateUserRule {
  /** The name, or with `isPrefix` what it begins with. */
  readonly name: string;
  readonly isPrefix: boolean;
  readonly user: string;
}

const USER_RULES_MAX = 64;

/** `name=user` and `prefix*=user`, first fit. The last `=` parts them: names may hold some themselves, users may not here. */
export const certificateUserMap: ValueKind<readonly CertificateUserRule[]> = {
  label: "rules (`name=user prefix*=user`)",
  range: `at most ${USER_RULES_MAX}`,
  manyWords: true,
  parse(value) {
    const given = value.split(/\s+/).filter((word) => word !== "");
    if (given.length > USER_RULES_MAX) return refuse(`at most ${USER_RULES_MAX} rules`);
    const rules: CertificateUserRule[] = [];
    for (const word of given) {
      const at = word.lastIndexOf("=");
      const pattern = word.slice(0, Math.max(0, at));
      const user = word.slice(at + 1);
      const star = pattern.indexOf("*");
      if (pattern === "" || user === "") return refuse(`"${word}" is not name=user`);
      if (star >= 0 && star < pattern.length - 1) {
        return refuse(`"${word}": * is only understood at the end of the name`);
      }
      // Every certificate of the authority would be that user.
      if (pattern === "*") return refuse(`"${word}" would let every certificate be ${user}`);
      const name = star < 0 ? pattern : pattern.slice(0, -1);
      rules.push({ name, isPrefix: star >= 0, user });
    }
    return accept(rules);
  },
  print: (value) =>
    value.map(({ name, isPrefix, user }) => `${name}${isPrefix ? "*" : ""}=${user}`).join(" "),
};

const WARNINGS_MAX = 8;
const WARNING_DAYS_MAX = 3650;

/** Days before an end, largest first. */
export const dayList: ValueKind<readonly number[]> = {
  label: "numbers of days (`30 7 1`)",
  range: `at most ${WARNINGS_MAX}, each 1 to ${WARNING_DAYS_MAX}; empty for none`,
  manyWords: true,
  parse(value) {
    const given = words(value);
    const days = given.map(Number);
    const legal = days.every((day) => Number.isInteger(day) && day >= 1 && day <= WARNING_DAYS_MAX);
    if (!legal || given.length > WARNINGS_MAX) {
      return refuse(
        `argument must be at most ${WARNINGS_MAX} numbers of days, 1 to ${WARNING_DAYS_MAX}`,
      );
    }
    return accept([...new Set(days)].toSorted((a, b) => b - a));
  },
  print: (value) => value.join(" "),
};

const PATTERNS_MAX = 16;

/** Patterns of DNS or URI names; which of them is meant shows in `://`. */
export const sanPatterns: ValueKind<readonly string[]> = {
  label: "patterns",
  range: `at most ${PATTERNS_MAX}`,
  manyWords: true,
  parse(value) {
    const patterns = words(value);
    if (patterns.length > PATTERNS_MAX) return refuse(`at most ${PATTERNS_MAX} patterns`);
    // A pattern of nothing but stars would let every certificate of the authority in.
    const open = patterns.find(
      (pattern) => !/[A-Za-z0-9]/.test(pattern.replace(/^[a-z]+:\/\//, "")),
    );
    if (open !== undefined) return refuse(`"${open}" would allow every certificate`);
    const partial = patterns.find(hasPartialStar);
    if (partial !== undefined) {
      return refuse(`"${partial}": a star stands for one whole label or path segment`);
    }
    return accept(patterns);
  },
  print: (value) => value.join(" "),
};

/** `node-*.example.org` would match nothing, ever. */
function hasPartialStar(pattern: string): boolean {
  const at = pattern.indexOf("://");
  const [host = "", ...segments] = at < 0 ? [pattern] : pattern.slice(at + 3).split("/");
  return [...host.split("."), ...segments].some((piece) => piece.includes("*") && piece !== "*");
}
