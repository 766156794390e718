/** The error texts of changes that are refused: Redis' words, with the code word, on one line, without secrets. */
import { splitSelectorWords } from "./tokens.ts";

const MODIFIER_BYTES_MAX = 1_024;

/** `ERR Error in ACL SETUSER modifier '...': reason` */
export function modifierError(rule: string, reason: string): string {
  return `ERR Error in ACL SETUSER modifier '${printableRule(rule)}': ${reason}`;
}

export function unmatchedParenthesis(rule: string): string {
  return `ERR Unmatched parenthesis in acl selector starting at '${printableRule(rule)}'.`;
}

export const INVALID_USER_NAME = "ERR Usernames can't contain spaces or null characters";
export const DEFAULT_USER_REMOVED = "ERR The 'default' user cannot be removed";

/**
 * The rule as errors show it. Redis repeats it as it came; we never repeat what may be a password or its hash: errors
 * are written to more places than to the client that knows it anyway.
 */
export function printableRule(rule: string): string {
  if (isSecret(rule)) return `${rule[0]}(redacted)`;
  const isSelector = rule.startsWith("(");
  const inner = isSelector ? rule.slice(1) : rule;
  // Also inside quotes and parentheses that somebody opened and meant to close elsewhere, and in several rules that came as one.
  const words = [...(splitSelectorWords(inner) ?? []), ...inner.split(/[\s"'()]+/)];
  if (words.some(isSecret)) return isSelector ? "((redacted))" : "(redacted)";
  // Redis repeats what came before a zero byte.
  const oneLine = rule.split("\0", 1)[0].replaceAll(/[\r\n]/g, " ");
  if (oneLine.length <= MODIFIER_BYTES_MAX) return oneLine;
  return `${oneLine.slice(0, MODIFIER_BYTES_MAX)}...`;
}

function isSecret(word: string): boolean {
  return /^[><#!]/.test(word);
}
