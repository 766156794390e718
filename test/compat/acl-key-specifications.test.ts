/**
 * Where the keys of a request are and what is done to them, for every command of redis-server, also those that are not
 * here yet: its key specifications, read by our extraction, against COMMAND GETKEYSANDFLAGS. What the access rules check
 * comes from here (S01, S07, F40, F48).
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readReply } from "../../packages/node/test/commands/reply-tree.ts";
import type { ReplyNode } from "../../packages/node/test/commands/reply-tree.ts";
import { acceptsCount } from "../../packages/node/src/commands/arity.ts";
import type { KeyFlag, KeySpec, ReadCommand } from "../../packages/node/src/commands/command.ts";
import { extractKeys } from "../../packages/node/src/commands/key-extraction.ts";
import { Argv } from "../../packages/node/src/resp/argv.ts";
import { report } from "../e2e/harness/cluster.ts";
import { textsOf } from "./acl-vocabulary.ts";
import { Prng } from "./prng.ts";
import type { RedisServer } from "./redis-server.ts";
import { missingRedis, startRedis } from "./redis-server.ts";
import { encodeWords } from "./requests.ts";
import type { Session } from "./target.ts";

const missing = missingRedis();
const REQUESTS_PER_COMMAND = 150;
const firstSeed = Number(process.env["COMPAT_FIRST_SEED"] ?? 1);

const WORDS = [
  "a",
  "b",
  "c",
  "key:1",
  "",
  "x",
  "0",
  "1",
  "2",
  "3",
  "-1",
  "99999999",
  "9223372036854775807",
  "1.5",
  "+1",
  "STORE",
  "store",
  "STREAMS",
  "streams",
  "KEYS",
  "GET",
  "BY",
  "WEIGHTS",
  "LIMIT",
  "COUNT",
  "ID",
];
/** Redis finds their keys by code of their own, which their specifications only begin to say. */
const BY_CODE = ["bitfield", "migrate", "set", "sort", "sort_ro"];

function items(node: ReplyNode | undefined): readonly ReplyNode[] {
  if (node?.kind !== "aggregate" || node.items === null) throw new Error("not an array");
  return node.items;
}

function text(node: ReplyNode | undefined): string {
  if (node === undefined || node.kind === "aggregate") throw new Error("not a text");
  return node.text ?? "";
}

/** Names and values in turn. */
function fields(node: ReplyNode | undefined): ReadonlyMap<string, ReplyNode> {
  const flat = items(node);
  return new Map(flat.flatMap((name, at) => (at % 2 === 0 ? [[text(name), flat[at + 1]]] : [])));
}

function beginOf(node: ReplyNode | undefined): KeySpec["beginSearch"] {
  const found = fields(node);
  const spec = fields(found.get("spec"));
  const number = (name: string): number => Number(text(spec.get(name)));
  switch (text(found.get("type"))) {
    case "index":
      return { kind: "index", index: number("index") };
    case "keyword":
      return {
        kind: "keyword",
        keyword: text(spec.get("keyword")),
        startFrom: number("startfrom"),
      };
    default:
      return { kind: "unknown" };
  }
}

function findOf(node: ReplyNode | undefined): KeySpec["findKeys"] {
  const found = fields(node);
  const spec = fields(found.get("spec"));
  const number = (name: string): number => Number(text(spec.get(name)));
  const keyStep = (): number => number("keystep");
  switch (text(found.get("type"))) {
    case "range":
      return {
        kind: "range",
        lastKey: number("lastkey"),
        keyStep: keyStep(),
        limit: number("limit"),
      };
    case "keynum":
      return {
        kind: "keynum",
        keyNumberIndex: number("keynumidx"),
        firstKey: number("firstkey"),
        keyStep: keyStep(),
      };
    default:
      return { kind: "unknown" };
  }
}

function specOf(node: ReplyNode): KeySpec {
  const found = fields(node);
  return {
    flags: textsOf(found.get("flags")!) as KeyFlag[],
    beginSearch: beginOf(found.get("begin_search")),
    findKeys: findOf(found.get("find_keys")),
  };
}

type KeyedCommand = Pick<ReadCommand, "name" | "arity" | "keySpecs">;

