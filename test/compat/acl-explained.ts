/**
 * Where access control may answer otherwise than redis-server does, each with its reason (README.md says more). What is
 * masked is masked in both replies; the rest is compared byte for byte.
 */
import type { ReplyNode } from "../../packages/node/test/commands/reply-tree.ts";
import { printReply, readReply } from "../../packages/node/test/commands/reply-tree.ts";
import { CLIENT_FIELDS, explainClusterDifference } from "./cluster-explained.ts";

interface Mask {
  /** The request it is for, as words in capitals with a blank between. */
  readonly request: RegExp;
  readonly hide: (reply: ReplyNode) => ReplyNode;
  readonly reason: string;
}

const MASKS: readonly Mask[] = [
  {
    request: /^ACL GETUSER /,
    hide: hideFields,
    reason: "passwords are kept in another form; command rules, and %RW~*, as they were given",
  },
  {
    request: /^ACL LOG\b/,
    hide: hideClients,
    reason: "ages, sockets and buffers are each server's own; a login waits for its hash here",
  },
  {
    request: /^ACL SETUSER /,
    hide: (reply) => mapTexts(reply, hideSecretModifier),
    reason: "a rule that may hold a password is not repeated",
  },
];

/** Why this difference is none, or null when it is one. `words` is the request. */
export function explainAclDifference(
  words: readonly string[],
  redis: Buffer,
  ferrite: Buffer,
): string | null {
  const request = words.join(" ").toUpperCase();
  for (const mask of MASKS) {
    if (!mask.request.test(request)) continue;
    const [theirs, ours] = [redis, ferrite].map((reply) =>
      printReply(mask.hide(readReply(reply)!.node)),
    );
    return theirs === ours ? mask.reason : null;
  }
  return explainClusterDifference(words, redis, ferrite);
}

/** The words that Redis repeats, when they begin as a password or its hash does; Ferrite's stand for it. */
function hideSecretModifier(text: string): string {
  return text.replace(
    /modifier '(?:[<>#!][^]*|\([^]*[( ][<>#!][^]*|\(\(redacted\)\))': /,
    "modifier 'SECRET': ",
  );
}

/** Elements of the field "passwords" (how many there are is compared) and command rules (ACL LIST compares their meaning). */
function hideFields(reply: ReplyNode): ReplyNode {
  if (reply.kind !== "aggregate" || reply.items === null) return reply;
  const items = reply.items.map((item, at) => {
    const field = reply.items?.[at - 1];
    const name = field?.kind === "bulk" && at % 2 === 1 ? field.text : null;
    if (name === "passwords") return mapTexts(item, () => "PASSWORD");
    if (name === "commands") return mapTexts(item, () => "COMMANDS");
    if (name === "keys") return mapTexts(item, (text) => text.replace(/(?<=^| )%RW~\*/, "~*"));
    return name === "selectors" && item.kind === "aggregate" && item.items !== null
      ? { ...item, items: item.items.map(hideFields) }
      : item;
  });
  return { ...reply, items };
}

/** Of an entry of ACL LOG: its age, and of its client what is of one server or moment, or from Redis 7.2. */
function hideClients(reply: ReplyNode): ReplyNode {
  return mapTexts(reply, (text, type) => {
    if (type !== ":" && /^\d+(\.\d+(e-\d+)?)?$/.test(text)) return "AGE";
    return text
      .replaceAll(CLIENT_FIELDS, "$1=N")
      .replace(/ flags=\S*/, "")
      .replace(/ lib-name=\S* lib-ver=\S*/g, "");
  });
}

/** Every text, with the type of the reply that it is. */
function mapTexts(node: ReplyNode, map: (text: string, type: string) => string): ReplyNode {
  if (node.kind === "aggregate") {
    return node.items === null
      ? node
      : { ...node, items: node.items.map((item) => mapTexts(item, map)) };
  }
  return node.text === null ? node : { ...node, text: map(node.text, node.type) };
}
