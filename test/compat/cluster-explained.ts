/**
 * Where a running node may differ from redis-server beyond what `explained.ts` says of single commands: what names the
 * process, the connection or the cluster. Such parts are masked in both replies; the rest is compared byte for byte.
 */
import { printReply, readReply } from "../../packages/node/test/commands/reply-tree.ts";
import type { ReplyNode } from "../../packages/node/test/commands/reply-tree.ts";
import { explainDifference } from "./explained.ts";

interface Mask {
  /** The request it is for, as words in capitals with a blank between. */
  readonly request: RegExp;
  readonly hide: (text: string) => string;
  readonly reason: string;
}

/** Fields of CLIENT INFO and LIST that tell of sockets and buffers of one server or were asked at another moment. */
export const CLIENT_FIELDS: RegExp =
  /\b(id|addr|laddr|fd|age|idle|qbuf|qbuf-free|argv-mem|rbs|rbp|obl|oll|omem|tot-mem|events)=\S*/g;

const MASKS: readonly Mask[] = [
  {
    request: /^HELLO\b/,
    hide: (text) =>
      text
        .replace(/(\$2\r\nid\r\n):\d+/, "$1:N")
        .replace(/(\$4\r\nrole\r\n)\$\d+\r\n(master|replica)/, "$1R"),
    reason: "connections are numbered by each server, and a follower's role is replica",
  },
  {
    request: /^CLIENT ID$/,
    hide: (text) => text.replace(/^:\d+/, ":N"),
    reason: "connections are numbered by each server",
  },
  {
    request: /^CLIENT (INFO|LIST)\b/,
    hide: (text) =>
      text
        .replace(/^[$=]\d+/, (length) => `${length[0]}N`)
        .replace(CLIENT_FIELDS, "$1=N")
        .replace(/ lib-name=\S* lib-ver=\S*/g, ""),
    reason: "sockets and buffers are each server's own; lib-name and lib-ver are from Redis 7.2",
  },
  {
    request: /^TIME$/,
    hide: (text) => text.replace(/\$\d+\r\n\d+/g, "T"),
    reason: "the two were asked at different moments",
  },
  {
    request: /^WAIT\b/,
    hide: (text) => text.replace(/^:\d+/, ":N"),
    reason: "the single redis-server has no replicas",
  },
  {
    request: /^RANDOMKEY$/,
    hide: (text) => text.replace(/^\$\d+\r\n[^]*$/, "K"),
    reason: "which key it is, is chance",
  },
  {
    request: /^CONFIG SET MAXMEMORY $/,
    hide: () => "",
    reason: "redis-server takes nothing for no bytes; a size has to be a number here",
  },
  {
    request: /^MEMORY USAGE\b/,
    hide: (text) => text.replace(/^:\d+/, ":N"),
    reason: "an entry is laid out otherwise",
  },
];

/** Commands whose reply is compared as a set where Redis' order comes from a hash. */
const UNORDERED = /^(COMMAND LIST|CONFIG GET)\b/;

/** Why this difference is none, or null when it is one. `words` is the request. */
export function explainClusterDifference(
  words: readonly string[],
  redis: Buffer,
  ferrite: Buffer,
): string | null {
  const request = words.join(" ").toUpperCase();
  for (const mask of MASKS) {
    if (!mask.request.test(request)) continue;
    const theirs = mask.hide(redis.toString("latin1"));
    return theirs === mask.hide(ferrite.toString("latin1")) ? mask.reason : null;
  }
  if (UNORDERED.test(request)) {
    return sortedText(redis) === sortedText(ferrite) ? "the order has no meaning" : null;
  }
  return explainDifference(words, redis, ferrite);
}

function sortedText(raw: Buffer): string {
  const node: ReplyNode = readReply(raw)!.node;
  if (node.kind !== "aggregate" || node.items === null) return printReply(node);
  return `${node.type}${node.items.map(printReply).toSorted().join("")}`;
}
