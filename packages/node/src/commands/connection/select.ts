import type { EdgeCommand } from "../command.ts";
import type { EdgeContext } from "../../server/edge-context.ts";
import { NOT_AN_INTEGER } from "../error-texts.ts";
import { parseInt64 } from "../integer.ts";

const INT32_MAX = 2_147_483_647n;
const INT32_MIN = -2_147_483_648n;

/** SELECT index: there is one database. */
export const select: EdgeCommand = {
  kind: "edge",
  name: "select",
  summary: "Change the selected database for the current connection",
  complexity: "O(1)",
  since: "1.0.0",
  group: "connection",
  arity: 2,
  flags: ["loading", "stale", "fast"],
  categories: ["fast", "connection"],
  keySpecs: [],
  arguments: [{ name: "index", type: "integer" }],
  run: runSelect,
};

function runSelect({ argv, reply }: EdgeContext): void {
  const index = parseInt64(argv.buffer, argv.starts[1], argv.ends[1]);
  if (index === null) {
    reply.error(NOT_AN_INTEGER);
  } else if (index < INT32_MIN || index > INT32_MAX) {
    reply.error(`ERR value is out of range, value must between ${INT32_MIN} and ${INT32_MAX}`);
  } else if (index !== 0n) {
    reply.error("ERR DB index is out of range");
  } else {
    reply.ok();
  }
}
