/**
 * The kinds of values a setting can have: how each is read from text and written back. The words of a refusal are
 * those of Redis 7.0 where Redis has the kind, because CONFIG SET passes them on to clients.
 */
export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problem: string };

export interface ValueKind<T> {
  /** What the value is, for the documentation: "bytes (64mb)". */
  readonly label: string;
  /** Legal values in words; empty when every text is legal. */
  readonly range: string;
  /** A directive of this kind takes several words in a file, joined by a blank. */
  readonly manyWords: boolean;
  parse(text: string): Parsed<T>;
  print(value: T): string;
}

export function accept<T>(value: T): Parsed<T> {
  return { ok: true, value };
}

export function refuse<T>(problem: string): Parsed<T> {
  return { ok: false, problem };
}

interface Range {
  readonly min: number;
  readonly max: number;
}

function inRange(value: number, range: Range): Parsed<number> {
  return value >= range.min && value <= range.max
    ? accept(value)
    : refuse(`argument must be between ${range.min} and ${range.max} inclusive`);
}

/** A whole number in decimal digits. */
export function integer(range: Range): ValueKind<number> {
  return {
    label: "number",
    range: `${range.min} to ${range.max}`,
    manyWords: false,
    parse(text) {
      if (!/^-?\d{1,19}$/.test(text)) {
        return refuse("argument couldn't be parsed into an integer");
      }
      return inRange(Number(text), range);
    },
    print: String,
  };
}

const BYTES_PER_UNIT: ReadonlyMap<string, number> = new Map([
  ["", 1],
  ["b", 1],
  ["k", 1000],
  ["kb", 1024],
  ["m", 1000 ** 2],
  ["mb", 1024 ** 2],
  ["g", 1000 ** 3],
  ["gb", 1024 ** 3],
]);

/** Reads an amount of memory as Redis does (`64mb` is binary, `64m` decimal); null when it is none. */
export function parseBytes(text: string): number | null {
  const match = /^(\d{1,20})([a-z]*)$/i.exec(text);
  const factor = BYTES_PER_UNIT.get(match?.[2]?.toLowerCase() ?? "?");
  return match === null || factor === undefined ? null : Number(match[1]) * factor;
}

/** An amount of memory or disk. */
export function bytes(range: Range): ValueKind<number> {
  return {
    label: "bytes (`64mb`)",
    range: `${formatBytes(range.min)} to ${formatBytes(range.max)}`,
    manyWords: false,
    parse(text) {
      const value = parseBytes(text);
      return value === null ? refuse("argument must be a memory value") : inRange(value, range);
    },
    print: String,
  };
}

/** The shortest exact form with a binary unit: 67108864 becomes `64mb`. */
export function formatBytes(value: number): string {
  for (const [unit, factor] of [
    ["gb", 1024 ** 3],
    ["mb", 1024 ** 2],
    ["kb", 1024],
  ] as const) {
    if (value >= factor && value % factor === 0) return `${value / factor}${unit}`;
  }
  return String(value);
}

export const yesNo: ValueKind<boolean> = {
  label: "`yes` or `no`",
  range: "",
  manyWords: false,
  parse(text) {
    const word = text.toLowerCase();
    if (word === "yes") return accept(true);
    return word === "no" ? accept(false) : refuse("argument must be 'yes' or 'no'");
  },
  print: (value) => (value ? "yes" : "no"),
};

/** One of some words; `aliases` are further spellings that mean one of them. */
export function choice<T extends string>(
  words: readonly T[],
  aliases: Readonly<Record<string, T>> = {},
): ValueKind<T> {
  return {
    label: words.map((word) => `\`${word}\``).join(", "),
    range: "",
    manyWords: false,
    parse(text) {
      const asked = text.toLowerCase();
      const word = words.find((candidate) => candidate === asked) ?? aliases[asked];
      return word === undefined
        ? refuse(`argument(s) must be one of the following: ${words.join(", ")}`)
        : accept(word);
    },
    print: (value) => value,
  };
}

const PERMISSIONS_MAX = 0o777;

/** Permissions of a file, in octal digits. */
export const permissions: ValueKind<number> = {
  label: "octal number",
  range: "0 to 777",
  manyWords: false,
  parse(text) {
    if (!/^[0-7]{1,6}$/.test(text)) return refuse("argument couldn't be parsed into an integer");
    const value = Number.parseInt(text, 8);
    return value <= PERMISSIONS_MAX
      ? accept(value)
      : refuse("argument must be between 0 and 777 inclusive");
  },
  print: (value) => value.toString(8),
};

/** A password: any text at all, byte for byte as it was given. */
export const password: ValueKind<string> = {
  label: "text",
  range: "",
  manyWords: false,
  parse: accept,
  print: (value) => value,
};

/** A file or directory. Null when empty. */
export const path: ValueKind<string | null> = {
  label: "path",
  range: "",
  manyWords: false,
  parse: (value) =>
    value.includes("\u0000")
      ? refuse("argument must not hold a zero byte")
      : accept(value === "" ? null : value),
  print: (value) => value ?? "",
};

const CLIENT_CLASSES: ReadonlySet<string> = new Set(["normal", "slave", "replica", "pubsub"]);

/**
 * Redis' `client-output-buffer-limit`: groups of `class hard soft seconds`. Only the hard limit of normal clients
 * means something here: there are no replica or pub/sub clients to limit, so groups for those are checked and have no
 * effect. 0 means no limit. Null when no group for normal clients was given, which leaves the limit as it is.
 */
export const outputBufferLimit: ValueKind<number | null> = {
  label: "`normal <bytes> 0 0`",
  range: "",
  manyWords: true,
  parse(value) {
    const words = value.split(/\s+/).filter((word) => word !== "");
    if (words.length % 4 !== 0) {
      return refuse("Wrong number of arguments in buffer limit configuration.");
    }
    let normal: number | null = null;
    for (let at = 0; at < words.length; at += 4) {
      const [name = "", hardText = "", softText = "", secondsText = ""] = words.slice(at, at + 4);
      if (!CLIENT_CLASSES.has(name.toLowerCase())) {
        return refuse("Invalid client class specified in buffer limit configuration.");
      }
      const hard = parseBytes(hardText);
      const soft = parseBytes(softText);
      if (hard === null || soft === null || !/^\d{1,10}$/.test(secondsText)) {
        return refuse("Error in hard, soft or soft_seconds setting in buffer limit configuration.");
      }
      if (name.toLowerCase() !== "normal") continue;
      if (soft !== 0) return refuse("a soft limit for normal clients is not supported, give 0 0");
      normal = hard === 0 ? Number.MAX_SAFE_INTEGER : Math.min(hard, Number.MAX_SAFE_INTEGER);
    }
    return accept(normal);
  },
  print(value) {
    const hard = value === null || value === Number.MAX_SAFE_INTEGER ? 0 : value;
    return `normal ${hard} 0 0 slave 0 0 0 pubsub 0 0 0`;
  },
};
