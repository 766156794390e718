import type { EdgeCommand } from "../command.ts";
import { SYNTAX_ERROR } from "../error-texts.ts";

/** What Redis leaves out of a name that it repeats: all from a zero byte to the closing quote. */
const REST_OF_NAME = /\0.*?(?='(?:\) - |$))/s;

/** CONFIG SET parameter value [parameter value ...]: all or none. */
export const configSet: EdgeCommand = {
  kind: "edge",
  name: "config|set",
  summary: "Set configuration parameters to the given values",
  complexity: "O(N) when N is the number of configuration parameters provided",
  since: "2.0.0",
  group: "server",
  arity: -4,
  flags: ["admin", "noscript", "loading", "stale"],
  categories: ["admin", "slow", "dangerous"],
  keySpecs: [],
  arguments: [
    {
      name: "parameter_value",
      type: "block",
      flags: ["multiple"],
      arguments: [
        { name: "parameter", type: "string" },
        { name: "value", type: "string" },
      ],
    },
  ],
  history: [["7.0.0", "Added the ability to set multiple parameters in one call."]],
  tips: ["request_policy:all_nodes", "response_policy:all_succeeded"],
  run: ({ argv, reply, server }) => {
    if (argv.count % 2 !== 0) {
      reply.error(SYNTAX_ERROR);
      return;
    }
    const pairs: [string, string][] = [];
    for (let index = 2; index < argv.count; index += 2) {
      // Names as their bytes, so that an error repeats them as they came; values may be paths.
      pairs.push([argv.latin1(index), argv.utf8(index + 1)]);
    }
    const problem = server.settings.set(pairs);
    if (problem === null) reply.ok();
    else reply.error(problem.replace(REST_OF_NAME, ""));
  },
};
