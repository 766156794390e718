/**
 * Where Ferrite may differ from redis-server, each with its reason (README.md says more). Everything else is a defect.
 */
import type { ReplyNode } from "../../packages/node/test/commands/reply-tree.ts";
import { printReply, readReply } from "../../packages/node/test/commands/reply-tree.ts";

/** The last moment Ferrite stores exactly, in Unix ms; Redis takes 63 bits. */
const LAST_MOMENT_MS = Number.MAX_SAFE_INTEGER;
const LAST_MOMENT_REASON = "expiries are stored up to the year 287396";
/** How much later the one may be asked than the other. */
const CLOCK_TOLERANCE_MS = 5000;
const IDLE_TOLERANCE_SECONDS = CLOCK_TOLERANCE_MS / 1000;

/** Why this difference is none, or null when it is one. `words` is the request. */
export function explainDifference(
  words: readonly string[],
  redis: Buffer,
  ferrite: Buffer,
): string | null {
  const command = words[0].toUpperCase();
  const theirs = readReply(redis)!.node;
  const ours = readReply(ferrite)!.node;
  switch (command) {
    case "KEYS":
    case "SCAN":
      return sameElements(theirs, ours) ? "the order of keys has no meaning" : null;
    case "OBJECT":
      return explainObject(words[1].toUpperCase(), theirs, ours);
    case "TTL":
    case "EXPIRETIME":
      return explainTime(theirs, ours, 1000);
    case "PTTL":
    case "PEXPIRETIME":
      return explainTime(theirs, ours, 1);
    case "EXPIRE":
    case "PEXPIRE":
    case "EXPIREAT":
    case "PEXPIREAT":
      return explainCondition(words);
    default:
      return null;
  }
}

/** GT and LT between two expiries that are both brought down to the last moment. */
function explainCondition(words: readonly string[]): string | null {
  const isSeconds = !words[0].toUpperCase().startsWith("P");
  const timeMs = Number(words[2]) * (isSeconds ? 1000 : 1);
  const isConditional = words.slice(3).some((word) => /^(gt|lt)$/i.test(word));
  return isConditional && timeMs > LAST_MOMENT_MS ? LAST_MOMENT_REASON : null;
}

function sameElements(theirs: ReplyNode, ours: ReplyNode): boolean {
  return sortedText(theirs) === sortedText(ours);
}

function sortedText(node: ReplyNode): string {
  if (node.kind !== "aggregate" || node.items === null) return printReply(node);
  return `${node.type}[${node.items.map(sortedText).toSorted().join("")}]`;
}

function explainObject(subcommand: string, theirs: ReplyNode, ours: ReplyNode): string | null {
  if (subcommand === "ENCODING") {
    const isHistory = theirs.kind === "bulk" && (theirs.text === "raw" || theirs.text === "embstr");
    const isPlain = ours.kind === "bulk" && (ours.text === "embstr" || ours.text === "int");
    return isHistory && isPlain
      ? "the encoding follows from the value, not from its history"
      : null;
  }
  if (subcommand === "REFCOUNT") {
    const isShared = ours.kind === "line" && ours.text === "2147483647";
    const isAlone = theirs.kind === "line" && theirs.text === "1";
    return isShared && isAlone ? "the encoding follows from the value, not from its history" : null;
  }
  if (subcommand === "IDLETIME") {
    if (numberOf(ours) - numberOf(theirs) <= IDLE_TOLERANCE_SECONDS) {
      // Redis keeps one object, and one clock, for all values that are the same small integer.
      return numberOf(theirs) > numberOf(ours)
        ? "idle times in Redis may be another key's"
        : "the two were asked at different moments";
    }
  }
  return null;
}

function explainTime(theirs: ReplyNode, ours: ReplyNode, unitMs: number): string | null {
  const difference = Math.abs(numberOf(theirs) - numberOf(ours)) * unitMs;
  if (difference <= CLOCK_TOLERANCE_MS) return "the two were asked at different moments";
  const lastMoment = LAST_MOMENT_MS / unitMs;
  // Time to live is counted from now, which lies before the last moment by about a hundred and seventieth of it.
  const isClamped = numberOf(ours) > lastMoment * 0.99 && numberOf(theirs) > numberOf(ours);
  return isClamped ? LAST_MOMENT_REASON : null;
}

function numberOf(node: ReplyNode): number {
  return node.kind === "line" && node.type === ":" ? Number(node.text) : NaN;
}
