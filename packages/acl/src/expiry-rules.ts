/**
 * The rules for short-lived users as clients write them: `expire-at <unix seconds>` and `expire-in <seconds>`, in two
 * arguments or with "=". What is replicated is always `expire-at=<unix seconds>`, as the time of a change is not the
 * time at which it is applied. 0 clears.
 */
import { modifierError } from "./rule-errors.ts";
import { NOT_A_NUMBER } from "./rule-reasons.ts";

export type ExpandedRules =
  | { readonly ok: true; readonly rules: readonly string[] }
  | { readonly ok: false; readonly errorText: string };

const MS_PER_SECOND = 1_000;
const EXPIRY_RULE = /^(?<keyword>expire-at|expire-in)(?:=(?<value>.*))?$/is;

export function expandExpiry(rules: readonly string[], nowMs: number): ExpandedRules {
  const expanded: string[] = [];
  for (let index = 0; index < rules.length; index++) {
    const parts = EXPIRY_RULE.exec(rules[index]);
    if (parts === null) {
      expanded.push(rules[index]);
      continue;
    }
    const keyword = parts.groups?.["keyword"] ?? "";
    const value = parts.groups?.["value"] ?? rules[++index] ?? "";
    if (!/^[0-9]{1,10}$/.test(value)) {
      return { ok: false, errorText: modifierError(keyword, NOT_A_NUMBER) };
    }
    expanded.push(`expire-at=${secondsOf(keyword, Number(value), nowMs)}`);
  }
  return { ok: true, rules: expanded };
}

/** Rounded up: a user never lives shorter than was asked for. */
function secondsOf(keyword: string, value: number, nowMs: number): number {
  const isRelative = keyword.toLowerCase() === "expire-in" && value > 0;
  return isRelative ? Math.ceil(nowMs / MS_PER_SECOND) + value : value;
}
