/** Makes up requests over the string and generic families: mostly sensible, often at an edge, sometimes nonsense. */
import type { Prng } from "./prng.ts";

/** What a run is about. */
export type Profile = "mixed" | "floats" | "patterns" | "subsequences";

/** Few keys, so that commands meet. */
const KEYS = ["a", "b", "c", "key:1", "key:2", "", "\x00\xff", "K"];

const INTEGERS = [
  "0",
  "1",
  "-1",
  "2",
  "5",
  "10",
  "-3",
  "100",
  "9999",
  "10000",
  "4294967296",
  "-4294967297",
  "9007199254740991",
  "9007199254740993",
  "-9007199254740992",
  "9223372036854775806",
  "9223372036854775807",
  "-9223372036854775807",
  "-9223372036854775808",
  "9223372036854775808",
  "-9223372036854775809",
  "999999999999999",
  "1000000000000000",
  "-999999999999999",
];

const NOT_INTEGERS = [
  "",
  "abc",
  "1.5",
  "+1",
  "01",
  "-0",
  " 1",
  "1 ",
  "1e3",
  "0x10",
  "--1",
  "-",
  "1\x00",
];

const FLOATS = [
  "0.1",
  "0.2",
  "-0.3",
  "1.5",
  "3.0e3",
  "1e-5",
  "1E+5",
  ".5",
  "5.",
  "0x1.8p1",
  "-0x.fp-2",
  "1e17",
  "1e-17",
  "1e-18",
  "123456789.987654321",
  "0.00000000000000001",
  "99999999999999999999",
  "1e300",
  "-1e300",
  "1e4931",
  "-1e4932",
  "1e-4940",
  "1e5000",
  "inf",
  "-Infinity",
  "nan",
  "1e",
  "0x",
  "18446744073709551616.5",
  "36893488147419103233",
  "0.99999999999999999",
  "-0.000000000000000004",
  "2.5000000000000000005",
];

const TEXTS = [
  "",
  "x",
  "hello",
  "Hello World",
  "\r\n",
  "\x00",
  "\xff\xfe",
  "ohmytext",
  "mynewtext",
  "exactly forty-four bytes long, no byte more!",
  "one byte more than what Redis would embed....",
];

const PATTERNS = [
  "*",
  "**",
  "a",
  "a*",
  "*a",
  "?",
  "??",
  "key:*",
  "key:?",
  "key:[12]",
  "[a-b]",
  "[^a]",
  "[b-a]",
  "\\a",
  "[",
  "[^",
  "[a",
  "[a-",
  "a\\",
  "*:*",
  "*[0-9]",
  "",
  "[\x80-\xff]",
  "\x00*",
  "[k-l]ey*1",
  "*e*y*",
  "k*[^2]",
  "[]a]",
  "[a\\]b]",
];

const NUMBERED: readonly (readonly [name: string, share: number])[] = [
  ["integer", 6],
  ["small", 4],
  ["notInteger", 1],
];

export class CommandGenerator {
  readonly #random: Prng;
  #spans = 0;

  readonly #makers: readonly Maker[];

  constructor(random: Prng, profile: Profile = "mixed") {
    this.#random = random;
    this.#makers = PROFILES[profile];
  }