/** What an element of COMMAND INFO says, and of its sub-commands. */
function commandsOf(node: ReplyNode): KeyedCommand[] {
  const parts = items(node);
  const own = {
    name: text(parts[0]),
    arity: Number(text(parts[1])),
    keySpecs: items(parts[8]).map(specOf),
  };
  return [own, ...items(parts[9]).flatMap(commandsOf)];
}

function requestOf(random: Prng, { name, arity }: KeyedCommand): string[] {
  const words = name.split("|");
  const count = arity > 0 ? arity : -arity + random.below(8);
  while (words.length < count) words.push(random.pick(WORDS));
  return words;
}

function ours(command: KeyedCommand, words: readonly string[]): string {
  const argv = new Argv();
  argv.reset(Buffer.from(words.join(""), "latin1"));
  let at = 0;
  for (const word of words) argv.push(at, (at += word.length));
  const keys = extractKeys(command as ReadCommand, argv);
  if (keys === null) return CONTRADICTION;
  if (keys.length === 0) return "none";
  return keys.map(({ index, flags }) => `${words[index]} ${flags.toSorted().join("+")}`).join(", ");
}

/**
 * A number of keys that is none. Redis then asks code of its own, which guesses keys and says nothing of what is done to
 * them; here such a request is for those who have all keys.
 */
const CONTRADICTION = "contradiction";

/** Keys of which nothing is said, or none. */
const GUESSED = /^(none|[^ ]* (, [^ ]* )*)$/;

/**
 * Whether a request is for fewer users than in Redis, which gives up when one specification leads nowhere (a number of
 * keys that is 0 or beyond the words, an optional key that is missing). Here the keys that are there are checked all the
 * same.
 */
function isStricter(actual: string, expected: string): boolean {
  return GUESSED.test(expected) && actual !== "none";
}

function theirs(reply: Buffer): string {
  const { node } = readReply(reply)!;
  if (node.kind === "line") return node.type === "-" ? "none" : node.text;
  const keys = items(node).map((item) => {
    const [key, flags] = items(item);
    return `${text(key)} ${textsOf(flags).toSorted().join("+")}`;
  });
  return keys.length === 0 ? "none" : keys.join(", ");
}

describe.skipIf(missing !== null)("With redis-server's own key specifications", () => {
  let redis: RedisServer;
  let session: Session;
  beforeAll(async () => {
    redis = await startRedis();
    session = await redis.target.open(2);
  });
  afterAll(async () => {
    await session.close();
    await redis.stop();
  });

  test("our extraction finds the keys that redis-server finds, for all its commands (S01, S07, F40, F48)", async () => {
    const [reply] = await session.exchange([encodeWords(["COMMAND"])]);
    const all = items(readReply(reply)!.node).flatMap(commandsOf);
    const keyed = all.filter(({ keySpecs }) => keySpecs.length > 0);
    const isByCode = ({ keySpecs }: KeyedCommand): boolean =>
      keySpecs.some(
        ({ flags, beginSearch }) =>
          flags.includes("incomplete") ||
          flags.includes("variable_flags") ||
          beginSearch.kind === "unknown",
      );
    expect(
      keyed
        .filter(isByCode)
        .map(({ name }) => name)
        .toSorted(),
    ).toEqual(BY_CODE);
    let compared = 0;
    let found = 0;
    for (const command of keyed.filter((each) => !isByCode(each))) {
      const random = new Prng(firstSeed);
      const requests = Array.from({ length: REQUESTS_PER_COMMAND }, () =>
        requestOf(random, command),
      );
      expect(requests.every(({ length }) => acceptsCount(command.arity, length))).toBe(true);
      const replies = await session.exchange(
        requests.map((words) => encodeWords(["COMMAND", "GETKEYSANDFLAGS", ...words])),
      );
      for (const [at, words] of requests.entries()) {
        const expected = theirs(replies[at]);
        const actual = ours(command, words);
        const what = JSON.stringify(words);
        if (!isStricter(actual, expected)) expect(actual, what).toBe(expected);
        compared++;
        if (expected !== "none") found++;
      }
    }
    report(`${keyed.length} commands with keys, ${compared} requests, keys in ${found} of them`);
    expect(keyed.length).toBeGreaterThan(150);
    expect(found).toBeGreaterThan(compared / 2);
    expect(found).toBeLessThan(compared);
  });
});
