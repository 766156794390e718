import type { Argv } from "../../resp/argv.ts";
import type { KeyContext, ReadCommand } from "../command.ts";
import { NOT_AN_INTEGER, SYNTAX_ERROR } from "../error-texts.ts";
import { parseInteger } from "../integer.ts";
import { findKeyToRead } from "../lookup.ts";
import type { MatchRange } from "./longest-common-subsequence.ts";
import { LongestCommonSubsequence } from "./longest-common-subsequence.ts";
import { STRING_BYTES_MAX, STRING_TYPE } from "./value.ts";

/** Bytes Redis takes per pair of positions; what it refuses to allocate is refused here in the same words. */
const CELL_BYTES = 4;

/** LCS key1 key2 [LEN] [IDX] [MINMATCHLEN length] [WITHMATCHLEN] */
export const lcs: ReadCommand = {
  kind: "read",
  name: "lcs",
  summary: "Find longest common substring",
  complexity: "O(N*M) where N and M are the lengths of s1 and s2, respectively",
  since: "7.0.0",
  group: "string",
  arity: -3,
  flags: ["readonly"],
  categories: ["read", "string", "slow"],
  keySpecs: [
    {
      flags: ["RO", "access"],
      beginSearch: { kind: "index", index: 1 },
      findKeys: { kind: "range", lastKey: 1, keyStep: 1, limit: 0 },
    },
  ],
  arguments: [
    { name: "key1", type: "key", keySpecIndex: 0 },
    { name: "key2", type: "key", keySpecIndex: 0 },
    { name: "len", type: "pure-token", token: "LEN", flags: ["optional"] },
    { name: "idx", type: "pure-token", token: "IDX", flags: ["optional"] },
    { name: "len", type: "integer", token: "MINMATCHLEN", flags: ["optional"] },
    { name: "withmatchlen", type: "pure-token", token: "WITHMATCHLEN", flags: ["optional"] },
  ],
  run: runLcs,
};

interface LcsOptions {
  len: boolean;
  idx: boolean;
  withMatchLength: boolean;
  minMatchLength: number;
}

function runLcs(context: KeyContext): void {
  const { reply } = context;
  const first = stringOrEmpty(context, 1);
  const second = first === null ? null : stringOrEmpty(context, 2);
  if (first === null || second === null) {
    reply.error("ERR The specified keys must contain string values");
    return;
  }
  const options = parseOptions(context.argv);
  if (typeof options === "string") {
    reply.error(options);
    return;
  }
  if ((first.length + 1) * (second.length + 1) * CELL_BYTES > STRING_BYTES_MAX) {
    reply.error("ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len");
    return;
  }
  const subsequence = new LongestCommonSubsequence(first, second);
  if (options.idx) replyRanges(context, subsequence, options);
  else if (options.len) reply.integer(subsequence.length());
  else reply.bulk(subsequence.bytes());
}

/** The value of a key's string, nothing for a missing key, null for another type. */
function stringOrEmpty(context: KeyContext, index: number): Uint8Array | null {
  const { keyspace } = context;
  const ref = findKeyToRead(context, index);
  if (ref === 0) return new Uint8Array(0);
  if (keyspace.type(ref) !== STRING_TYPE) return null;
  const start = keyspace.valueStart(ref);
  return keyspace.valueBuffer(ref).subarray(start, start + keyspace.valueLength(ref));
}

/** The options, or an error text. */
function parseOptions(argv: Argv): LcsOptions | string {
  const options: LcsOptions = { len: false, idx: false, withMatchLength: false, minMatchLength: 0 };
  for (let index = 3; index < argv.count; index++) {
    if (argv.isWord(index, "IDX")) options.idx = true;
    else if (argv.isWord(index, "LEN")) options.len = true;
    else if (argv.isWord(index, "WITHMATCHLEN")) options.withMatchLength = true;
    else if (argv.isWord(index, "MINMATCHLEN") && index + 1 < argv.count) {
      index++;
      const value = parseInteger(argv.buffer, argv.starts[index], argv.ends[index]);
      if (value === null) return NOT_AN_INTEGER;
      options.minMatchLength = Math.max(0, Number(value));
    } else return SYNTAX_ERROR;
  }
  if (options.idx && options.len) {
    return "ERR If you want both the length and indexes, please just use IDX.";
  }
  return options;
}

function replyRanges(
  context: KeyContext,
  subsequence: LongestCommonSubsequence,
  options: LcsOptions,
): void {
  const { reply } = context;
  const ranges = subsequence.ranges().filter((range) => range.length >= options.minMatchLength);
  reply.map(2);
  reply.bulkText("matches");
  reply.array(ranges.length);
  for (const range of ranges) replyRange(context, range, options.withMatchLength);
  reply.bulkText("len");
  reply.integer(subsequence.length());
}

function replyRange(context: KeyContext, range: MatchRange, withLength: boolean): void {
  const { reply } = context;
  reply.array(withLength ? 3 : 2);
  for (const start of [range.firstStart, range.secondStart]) {
    reply.array(2);
    reply.integer(start);
    reply.integer(start + range.length - 1);
  }
  if (withLength) reply.integer(range.length);
}
