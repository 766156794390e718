/**
 * The `+` and `-` rules of one selector: a base (`+@all` or `-@all`) and what was said after it, in order. Categories
 * stay categories, so that a later version's commands fall under what was meant.
 *
 * A rule that a later one makes void is dropped as soon as that is certain:
 *   - `+@all` and `-@all` void everything before;
 *   - a rule about a command voids earlier ones about it and its sub-commands, a rule about a category voids earlier
 *     ones about that category and about single commands in it;
 *   - a rule about a command that changes nothing is not kept;
 *   - `-...` before anything was granted, and `+...` before anything was taken away, is not kept.
 * What depends on which commands are in two categories is kept: it may come to matter with a later command.
 */
import type { CommandEntry } from "./catalogue.ts";
import type { CatalogueIndex, CommandMask } from "./catalogue-index.ts";

export type CommandRule =
  | { readonly kind: "category"; readonly isAllowed: boolean; readonly category: string }
  | { readonly kind: "command"; readonly isAllowed: boolean; readonly entry: CommandEntry }
  | { readonly kind: "firstArgument"; readonly entry: CommandEntry; readonly argument: string };

export class CommandRules {
  readonly #index: CatalogueIndex;
  #allowsByDefault = false;
  #rules: readonly CommandRule[] = [];

  /** With `isVerbatim` nothing is dropped: for state that is read back, whatever this version's catalogue is. */
  readonly #isVerbatim: boolean;

  constructor(index: CatalogueIndex, isVerbatim: boolean) {
    this.#index = index;
    this.#isVerbatim = isVerbatim;
  }

  clone(): CommandRules {
    const copy = new CommandRules(this.#index, false);
    copy.#allowsByDefault = this.#allowsByDefault;
    copy.#rules = this.#rules;
    return copy;
  }

  get allowsByDefault(): boolean {
    return this.#allowsByDefault;
  }

  get rules(): readonly CommandRule[] {
    return this.#rules;
  }

  /** `+@all` and `-@all`. */
  setAll(isAllowed: boolean): void {
    this.#allowsByDefault = isAllowed;
    this.#rules = [];
  }

  /** `+@category` and `-@category`, which must exist. */
  setCategory(category: string, isAllowed: boolean): void {
    const rule: CommandRule = { kind: "category", isAllowed, category };
    if (this.#append(rule)) return;
    const ids = this.#index.idsOfCategory(category, isAllowed);
    const kept = this.#rules.filter((earlier) => {
      if (earlier.kind === "category") return earlier.category !== category;
      // A category does not speak of AUTH by name: what did, stays.
      if (isExplicitDenialOfNoAuth(earlier) && !isAllowed) return true;
      return !this.#speaksOnlyOf(earlier, ids);
    });
    this.#keep([...kept, rule]);
  }

