/** ACL EXPLAIN: which rule decides about a request, and why each of the user's selectors says what it says. */
import { KeyAccess, Verdict } from "./access-request.ts";
import type { AccessRequest } from "./access-request.ts";
import type { User } from "./api.ts";
import { ruleToken } from "./command-rules.ts";
import type { CompiledSelector } from "./compiled-selector.ts";
import { CompiledUser } from "./compiled-user.ts";
import type { SelectorDefinition } from "./selector-definition.ts";

/** What one rule says about one part of the request. */
export interface AccessFinding {
  readonly part: "command" | "key" | "channel";
  /** Index of the key or channel; 0 for the command. */
  readonly index: number;
  readonly isAllowed: boolean;
  /** The rule that decides; null when no rule of the selector speaks of it. */
  readonly rule: string | null;
  /** One sentence; a byte string. */
  readonly text: string;
}

export interface SelectorExplanation {
  /** 0: the user's own rules; from 1 the selectors in their order. */
  readonly selector: number;
  readonly isAllowed: boolean;
  readonly findings: readonly AccessFinding[];
}

export interface AccessExplanation {
  /** What the check says. */
  readonly verdict: Verdict;
  readonly selectors: readonly SelectorExplanation[];
  /** All of it as lines for people: the verdict first. Byte strings. */
  readonly lines: readonly string[];
}

const VERDICTS: Readonly<Record<Verdict, string>> = {
  [Verdict.Allowed]: "allowed",
  [Verdict.Command]: "denied: the command",
  [Verdict.Key]: "denied: a key",
  [Verdict.Channel]: "denied: a channel",
};

const ACCESS_WORDS = ["touch", "read", "write", "read and write"] as const;

/** @param user one of a table of this package */
export function explainAccess(user: User, request: AccessRequest): AccessExplanation {
  if (!(user instanceof CompiledUser)) throw new Error("invariant: a user of another making");
  const verdict = user.check(request);
  const { root, selectors: more } = user.definition;
  const selectors = [root, ...more].map((definition, selector): SelectorExplanation => {
    const compiled = user.compiled[selector];
    const findings = [
      explainCommand(definition, request, { compiled, isRoot: selector === 0 }),
      ...explainKeys(definition, compiled, request),
      ...explainChannels(definition, compiled, request),
    ];
    return { selector, isAllowed: findings.every(({ isAllowed }) => isAllowed), findings };
  });
  const lines = [VERDICTS[verdict], ...selectors.flatMap(selectorLines)];
  return { verdict, selectors, lines };
}

function selectorLines(explanation: SelectorExplanation): string[] {
  const { selector, findings } = explanation;
  const name = selector === 0 ? "own rules" : `selector ${selector}`;
  return findings.map(({ isAllowed, text }) => `${name}: ${isAllowed ? "yes" : "no"}: ${text}`);
}

function explainCommand(
  definition: SelectorDefinition,
  request: AccessRequest,
  selector: { readonly compiled: CompiledSelector; readonly isRoot: boolean },
): AccessFinding {
  const { commands, index } = definition;
  const id = request.commandId;
  const { name, isNoAuth } = index.entries[id];
  const found = (isAllowed: boolean, rule: string | null, why: string): AccessFinding => ({
    part: "command",
    index: 0,
    isAllowed,
    rule,
    text: `'${name}' is ${isAllowed ? "allowed" : "denied"} by ${why}`,
  });
  const firstArgument = selector.compiled.firstArgumentRule(request);
  if (!commands.allows(id) && firstArgument >= 0) {
    const rules = commands.rules.filter(
      (rule) => rule.kind === "firstArgument" && rule.entry.id === id,
    );
    const rule = ruleToken(rules[firstArgument]);
    return found(true, rule, `'${rule}'`);
  }
  if (selector.isRoot && isNoAuth && !commands.allows(id) && !commands.deniesByName(id)) {
    return found(true, null, "being open to everybody who is not denied it by name");
  }
  const deciding = commands.decidingRule(id);
  if (deciding === undefined && index.withheld.has(id)) {
    return found(false, null, "acl-new-commands: it is new, and no rule allows it by name");
  }
  if (deciding !== undefined) {
    const rule = ruleToken(deciding);
    return found(commands.allows(id), rule, `'${rule}'`);
  }
  const base = commands.allowsByDefault ? "+@all" : "-@all";
  return found(commands.allowsByDefault, base, `'${base}', as no rule behind it names it`);
}

function explainKeys(
  definition: SelectorDefinition,
  compiled: CompiledSelector,
  request: AccessRequest,
): AccessFinding[] {
  const patterns = definition.keyWords();
  return Array.from({ length: request.keyCount }, (_, index) => {
    const rule = definition.allowsAllKeys ? 0 : compiled.keyRule(request, index);
    const key = printable(request, request.keyStarts[index], request.keyEnds[index]);
    const access = ACCESS_WORDS[request.keyAccess[index] & KeyAccess.ReadWrite];
    const what = `to ${access} key ${index + 1}, '${key}',`;
    return finding("key", { index, what, rule: rule < 0 ? null : patterns[rule] });
  });
}

function explainChannels(
  definition: SelectorDefinition,
  compiled: CompiledSelector,
  request: AccessRequest,
): AccessFinding[] {
  return Array.from({ length: request.channelCount }, (_, index) => {
    const start = request.channelStarts[index];
    const end = request.channelEnds[index];
    const isPattern = request.channelsArePatterns;
    const rule = definition.allowsAllChannels
      ? "&*"
      : definition.channels.map((pattern) => `&${pattern}`)[
          compiled.channelRule(request.buffer, start, end, isPattern)
        ];
    const kind = isPattern ? "pattern, which has to be allowed literally," : "channel";
    const what = `${kind} ${index + 1}, '${printable(request, start, end)}',`;
    return finding("channel", { index, what, rule: rule ?? null });
  });
}

function finding(
  part: "key" | "channel",
  { index, what, rule }: { index: number; what: string; rule: string | null },
): AccessFinding {
  const why = rule === null ? `is allowed by no ${part} pattern` : `is allowed by '${rule}'`;
  return { part, index, isAllowed: rule !== null, rule, text: `${what} ${why}` };
}

/** Keys can be anything: bytes that are no printable ASCII are escaped, and what is long is cut. */
function printable(request: AccessRequest, start: number, end: number): string {
  const SHOWN_BYTES_MAX = 128;
  const cut = end - start > SHOWN_BYTES_MAX;
  const bytes = Buffer.from(request.buffer.subarray(start, cut ? start + SHOWN_BYTES_MAX : end));
  const escaped = bytes
    .toString("latin1")
    .replaceAll(/[^ -~]/g, (byte) => `\\x${byte.charCodeAt(0).toString(16).padStart(2, "0")}`);
  return cut ? `${escaped}...` : escaped;
}
