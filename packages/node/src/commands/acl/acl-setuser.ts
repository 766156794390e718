import type { EdgeContext } from "../../server/edge-context.ts";
import type { EdgeCommand } from "../command.ts";
import { answerLater } from "./answer-later.ts";
import { proposeWith } from "./propose-users.ts";

const MALFORMED_NAME = "ERR Usernames can't contain spaces or null characters";
/** What C's isspace() takes for a space, and the zero byte. */
const NOT_IN_A_NAME = /[\0\t-\r ]/;

/**
 * ACL SETUSER username [rule ...]: all rules or none. Passwords are hashed before anything leaves this node; OK means
 * that the rules hold on every node that is in contact.
 */
export const aclSetuser: EdgeCommand = {
  kind: "edge",
  name: "acl|setuser",
  summary: "Modify or create the rules for a specific ACL user",
  complexity: "O(N). Where N is the number of rules provided.",
  since: "6.0.0",
  group: "server",
  arity: -3,
  flags: ["admin", "noscript", "loading", "stale"],
  categories: ["admin", "slow", "dangerous"],
  keySpecs: [],
  arguments: [
    { name: "username", type: "string" },
    { name: "rule", type: "string", flags: ["optional", "multiple"] },
  ],
  history: [
    ["6.2.0", "Added Pub/Sub channel patterns."],
    ["7.0.0", "Added selectors and key based permissions."],
  ],
  run: runSetuser,
};

function runSetuser(context: EdgeContext): void {
  const { argv, reply, server, client } = context;
  const name = argv.latin1(2);
  if (NOT_IN_A_NAME.test(name)) return reply.error(MALFORMED_NAME);
  const rules: string[] = [];
  for (let index = 3; index < argv.count; index++) rules.push(argv.latin1(index));
  const { access } = server;
  // Before passwords are hashed and the cluster is bothered; what was in force then is checked when it is applied.
  const problem = access.users().checkRules(name, rules, server.nowMs());
  if (problem !== null) return reply.error(problem);
  const answer = answerLater(context);
  void access.prepareRules(rules, access.users().get(name)).then((prepared) => {
    if (!prepared.ok) return answer((later) => later.error(prepared.errorText));
    return proposeWith(
      { server, client },
      { kind: "set", name, rules: prepared.rules },
      { answer, write: (later) => later.ok() },
    );
  });
}