  /** `+command`, `-command`, and the same with `|sub`. */
  setCommand(entry: CommandEntry, isAllowed: boolean): void {
    const rule: CommandRule = { kind: "command", isAllowed, entry };
    if (this.#append(rule)) return;
    const ids = this.#index.idsOf(entry);
    const kept = this.#rules.filter(
      (earlier) => earlier.kind === "category" || !this.#speaksOnlyOf(earlier, ids),
    );
    const changesNothing = [...ids].every((id) => this.#allows(kept, id) === isAllowed);
    const isVoid = changesNothing && !isExplicitDenialOfNoAuth(rule);
    this.#keep(isVoid ? kept : [...kept, rule]);
  }

  /** `+command|argument` for a command without sub-commands. Nothing when all of the command is allowed. */
  addFirstArgument(entry: CommandEntry, argument: string): void {
    const rule: CommandRule = { kind: "firstArgument", entry, argument };
    if (this.#append(rule)) return;
    if (this.#allows(this.#rules, entry.id)) return;
    const folded = argument.toLowerCase();
    const isThere = this.#rules.some(
      (earlier) =>
        earlier.kind === "firstArgument" &&
        earlier.entry.id === entry.id &&
        earlier.argument.toLowerCase() === folded,
    );
    if (!isThere) this.#rules = [...this.#rules, rule];
  }

  /**
   * Drops what became void only because a rule was dropped between, so that what is printed reads back to itself.
   */
  settle(): void {
    if (this.#isVerbatim) return;
    for (let before = -1; before !== this.#rules.length;) {
      before = this.#rules.length;
      const again = new CommandRules(this.#index, false);
      again.setAll(this.#allowsByDefault);
      for (const rule of this.#rules) again.#set(rule);
      this.#rules = again.#rules;
    }
  }

  /** Whether the rules allow the command whatever its arguments are. */
  allows(id: number): boolean {
    return this.#allows(this.#rules, id);
  }

  /** All commands that the rules allow whatever their arguments are. */
  mask(): CommandMask {
    const mask = new Uint32Array((this.#index.catalogue.size + 31) >>> 5);
    if (this.#allowsByDefault) mask.set(this.#index.maskOf(this.#index.all));
    for (const rule of this.#rules) {
      if (rule.kind === "firstArgument") continue;
      const ids =
        rule.kind === "category"
          ? this.#index.idsOfCategory(rule.category, rule.isAllowed)
          : this.#index.idsOf(rule.entry);
      const changed = this.#index.maskOf(ids);
      for (let word = 0; word < mask.length; word++) {
        if (rule.isAllowed) mask[word] |= changed[word];
        else mask[word] &= ~changed[word];
      }
    }
    return mask;
  }

  /** Whether the command is denied by its own name: that holds also for AUTH, HELLO, QUIT and RESET (S05). */
  deniesByName(id: number): boolean {
    for (const rule of this.#rules.toReversed()) {
      if (!this.#covers(rule, id)) continue;
      if (rule.kind === "command") return !rule.isAllowed;
      if (rule.kind === "category" && rule.isAllowed) return false;
    }
    return false;
  }

  /** The rule that decides about the command; undefined when it is the base. */
  decidingRule(id: number): CommandRule | undefined {
    return this.#rules.findLast((rule) => this.#covers(rule, id));
  }

  /** As ACL LIST and GETUSER print them. */
  tokens(): readonly string[] {
    return [this.#allowsByDefault ? "+@all" : "-@all", ...this.#rules.map(ruleToken)];
  }

  #set(rule: CommandRule): void {
    if (rule.kind === "category") this.setCategory(rule.category, rule.isAllowed);
    else if (rule.kind === "command") this.setCommand(rule.entry, rule.isAllowed);
    else this.addFirstArgument(rule.entry, rule.argument);
  }

  #append(rule: CommandRule): boolean {
    if (this.#isVerbatim) this.#rules = [...this.#rules, rule];
    return this.#isVerbatim;
  }

  /** Whether a rule about a command speaks of nothing but these ids. */
  #speaksOnlyOf(
    rule: Exclude<CommandRule, { kind: "category" }>,
    ids: ReadonlySet<number>,
  ): boolean {
    if (rule.kind === "firstArgument") return ids.has(rule.entry.id);
    for (const id of this.#index.idsOf(rule.entry)) if (!ids.has(id)) return false;
    return true;
  }

  #allows(rules: readonly CommandRule[], id: number): boolean {
    for (let index = rules.length - 1; index >= 0; index--) {
      const rule = rules[index];
      if (rule.kind !== "firstArgument" && this.#covers(rule, id)) return rule.isAllowed;
    }
    return this.#allowsByDefault && this.#index.all.has(id);
  }

  #covers(rule: CommandRule, id: number): boolean {
    if (rule.kind === "firstArgument") return false;
    if (rule.kind === "category") {
      return this.#index.idsOfCategory(rule.category, rule.isAllowed).has(id);
    }
    return this.#index.idsOf(rule.entry).has(id);
  }

  /** Takes the rules over without those that stand before anything they could change. */
  #keep(rules: readonly CommandRule[]): void {
    let hasOpposite = false;
    this.#rules = rules.filter((rule) => {
      if (rule.kind === "firstArgument") return true;
      if (rule.isAllowed !== this.#allowsByDefault) hasOpposite = true;
      return hasOpposite || isExplicitDenialOfNoAuth(rule) || this.#grantsWithheld(rule);
    });
  }

  /** `+command` that says more than `+@all` does, as the command is granted by name only (S10). */
  #grantsWithheld(rule: CommandRule): boolean {
    if (rule.kind !== "command" || !rule.isAllowed || this.#index.withheld.size === 0) return false;
    for (const id of this.#index.idsOf(rule.entry)) if (this.#index.withheld.has(id)) return true;
    return false;
  }
}

/** The rule as it is written. */
export function ruleToken(rule: CommandRule): string {
  if (rule.kind === "firstArgument") return `+${rule.entry.name}|${rule.argument}`;
  const sign = rule.isAllowed ? "+" : "-";
  return rule.kind === "category" ? `${sign}@${rule.category}` : `${sign}${rule.entry.name}`;
}

function isExplicitDenialOfNoAuth(rule: CommandRule): boolean {
  return rule.kind === "command" && !rule.isAllowed && rule.entry.isNoAuth;
}
