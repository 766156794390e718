import type { KeyContext, WriteCommand } from "../command.ts";
import type { Argv } from "../../resp/argv.ts";
import { NOT_AN_INTEGER, SYNTAX_ERROR } from "../error-texts.ts";
import { parseInteger } from "../integer.ts";
import { findKey, findKeyToRead } from "../lookup.ts";
import { sameArguments } from "./same-arguments.ts";

const INT32_MAX = 2_147_483_647;
const INT32_MIN = -2_147_483_648;

/** COPY source destination [DB destination-db] [REPLACE] */
export const copy: WriteCommand = {
  kind: "write",
  name: "copy",
  summary: "Copy a key",
  complexity:
    "O(N) worst case for collections, where N is the number of nested items. O(1) for string values.",
  since: "6.2.0",
  group: "generic",
  arity: -3,
  flags: ["write", "denyoom"],
  categories: ["keyspace", "write", "slow"],
  keySpecs: [
    {
      flags: ["RO", "access"],
      beginSearch: { kind: "index", index: 1 },
      findKeys: { kind: "range", lastKey: 0, keyStep: 1, limit: 0 },
    },
    {
      flags: ["OW", "update"],
      beginSearch: { kind: "index", index: 2 },
      findKeys: { kind: "range", lastKey: 0, keyStep: 1, limit: 0 },
    },
  ],
  arguments: [
    { name: "source", type: "key", keySpecIndex: 0 },
    { name: "destination", type: "key", keySpecIndex: 1 },
    { name: "destination-db", type: "integer", token: "DB", flags: ["optional"] },
    { name: "replace", type: "pure-token", token: "REPLACE", flags: ["optional"] },
  ],
  run: runCopy,
};

function runCopy(context: KeyContext): void {
  const { argv, keyspace, nowMs, reply } = context;
  const options = parseOptions(argv);
  if (typeof options === "string") {
    reply.error(options);
    return;
  }
  if (sameArguments(argv, 1, 2)) {
    reply.error("ERR source and destination objects are the same");
    return;
  }
  const source = findKeyToRead(context, 1);
  if (source === 0 || (!options.replace && findKey(context, 2) !== 0)) {
    reply.integer(0);
    return;
  }
  const to = { buffer: argv.buffer, start: argv.starts[2], end: argv.ends[2] };
  keyspace.copyTo(source, to, nowMs);
  reply.integer(1);
}

/** The options, or an error text. The only database is 0. */
function parseOptions(argv: Argv): { readonly replace: boolean } | string {
  let replace = false;
  for (let index = 3; index < argv.count; index++) {
    if (argv.isWord(index, "REPLACE")) {
      replace = true;
    } else if (argv.isWord(index, "DB") && index + 1 < argv.count) {
      index++;
      const database = parseInteger(argv.buffer, argv.starts[index], argv.ends[index]);
      if (database === null) return NOT_AN_INTEGER;
      if (database > INT32_MAX || database < INT32_MIN) {
        return `ERR value is out of range, value must between ${INT32_MIN} and ${INT32_MAX}`;
      }
      if (database !== 0) return "ERR DB index is out of range";
    } else return SYNTAX_ERROR;
  }
  return { replace };
}
