/** What ACL rules of both servers may speak of: the commands that both have, and the categories of either. */
import type { ReplyNode } from "../../packages/node/test/commands/reply-tree.ts";
import { readReply } from "../../packages/node/test/commands/reply-tree.ts";
import type { AclVocabulary } from "./acl-rule-generator.ts";
import { encodeWords } from "./requests.ts";
import type { Session } from "./target.ts";

/** The intersection of both servers' COMMAND LIST. */
export async function commonVocabulary(theirs: Session, ours: Session): Promise<AclVocabulary> {
  const known = new Set(await ask(ours, "COMMAND", "LIST"));
  const names = (await ask(theirs, "COMMAND", "LIST")).filter((name) => known.has(name)).toSorted();
  const containers = new Set(
    names.filter((name) => name.includes("|")).map((name) => name.split("|")[0]),
  );
  return {
    commands: names.filter((name) => !name.includes("|") && !containers.has(name)),
    containers: [...containers],
    subcommands: names.filter((name) => name.includes("|")),
    categories: (await ask(theirs, "ACL", "CAT")).toSorted(),
  };
}

/** The elements of an array reply. */
async function ask(session: Session, ...words: readonly string[]): Promise<string[]> {
  const [reply] = await session.exchange([encodeWords(words)]);
  return textsOf(readReply(reply)!.node);
}

/** Texts of the elements of an array. */
export function textsOf(node: ReplyNode): string[] {
  if (node.kind !== "aggregate" || node.items === null) {
    throw new Error(`not an array: ${JSON.stringify(node)}`);
  }
  return node.items.map((item) => (item.kind === "aggregate" ? "" : (item.text ?? "")));
}
