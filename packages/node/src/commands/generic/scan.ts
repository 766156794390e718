import type { KeyContext, ReadCommand } from "../command.ts";
import type { EntryRef } from "@ferrite/storage";
import { NOT_AN_INTEGER, SYNTAX_ERROR } from "../error-texts.ts";
import { Glob, GLOB_BYTES_MAX, PATTERN_TOO_LONG } from "../glob.ts";
import { parseInteger } from "../integer.ts";
import { typeName } from "../value-types.ts";
import { entryMatches, replyKeys } from "./key-list.ts";
import { parseCursor } from "./scan-cursor.ts";

const COUNT_DEFAULT = 10;

/** SCAN cursor [MATCH pattern] [COUNT count] [TYPE type] */
export const scan: ReadCommand = {
  kind: "read",
  name: "scan",
  summary: "Incrementally iterate the keys space",
  complexity:
    "O(1) for every call. O(N) for a complete iteration, including enough command calls for the cursor to return back to 0. N is the number of elements inside the collection.",
  since: "2.8.0",
  group: "generic",
  arity: -2,
  flags: ["readonly"],
  categories: ["keyspace", "read", "slow"],
  keySpecs: [],
  arguments: [
    { name: "cursor", type: "integer" },
    { name: "pattern", type: "pattern", token: "MATCH", flags: ["optional"] },
    { name: "count", type: "integer", token: "COUNT", flags: ["optional"] },
    { name: "type", type: "string", token: "TYPE", since: "6.0.0", flags: ["optional"] },
  ],
  history: [["6.0.0", "Added the `TYPE` subcommand."]],
  tips: ["nondeterministic_output", "request_policy:special"],
  run: runScan,
};

interface ScanOptions {
  count: number;
  glob: Glob | null;
  /** Lower case; a name no type has finds nothing. */
  type: string | null;
}

function runScan(context: KeyContext): void {
  const { argv, keyspace, nowMs, reply } = context;
  const cursor = parseCursor(argv.latin1(1));
  if (cursor === null) {
    reply.error("ERR invalid cursor");
    return;
  }
  const options = parseOptions(context);
  if (typeof options === "string") {
    reply.error(options);
    return;
  }
  const { count, glob, type } = options;
  const found: EntryRef[] = [];
  const next = keyspace.scan(cursor, count, nowMs, (ref) => {
    if (glob !== null && !entryMatches(keyspace, ref, glob)) return;
    if (type !== null && typeName(keyspace.type(ref)) !== type) return;
    found.push(ref);
  });
  reply.array(2);
  reply.bulkText(next.toString());
  replyKeys(context, found);
}

/** The options, or an error text. */
function parseOptions({ argv }: KeyContext): ScanOptions | string {
  const options: ScanOptions = { count: COUNT_DEFAULT, glob: null, type: null };
  for (let index = 2; index < argv.count; index += 2) {
    const value = index + 1;
    if (value >= argv.count) return SYNTAX_ERROR;
    if (argv.isWord(index, "COUNT")) {
      const count = parseInteger(argv.buffer, argv.starts[value], argv.ends[value]);
      if (count === null) return NOT_AN_INTEGER;
      if (count < 1) return SYNTAX_ERROR;
      options.count = Math.min(Number(count), Number.MAX_SAFE_INTEGER);
    } else if (argv.isWord(index, "MATCH")) {
      if (argv.length(value) > GLOB_BYTES_MAX) return PATTERN_TOO_LONG;
      const glob = new Glob(argv.bytes(value));
      options.glob = glob.matchesAll ? null : glob;
    } else if (argv.isWord(index, "TYPE")) {
      options.type = argv.latin1(value).toLowerCase();
    } else return SYNTAX_ERROR;
  }
  return options;
}