  /** One request. */
  next(): string[] {
    const make = this.#random.pick(this.#makers);
    const words = make(this);
    // Now and then with an argument too many or too few.
    if (this.#random.oneIn(60)) words.push(this.text());
    if (this.#random.oneIn(60) && words.length > 1) words.pop();
    return this.#random.oneIn(10) ? [words[0].toLowerCase(), ...words.slice(1)] : words;
  }

  key(): string {
    return this.#random.pick(KEYS);
  }

  keys(): string[] {
    return Array.from({ length: 1 + this.#random.below(4) }, () => this.key());
  }

  text(): string {
    const kind = this.#random.below(10);
    if (kind < 4) return this.#random.pick(TEXTS);
    if (kind < 7) return this.#random.pick(INTEGERS);
    if (kind < 8) return this.#random.pick(FLOATS);
    if (kind < 9) return this.#random.pick(NOT_INTEGERS);
    return String.fromCharCode(
      ...Array.from({ length: this.#random.below(60) }, () => this.#random.below(256)),
    );
  }

  integer(): string {
    const total = NUMBERED.reduce((sum, [, share]) => sum + share, 0);
    let at = this.#random.below(total);
    for (const [name, share] of NUMBERED) {
      if (at < share) return this.#integerOf(name);
      at -= share;
    }
    return "1";
  }

  /** An integer that can not make a string of more than a few thousand bytes, or makes one that is refused. */
  offset(): string {
    if (this.#random.oneIn(12)) return this.#random.pick(["536870912", "9223372036854775807"]);
    if (this.#random.oneIn(10)) return this.#random.pick(NOT_INTEGERS);
    return String(this.#random.below(70) - 3);
  }

  float(): string {
    if (this.#random.oneIn(3)) return this.integer();
    if (this.#random.oneIn(3)) return this.#madeUpFloat();
    return this.#random.pick(FLOATS);
  }

  pattern(): string {
    return this.#random.pick(PATTERNS);
  }

  /** A float of any size a long double has, with up to 40 digits. */
  anyFloat(): string {
    const magnitude = this.#random.pick([1, 5, 20, 40, 400, 5000]);
    const exponent = this.#random.below(2 * magnitude) - magnitude;
    const sign = this.#random.pick(["", "-"]);
    const digits = this.#from("0123456789", 1 + this.#random.below(40));
    const fraction = this.#from("0123456789", this.#random.below(20));
    if (this.#random.oneIn(6)) {
      const hexadecimal = this.#from("0123456789abcdefABCDEF", 1 + this.#random.below(20));
      return `${sign}0x${hexadecimal}.${hexadecimal.slice(0, 3)}p${exponent}`;
    }
    return `${sign}${digits}.${fraction}e${exponent}`;
  }

  /** Bytes of few kinds, so that texts and patterns have much in common. */
  similar(alphabet: string, lengthMax: number): string {
    return this.#from(alphabet, this.#random.below(lengthMax + 1));
  }

  #from(alphabet: string, length: number): string {
    return Array.from({ length }, () => alphabet[this.#random.below(alphabet.length)]).join("");
  }

  word(words: readonly string[]): string {
    const word = this.#random.pick(words);
    return this.#random.oneIn(4) ? word.toLowerCase() : word;
  }

  /** Some of the words, each followed by what `argument` says, in any order, sometimes with a wrong one. */
  options(words: readonly string[], most: number): string[] {
    const chosen: string[] = [];
    for (let count = this.#random.below(most + 1); count > 0; count--) {
      const word = this.word(words);
      chosen.push(word);
      const argument = this.#argumentOf(word.toUpperCase());
      if (argument !== null && !this.#random.oneIn(15)) chosen.push(argument);
    }
    if (this.#random.oneIn(25)) chosen.push("NONSENSE");
    return chosen;
  }

  /** Far in the future or long ago: never so near that a slow machine would see it pass. */
  moment(unit: "seconds" | "milliseconds", origin: "now" | "epoch"): string {
    if (this.#random.oneIn(5)) return this.#random.pick([...NOT_INTEGERS, "0", "-1", "-1000000"]);
    if (this.#random.oneIn(8)) {
      return this.#random.pick([
        "9223372036854775807",
        "9223372036854775808",
        "9223372036854775",
        "9223372036854776",
        "-9223372036854775808",
        "-9223372036854776",
      ]);
    }
    const seconds = origin === "now" ? this.#nextSpan() : 4_102_444_800 + this.#random.below(3);
    if (origin === "epoch" && this.#random.oneIn(5)) return "1";
    return unit === "seconds"
      ? String(seconds)
      : `${seconds}${this.#random.pick(["000", "123", "499", "500"])}`;
  }

  /**
   * Seconds from now, in no order, no two closer than ten: which of two expiries is later must not depend on when the
   * servers read their clocks.
   */
  #nextSpan(): number {
    this.#spans++;
    return 1000 + 10 * ((this.#spans * 7919) % 100_003);
  }

  #integerOf(name: string): string {
    if (name === "small") return String(this.#random.below(41) - 20);
    return this.#random.pick(name === "integer" ? INTEGERS : NOT_INTEGERS);
  }

  #madeUpFloat(): string {
    const digits = (count: number): string =>
      Array.from({ length: count }, () => this.#random.below(10)).join("");
    const sign = this.#random.pick(["", "-", "+"]);
    const exponent = this.#random.oneIn(3) ? `e${this.#random.below(60) - 30}` : "";
    return `${sign}${digits(this.#random.below(22))}.${digits(1 + this.#random.below(25))}${exponent}`;
  }

  #argumentOf(option: string): string | null {
    switch (option) {
      case "EX":
        return this.moment("seconds", "now");
      case "PX":
        return this.moment("milliseconds", "now");
      case "EXAT":
        return this.moment("seconds", "epoch");
      case "PXAT":
        return this.moment("milliseconds", "epoch");
      case "MINMATCHLEN":
        return this.integer();
      case "DB":
        return this.#random.pick(["0", "0", "1", "-1", "x", "99999999999"]);
      default:
        return null;
    }
  }
}

type Maker = (generate: CommandGenerator) => string[];

const EXPIRY_OPTIONS = ["EX", "PX", "EXAT", "PXAT"];
const CONDITIONS = ["NX", "XX", "GT", "LT"];

const MIXED: readonly Maker[] = [
  (g) => ["SET", g.key(), g.text()],
  (g) => ["SET", g.key(), g.integer()],
  (g) => ["SET", g.key(), g.float()],
  (g) => [
    "SET",
    g.key(),
    g.text(),
    ...g.options([...EXPIRY_OPTIONS, "NX", "XX", "GET", "KEEPTTL"], 3),
  ],
  (g) => ["GET", g.key()],
  (g) => ["GETSET", g.key(), g.text()],
  (g) => ["GETDEL", g.key()],
  (g) => ["GETEX", g.key(), ...g.options([...EXPIRY_OPTIONS, "PERSIST"], 2)],
  (g) => ["SETNX", g.key(), g.text()],
  (g) => ["SETEX", g.key(), g.moment("seconds", "now"), g.text()],
  (g) => ["PSETEX", g.key(), g.moment("milliseconds", "now"), g.text()],
  (g) => ["STRLEN", g.key()],
  (g) => ["APPEND", g.key(), g.text()],
  (g) => ["GETRANGE", g.key(), g.integer(), g.integer()],
  (g) => ["SUBSTR", g.key(), g.offset(), g.offset()],
  (g) => ["SETRANGE", g.key(), g.offset(), g.text()],
  (g) => ["MGET", ...g.keys()],
  (g) => ["MSET", ...g.keys().flatMap((key) => [key, g.text()])],
  (g) => ["MSETNX", ...g.keys().flatMap((key) => [key, g.text()])],
  (g) => ["INCR", g.key()],
  (g) => ["DECR", g.key()],
  (g) => ["INCRBY", g.key(), g.integer()],
  (g) => ["DECRBY", g.key(), g.integer()],
  (g) => ["INCRBYFLOAT", g.key(), g.float()],
  (g) => ["INCRBYFLOAT", g.key(), g.float()],
  (g) => ["LCS", g.key(), g.key(), ...g.options(["LEN", "IDX", "MINMATCHLEN", "WITHMATCHLEN"], 2)],
  (g) => [g.word(["DEL", "UNLINK", "EXISTS", "TOUCH"]), ...g.keys()],
  (g) => ["TYPE", g.key()],
  (g) => ["KEYS", g.pattern()],
  (g) => [
    "SCAN",
    g.word(["0", "", "-0", "x", "18446744073709551616"]),
    "MATCH",
    g.pattern(),
    "COUNT",
    "1000",
  ],
  (g) => ["SCAN", "0", "TYPE", g.word(["STRING", "HASH", "nonsense"]), "COUNT", "100000"],
  (g) => [g.word(["RENAME", "RENAMENX"]), g.key(), g.key()],
  (g) => ["COPY", g.key(), g.key(), ...g.options(["REPLACE", "DB"], 2)],
  (g) => ["OBJECT", g.word(["ENCODING", "REFCOUNT", "FREQ", "IDLETIME"]), g.key()],
  (g) => ["EXPIRE", g.key(), g.moment("seconds", "now"), ...g.options(CONDITIONS, 2)],
  (g) => ["PEXPIRE", g.key(), g.moment("milliseconds", "now"), ...g.options(CONDITIONS, 2)],
  (g) => ["EXPIREAT", g.key(), g.moment("seconds", "epoch"), ...g.options(CONDITIONS, 2)],
  (g) => ["PEXPIREAT", g.key(), g.moment("milliseconds", "epoch"), ...g.options(CONDITIONS, 2)],
  (g) => [g.word(["TTL", "PTTL", "EXPIRETIME", "PEXPIRETIME"]), g.key()],
  (g) => ["PERSIST", g.key()],
  (g) => [g.word(["FOO", "GETX", "OBJECT", "COMMAND"]), g.text(), g.text()],
  (g) => ["COMMAND", "GETKEYS", ...g.next()],
  (g) => ["COMMAND", "GETKEYSANDFLAGS", ...g.next()],
];

const FLOATING: readonly Maker[] = [
  (g) => ["SET", g.key(), g.anyFloat()],
  (g) => ["INCRBYFLOAT", g.key(), g.anyFloat()],
  (g) => ["INCRBYFLOAT", g.key(), g.anyFloat()],
  (g) => ["INCRBYFLOAT", g.key(), g.float()],
  (g) => ["DEL", g.key()],
];

const TEXT_BYTES = "ab]^-\\\x80\xff";
const PATTERN_BYTES = "ab*?[]^-\\\x80\xff[*";

const MATCHING: readonly Maker[] = [
  (g) => ["SET", g.similar(TEXT_BYTES, 8), "v"],
  (g) => ["DEL", g.similar(TEXT_BYTES, 3)],
  (g) => ["KEYS", g.similar(PATTERN_BYTES, 7)],
  (g) => ["KEYS", g.similar(PATTERN_BYTES, 12)],
  (g) => ["KEYS", `*${g.similar("ab*?", 9)}`],
  (g) => ["SCAN", "0", "COUNT", "10000", "MATCH", g.similar(PATTERN_BYTES, 7)],
];

const SUBSEQUENCES: readonly Maker[] = [
  (g) => ["SET", g.key(), g.similar("ab", 20)],
  (g) => ["SET", g.key(), g.similar("abcdef", 60)],
  (g) => ["LCS", g.key(), g.key()],
  (g) => ["LCS", g.key(), g.key(), "IDX", "WITHMATCHLEN"],
  (g) => ["LCS", g.key(), g.key(), ...g.options(["LEN", "IDX", "MINMATCHLEN", "WITHMATCHLEN"], 3)],
];

const PROFILES: Readonly<Record<Profile, readonly Maker[]>> = {
  mixed: MIXED,
  floats: FLOATING,
  patterns: MATCHING,
  subsequences: SUBSEQUENCES,
};
