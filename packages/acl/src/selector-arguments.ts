/**
 * Selectors arrive as one argument or split over several at their spaces: what lies from an argument that begins with
 * "(" to one that ends with ")" is one rule again, as in Redis 7.
 */

export type MergedRules =
  | { readonly ok: true; readonly rules: readonly string[] }
  /** The argument that opens a selector which nobody closes. */
  | { readonly ok: false; readonly unmatched: string };

export function mergeSelectorArguments(rules: readonly string[]): MergedRules {
  const merged: string[] = [];
  let open: string[] | null = null;
  let opener = "";
  for (const rule of rules) {
    // Redis names the last one that opens.
    if (rule.startsWith("(") && !rule.endsWith(")")) opener = rule;
    if (open !== null) {
      open.push(rule);
      if (!rule.endsWith(")")) continue;
      merged.push(open.join(" "));
      open = null;
    } else if (rule.startsWith("(") && !rule.endsWith(")")) {
      open = [rule];
    } else {
      merged.push(rule);
    }
  }
  return open === null ? { ok: true, rules: merged } : { ok: false, unmatched: opener };
}

export function isSelectorRule(rule: string): boolean {
  return rule.startsWith("(") && rule.endsWith(")") && rule.length > 1;
}
