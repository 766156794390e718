/** The kinds of values that only TLS has: protocol versions, days of warning, patterns of names. */
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
    return accept(patterns);
  },
  print: (value) => value.join(" "),
};
