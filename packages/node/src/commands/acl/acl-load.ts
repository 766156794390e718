import type { EdgeContext } from "../../server/edge-context.ts";
import type { EdgeCommand } from "../command.ts";
import { answerLater } from "./answer-later.ts";
import { proposeWith } from "./propose-users.ts";

/**
 * ACL LOAD: the users of this node's ACL file become the users of the whole cluster, all of them or, when a line is
 * wrong, none.
 */
export const aclLoad: EdgeCommand = {
  kind: "edge",
  name: "acl|load",
  summary: "Reload the ACLs from the configured ACL file",
  complexity: "O(N). Where N is the number of configured users.",
  since: "6.0.0",
  group: "server",
  arity: 2,
  flags: ["admin", "noscript", "loading", "stale"],
  categories: ["admin", "slow", "dangerous"],
  keySpecs: [],
  arguments: [],
  run: runLoad,
};

function runLoad(context: EdgeContext): void {
  const { server, client } = context;
  const answer = answerLater(context);
  void server.access.file.read().then((file) => {
    if (!file.ok) return answer((reply) => reply.error(file.errorText));
    return proposeWith(
      { server, client },
      { kind: "replace", lines: file.lines },
      { answer, write: (reply) => reply.ok() },
    );
  });
}
