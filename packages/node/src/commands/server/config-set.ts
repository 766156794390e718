import type { EdgeCommand } from "../command.ts";
import type { Reply } from "../../resp/reply.ts";
import type { EdgeContext } from "../../server/edge-context.ts";
import { answerLater } from "../acl/answer-later.ts";
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
  run: runConfigSet,
};

type Pairs = readonly (readonly [string, string])[];

function runConfigSet(context: EdgeContext): void {
  const { argv, reply } = context;
  if (argv.count % 2 !== 0) return reply.error(SYNTAX_ERROR);
  const pairs: [string, string][] = [];
  for (let index = 2; index < argv.count; index += 2) {
    // Names as their bytes, so that an error repeats them as they came; values may be paths.
    pairs.push([argv.latin1(index), argv.utf8(index + 1)]);
  }
  const blocked = context.server.audit.refusal();
  if (blocked !== null && !isWayOut(pairs)) return reply.error(blocked);
  const preparing = context.server.settings.prepare(pairs);
  if (preparing !== null) return setPrepared(context, pairs, preparing);
  if (!pairs.some(isOfCluster)) return finish(context, reply, pairs);
  return setInCluster(context, pairs);
}

/** Files that the settings name are looked at first; what is wrong with them leaves everything as it was. */
function setPrepared(context: EdgeContext, pairs: Pairs, preparing: Promise<string | null>): void {
  const { server, client } = context;
  const answer = answerLater(context);
  void preparing
    .then(
      async (problem) => problem ?? (await agree({ server, client }, pairs.filter(isOfCluster))),
    )
    .then((problem) => {
      answer((reply) => {
        if (problem === null) return finish({ server, client }, reply, pairs);
        record({ server, client }, pairs, problem);
        return reply.error(problem.replace(REST_OF_NAME, ""));
      });
    });
}

/** A trail that can not be written must not keep an administrator from saying that the node shall go on without. */
function isWayOut(pairs: Pairs): boolean {
  return pairs.every(([name]) => name.toLowerCase() === "audit-on-failure");
}

function isOfCluster([name]: Pairs[number]): boolean {
  return ["requirepass", "acl-new-commands"].includes(name.toLowerCase());
}

/** Some settings are the cluster's, the rest this node's: the cluster's first, as only those can still fail. */
function setInCluster(context: EdgeContext, pairs: Pairs): void {
  const { server, client } = context;
  const problem = server.settings.check(pairs);
  if (problem !== null) return finish(context, context.reply, pairs);
  const answer = answerLater(context);
  void agree({ server, client }, pairs.filter(isOfCluster)).then((errorText) => {
    answer((reply) => {
      if (errorText === null) finish({ server, client }, reply, pairs);
      else reply.error(errorText);
    });
  });
}

/** The cluster has it hashed: the node only keeps that there is one. */
function withoutPassword(pair: Pairs[number]): Pairs[number] {
  const [name, value] = pair;
  return name.toLowerCase() === "requirepass" && value !== "" ? [name, "(set)"] : pair;
}

/** One after the other, until one fails. */
async function agree(
  { server, client }: Pick<EdgeContext, "server" | "client">,
  pairs: Pairs,
): Promise<string | null> {
  for (const [name, value] of pairs) {
    const errorText =
      name.toLowerCase() === "requirepass"
        ? await server.access.setRequirepass(value, client)
        : await server.access.setNewCommandsPolicy(
            value.toLowerCase() === "deny" ? "deny" : "allow",
            client,
          );
    if (errorText !== null) return errorText;
  }
  return null;
}

/** Sets, answers, and tells the trail of every setting that was to change. */
function finish(
  { server, client }: Pick<EdgeContext, "server" | "client">,
  reply: Reply,
  pairs: Pairs,
): void {
  const before = valuesOf(server, pairs);
  const problem = server.settings.set(pairs.map(withoutPassword));
  record({ server, client }, pairs, problem, before);
  if (problem === null) reply.ok();
  else reply.error(problem.replace(REST_OF_NAME, ""));
}

function valuesOf(server: EdgeContext["server"], pairs: Pairs): readonly string[] {
  return pairs.map(([name]) => server.settings.get(name) ?? "");
}

function record(
  { server, client }: Pick<EdgeContext, "server" | "client">,
  pairs: Pairs,
  problem: string | null,
  before: readonly string[] = valuesOf(server, pairs),
): void {
  pairs.forEach(([name, after], index) => {
    const change = { name: name.toLowerCase(), before: before[index], after };
    const refused = problem === null ? change : { ...change, refusal: problem };
    server.access.recordSetting(client, refused);
  });
}
