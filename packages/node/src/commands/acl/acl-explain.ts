import { Verdict, type AccessFinding } from "@ferrite/acl";
import type { Reply } from "../../resp/reply.ts";
import type { EdgeContext } from "../../server/edge-context.ts";
import type { EdgeCommand } from "../command.ts";
import { quotedArgument } from "../refusal.ts";
import { replyBytes } from "./byte-string.ts";
import { commandName, requestWords } from "./request-words.ts";

/**
 * ACL EXPLAIN username command [arg ...]: what ACL DRYRUN says, and which rule decides about each part of the request. A
 * map: allowed, denied-part and denied-object (null when it is allowed), findings. A request is allowed when one selector
 * allows all its parts; selector 0 are the user's own rules.
 */
export const aclExplain: EdgeCommand = {
  kind: "edge",
  name: "acl|explain",
  summary: "Return which rules decide whether the user can execute the given command",
  complexity: "O(N). Where N is the number of rules that the user has.",
  since: "0.1.0",
  group: "ferrite",
  arity: -4,
  flags: ["admin", "noscript", "loading", "stale"],
  categories: ["admin", "slow", "dangerous"],
  keySpecs: [],
  arguments: [
    { name: "username", type: "string" },
    { name: "command", type: "string" },
    { name: "arg", type: "string", flags: ["optional", "multiple"] },
  ],
  run: runExplain,
};

const DENIED_PARTS: Readonly<Record<Verdict, string | null>> = {
  [Verdict.Allowed]: null,
  [Verdict.Command]: "command",
  [Verdict.Key]: "key",
  [Verdict.Channel]: "channel",
};

function runExplain({ argv, reply, server }: EdgeContext): void {
  const { access } = server;
  const user = access.users().get(argv.latin1(2));
  if (user === undefined) return reply.error(`ERR User '${quotedArgument(argv, 2)}' not found`);
  const words = requestWords(argv);
  const explained = access.explain(user, words);
  if (explained.kind === "notACommand") return reply.error(explained.errorText);
  const { verdict, selectors } = explained.explanation;
  const part = DENIED_PARTS[verdict];
  const command = verdict === Verdict.Command ? commandName(access.catalogue, words) : null;
  reply.map(4);
  reply.bulkText("allowed");
  reply.boolean(verdict === Verdict.Allowed);
  reply.bulkText("denied-part");
  replyOptional(reply, part);
  reply.bulkText("denied-object");
  replyOptional(reply, explained.denied ?? command);
  reply.bulkText("findings");
  const findings = selectors.flatMap((selector) =>
    selector.findings.map((finding) => [selector.selector, finding] as const),
  );
  reply.array(findings.length);
  for (const [selector, finding] of findings) replyFinding(reply, selector, finding);
}

function replyFinding(reply: Reply, selector: number, finding: AccessFinding): void {
  reply.map(5);
  reply.bulkText("selector");
  reply.integer(selector);
  reply.bulkText("part");
  reply.bulkText(finding.part);
  reply.bulkText("allowed");
  reply.boolean(finding.isAllowed);
  reply.bulkText("rule");
  replyOptional(reply, finding.rule);
  reply.bulkText("text");
  replyBytes(reply, finding.text);
}

function replyOptional(reply: Reply, text: string | null): void {
  if (text === null) reply.nullBulk();
  else replyBytes(reply, text);
}
