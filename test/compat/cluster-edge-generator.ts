/** Makes up requests over the connection and server families: right, nearly right and wrong. */
import type { Prng } from "./prng.ts";

type Maker = (random: Prng) => string[];

const NAMES = ["", "me", "a b", "tab\there", "line\nend", "\xff", "quo'te", "worker-1"];
const NUMBERS = ["0", "1", "-1", "2", "3", "99999999", "4294967296", "9223372036854775807"];
const NOT_NUMBERS = ["", "x", "1.5", " 1", "9223372036854775808", "0x1", "\x00"];
const WORDS = ["ON", "off", "YES", "no", "TYPE", "ID", "normal", "SYNC", "ASYNC", "GET", "*"];
const TYPES = ["normal", "master", "replica", "slave", "pubsub", "NORMAL", "nonsense"];
const SETTINGS = ["maxmemory", "save", "timeout", "MAXCLIENTS", "nosuch", "", "databases"];

/** What is asked for must not depend on who else is connected, nor end or mute the connection. */
const MAKERS: readonly Maker[] = [
  (random) => ["PING", ...some(random, 2)],
  (random) => ["ECHO", ...some(random, 2)],
  (random) => ["SELECT", number(random)],
  (random) => ["HELLO", random.pick(["2", "3", "1", "x", ""]), ...helloOptions(random)],
  (random) => ["AUTH", ...random.pick([["default", "x"], ["nobody", "x"], ["x"], ["a", "b", "c"]])],
  (random) => ["CLIENT", "SETNAME", random.pick(NAMES)],
  () => ["CLIENT", "GETNAME"],
  () => ["CLIENT", "INFO"],
  () => ["CLIENT", "ID"],
  (random) => ["CLIENT", "NO-EVICT", random.pick(WORDS)],
  (random) => ["CLIENT", "REPLY", random.pick(["ON", "on", "x", ""])],
  (random) => ["CLIENT", "LIST", "TYPE", random.pick(TYPES.slice(1, -2))],
  (random) => ["CLIENT", "LIST", "ID", random.pick(["999999999", "x", "0", "", "1.5"])],
  (random) => ["CLIENT", "LIST", random.pick(["x", "TYPE", ""]), ...some(random, 3)],
  (random) => ["CLIENT", "KILL", "ID", random.pick(["999999999", "0", "-1", "x"])],
  (random) => ["CLIENT", "KILL", "TYPE", random.pick(["master", "pubsub", "slave", "nonsense"])],
  (random) => ["CLIENT", "KILL", random.pick(["ADDR", "LADDR", "addr"]), "203.0.113.7:1"],
  (random) => ["CLIENT", "KILL", "USER", random.pick(["nobody", ""])],
  (random) => ["CLIENT", "KILL", "ID", "999999999", "SKIPME", random.pick(WORDS)],
  (random) => ["CLIENT", "KILL", random.pick(["203.0.113.7:1", "x", ""])],
  (random) => ["CLIENT", "KILL", "x", "y", ...some(random, 3)],
  (random) => ["CLIENT", random.pick(["NOSUCH", "", "get name", "\r\n"]), ...some(random, 2)],
  () => ["RESET"],
  (random) => ["CONFIG", "GET", random.pick(SETTINGS)],
  (random) => ["CONFIG", "SET", random.pick(NO_SETTINGS), ...some(random, 3)],
  (random) => ["CONFIG", "SET", "timeout", random.pick(["0", "-1", "x", "", "99999999999"])],
  (random) => ["CONFIG", "SET", "maxclients", random.pick(["10000", "0", "-1", "x", ""])],
  (random) => ["CONFIG", "SET", "maxmemory", random.pick(["0", "0mb", "-1", "1xb", "x", ""])],
  () => ["CONFIG", "SET", "timeout", "0", "TIMEOUT", "0"],
  () => ["CONFIG", "RESETSTAT"],
  (random) => ["CONFIG", random.pick(["NOSUCH", "", "SET"]), ...some(random, 1)],
  () => ["CONFIG", "GET"],
  (random) => ["COMMAND", "INFO", random.pick(["get", "SET", "nosuch", "client|id", ""])],
  (random) => ["COMMAND", "DOCS", random.pick(["get", "nosuch", "expire", ""])],
  (random) => ["COMMAND", "GETKEYS", ...random.pick(KEYED)],
  (random) => ["COMMAND", "GETKEYSANDFLAGS", ...random.pick(KEYED)],
  (random) => ["COMMAND", "LIST", "FILTERBY", random.pick(["ACLCAT", "x", "MODULE"]), "nosuch"],
  (random) => ["COMMAND", "LIST", "FILTERBY", "PATTERN", random.pick(["ge[t]", "nosuch*", "SET"])],
  (random) => [
    random.pick(["FLUSHALL", "FLUSHDB"]),
    ...random.pick([[], ["SYNC"], ["x"], ["async"]]),
  ],
  (random) => ["TIME", ...some(random, 1)],
  (random) => ["WAIT", "0", random.pick(["0", "-1", "x", ""])],
  (random) => ["WAIT", random.pick(["x", "", "1.5"]), "0"],
  (random) => ["INFO", "nosuch", ...some(random, 1).map(() => "neither")],
  (random) => ["MEMORY", "USAGE", "nosuch", ...some(random, 2)],
  (random) => ["OBJECT", random.pick(["FREQ", "ENCODING", "nosuch"]), "nosuch"],
  (random) => [random.pick(["NOSUCH", "", "GET\x00", "a b", "\r\n"]), ...some(random, 4)],
  (random) => [random.pick(["GET", "set", "MGET", "expire", "SCAN", "object"])],
];

const NO_SETTINGS = ["nosuch", "", "x y", "\xff\xfe", "timeout\x00", "a\x00b", "\xc3\xa9", "a\nb"];

const KEYED: readonly string[][] = [
  ["get", "a"],
  ["mset", "a", "1", "b", "2"],
  ["set", "a", "b", "GET"],
  ["set"],
  ["ping"],
  ["nosuch", "a"],
  ["object", "encoding", "k"],
  ["copy", "a", "b"],
];

export class EdgeGenerator {
  readonly #random: Prng;

  constructor(random: Prng) {
    this.#random = random;
  }

  next(): string[] {
    return this.#random.pick(MAKERS)(this.#random);
  }
}

function some(random: Prng, most: number): string[] {
  return Array.from({ length: random.below(most + 1) }, () => anyWord(random));
}

function anyWord(random: Prng): string {
  return random.pick(random.pick([NAMES, NUMBERS, NOT_NUMBERS, WORDS]));
}

function number(random: Prng): string {
  return random.pick(random.oneIn(3) ? NOT_NUMBERS : NUMBERS);
}

function helloOptions(random: Prng): string[] {
  return random.pick([
    [],
    [],
    ["SETNAME", random.pick(NAMES)],
    ["AUTH", "default", ""],
    ["AUTH", "nobody", "x"],
    ["AUTH", "default"],
    ["SETNAME"],
    ["AUTH", "default", "x", "SETNAME", random.pick(NAMES)],
    ["SETNAME", "early", "AUTH", "nobody", "x"],
    ["NONSENSE"],
  ]);
}
