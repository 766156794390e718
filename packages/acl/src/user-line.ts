/** A user as one line: "user", the name, the rules, one space between; what ACL LIST prints and state is kept as. */
import { AclError } from "./errors.ts";
import { refuse } from "./rule-reasons.ts";
import { mergeSelectorArguments } from "./selector-arguments.ts";
import { hasSpaceOrNul } from "./tokens.ts";
import { UserDefinition } from "./user-definition.ts";
import type { DefinitionOptions } from "./user-definition.ts";

/** The line of a user with these rules, for `UserTable.replaceAll` and `seed`. */
export function formatUserLine(name: string, rules: readonly string[]): string {
  return ["user", name, ...rules].join(" ");
}

/** @throws AclError INVALID_RULE */
export function parseUserLine(line: string, options: DefinitionOptions): UserDefinition {
  const [keyword, name, ...words] = line.split(" ");
  if (keyword !== "user" || name === undefined) throw refuse("A line begins with 'user <name>'");
  if (hasSpaceOrNul(name)) throw refuse("Usernames can't contain spaces or null characters");
  if (name.length > options.limits.nameBytesMax) {
    throw refuse(`A user's name has at most ${options.limits.nameBytesMax} bytes`);
  }
  const merged = mergeSelectorArguments(words);
  if (!merged.ok) throw refuse(`Unmatched parenthesis in a selector`);
  const definition = new UserDefinition(name, options);
  applyRules(definition, merged.rules);
  return definition;
}

/** A rule that was refused, and why. */
export class RefusedRule extends AclError {
  readonly rule: string;

  constructor(rule: string, reason: string) {
    super("INVALID_RULE", reason);
    this.rule = rule;
  }
}

/** Applies merged rules. @throws RefusedRule at the first that is wrong */
export function applyRules(definition: UserDefinition, rules: readonly string[]): void {
  for (const rule of rules) {
    try {
      definition.apply(rule);
    } catch (error) {
      if (error instanceof AclError) throw new RefusedRule(rule, error.message);
      throw error;
    }
  }
  definition.settle();
}
