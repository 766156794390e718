import { Verdict } from "@ferrite/acl";
import type { EdgeContext } from "../../server/edge-context.ts";
import type { EdgeCommand } from "../command.ts";
import { asCString, quotedArgument } from "../refusal.ts";
import { replyBytes } from "./byte-string.ts";
import { commandName, requestWords } from "./request-words.ts";

/** ACL DRYRUN username command [arg ...]: OK, or why not; nothing is run. */
export const aclDryrun: EdgeCommand = {
  kind: "edge",
  name: "acl|dryrun",
  summary: "Returns whether the user can execute the given command without executing the command.",
  complexity: "O(1).",
  since: "7.0.0",
  group: "server",
  arity: -4,
  flags: ["admin", "noscript", "loading", "stale"],
  categories: ["admin", "slow", "dangerous"],
  keySpecs: [],
  arguments: [
    { name: "username", type: "string" },
    { name: "command", type: "string" },
    { name: "arg", type: "string", flags: ["optional", "multiple"] },
  ],
  run: runDryrun,
};

function runDryrun({ argv, reply, server }: EdgeContext): void {
  const { access } = server;
  const user = access.users().get(argv.latin1(2));
  if (user === undefined) return reply.error(`ERR User '${quotedArgument(argv, 2)}' not found`);
  const words = requestWords(argv);
  const judgement = access.judge(user, words);
  if (judgement.kind === "notACommand") return reply.error(judgement.errorText);
  const { verdict, denied } = judgement;
  if (verdict === Verdict.Allowed) return reply.ok();
  return replyBytes(reply, refusalOf(verdict, denied ?? commandName(access.catalogue, words)));
}

/** `what` is the command, key or channel. */
function refusalOf(verdict: Verdict, what: string): string {
  if (verdict === Verdict.Command) {
    return `This user has no permissions to run the '${what}' command`;
  }
  const kind = verdict === Verdict.Key ? "key" : "channel";
  return `This user has no permissions to access the '${asCString(what)}' ${kind}`;
}
