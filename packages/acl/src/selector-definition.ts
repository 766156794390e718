/** What one selector says, before it is compiled; rules are applied to it from left to right. */
import type { CatalogueIndex } from "./catalogue-index.ts";
import type { CommandEntry } from "./catalogue.ts";
import type { CommandRules } from "./command-rules.ts";
import { KeyAccess } from "./access-request.ts";
import type { AclLimits } from "./limits.ts";
import {
  FIRST_ARGUMENT_OF_SUBCOMMAND,
  PATTERN_AFTER_ALL_CHANNELS,
  PATTERN_AFTER_ALL_KEYS,
  refuse,
  SYNTAX_ERROR,
  tooManyRules,
  UNKNOWN_COMMAND,
} from "./rule-reasons.ts";
import { hasSpaceOrNul, quoteWord } from "./tokens.ts";
import type { SelectorDescription } from "./api.ts";

export interface KeyRule {
  readonly pattern: string;
  /** KeyAccess.Read, Write or ReadWrite. */
  readonly access: KeyAccess;
}

export class SelectorDefinition {
  readonly index: CatalogueIndex;
  readonly #limits: AclLimits;
  readonly commands: CommandRules;
  allowsAllKeys = false;
  keys: readonly KeyRule[] = [];
  allowsAllChannels = false;
  channels: readonly string[] = [];

  constructor(index: CatalogueIndex, limits: AclLimits, commands: CommandRules) {
    this.index = index;
    this.#limits = limits;
    this.commands = commands;
  }

  clone(): SelectorDefinition {
    const copy = new SelectorDefinition(this.index, this.#limits, this.commands.clone());
    copy.allowsAllKeys = this.allowsAllKeys;
    copy.keys = this.keys;
    copy.allowsAllChannels = this.allowsAllChannels;
    copy.channels = this.channels;
    return copy;
  }

  get ruleCount(): number {
    return this.commands.rules.length + this.keys.length + this.channels.length;
  }

  /** @throws AclError INVALID_RULE */
  apply(rule: string): void {
    if (this.#applyKeyword(rule.toLowerCase())) return;
    const sign = rule[0];
    if (sign === "~" || sign === "%") this.#addKeyPattern(rule);
    else if (sign === "&") this.#addChannelPattern(rule.slice(1));
    else if (sign !== "+" && sign !== "-") throw refuse(SYNTAX_ERROR);
    else if (rule[1] === "@") this.#setCategory(rule.slice(2), sign === "+");
    else if (sign === "+") this.#allow(rule.slice(1));
    else this.commands.setCommand(this.#find(rule.slice(1)), false);
    // At every rule and not behind the last: adding one costs as much as there are.
    if (this.ruleCount > this.#limits.rulesPerUserMax) {
      throw refuse(tooManyRules(this.#limits.rulesPerUserMax));
    }
  }

  resetKeys(): void {
    this.allowsAllKeys = false;
    this.keys = [];
  }

  resetChannels(): void {
    this.allowsAllChannels = false;
    this.channels = [];
  }

  describe(): SelectorDescription {
    const channels = this.allowsAllChannels ? ["*"] : this.channels;
    return {
      commands: this.commands.tokens().join(" "),
      keys: this.keyWords().join(" "),
      channels: channels.map((pattern) => `&${pattern}`).join(" "),
    };
  }

  /** Words of ACL LIST, for the user's own rules. */
  words(): readonly string[] {
    const channels = this.channels.map((pattern) => `&${pattern}`);
    return [
      ...this.keyWords(),
      ...(this.allowsAllChannels ? ["&*"] : ["resetchannels", ...channels]),
      ...this.commands.tokens(),
    ];
  }

  /** As a rule in parentheses. Words that would not be read back are quoted, which Redis forgets. */
  selectorRule(): string {
    const isPlain = (word: string): boolean => !/["']|\)$/.test(word);
    return `(${this.words()
      .map((word) => (isPlain(word) ? word : quoteWord(word)))
      .join(" ")})`;
  }

  /** Key rules as they are printed; `~*` alone when all keys are allowed. */
  keyWords(): readonly string[] {
    if (this.allowsAllKeys) return ["~*"];
    return this.keys.map(({ pattern, access }) => {
      // One pattern among others, as `%RW~*` made it: `~*` would be read back as all there is to say about keys.
      if (access === KeyAccess.ReadWrite) return pattern === "*" ? "%RW~*" : `~${pattern}`;
      return `${access === KeyAccess.Read ? "%R" : "%W"}~${pattern}`;
    });
  }

  #applyKeyword(keyword: string): boolean {
    switch (keyword) {
      case "allkeys":
      case "~*":
        this.resetKeys();
        this.allowsAllKeys = true;
        return true;
      case "resetkeys":
        this.resetKeys();
        return true;
      case "allchannels":
      case "&*":
        this.resetChannels();
        this.allowsAllChannels = true;
        return true;
      case "resetchannels":
        this.resetChannels();
        return true;
      case "allcommands":
      case "+@all":
        this.commands.setAll(true);
        return true;
      case "nocommands":
      case "-@all":
        this.commands.setAll(false);
        return true;
      default:
        return false;
    }
  }

  #addKeyPattern(rule: string): void {
    if (this.allowsAllKeys) throw refuse(PATTERN_AFTER_ALL_KEYS);
    // Redis takes "%R" without a "~" for a pattern and once crashed on it (S06): every part has to be there.
    const parts = /^(?:%(?<access>[RW]|RW|WR))?~/i.exec(rule);
    if (parts === null) throw refuse(SYNTAX_ERROR);
    const pattern = this.#checkPattern(rule.slice(parts[0].length));
    const access = accessOf(parts.groups?.["access"] ?? "RW");
    if (!this.keys.some((key) => key.pattern === pattern)) {
      this.keys = [...this.keys, { pattern, access }];
      return;
    }
    this.keys = this.keys.map((key) =>
      key.pattern === pattern ? { pattern, access: union(key.access, access) } : key,
    );
  }

  #addChannelPattern(text: string): void {
    if (this.allowsAllChannels) throw refuse(PATTERN_AFTER_ALL_CHANNELS);
    const pattern = this.#checkPattern(text);
    if (!this.channels.includes(pattern)) this.channels = [...this.channels, pattern];
  }

  #checkPattern(pattern: string): string {
    if (hasSpaceOrNul(pattern)) throw refuse(SYNTAX_ERROR);
    if (pattern.length > this.#limits.patternBytesMax) {
      throw refuse(`The pattern is longer than ${this.#limits.patternBytesMax} bytes`);
    }
    return pattern;
  }

  #setCategory(name: string, isAllowed: boolean): void {
    const category = name.toLowerCase();
    if (!this.index.hasCategory(category)) throw refuse(UNKNOWN_COMMAND);
    this.commands.setCategory(category, isAllowed);
  }

  #find(name: string): CommandEntry {
    const entry = this.index.catalogue.find(name);
    if (entry === undefined) throw refuse(UNKNOWN_COMMAND);
    return entry;
  }

  /** `+command`, `+command|sub`, or `+command|argument` where the command has no sub-commands. */
  #allow(name: string): void {
    const bar = name.lastIndexOf("|");
    if (bar < 0) {
      this.commands.setCommand(this.#find(name), true);
      return;
    }
    const command = this.#find(name.slice(0, bar));
    const argument = name.slice(bar + 1);
    if (this.index.parentOf(command) !== undefined) throw refuse(FIRST_ARGUMENT_OF_SUBCOMMAND);
    if (argument === "") throw refuse(SYNTAX_ERROR);
    if (command.subcommands.length > 0) this.commands.setCommand(this.#find(name), true);
    else this.commands.addFirstArgument(command, this.#checkPattern(argument));
  }
}

function accessOf(letters: string): KeyAccess {
  const folded = letters.toUpperCase();
  if (folded.length === 2) return KeyAccess.ReadWrite;
  return folded === "R" ? KeyAccess.Read : KeyAccess.Write;
}

function union(one: KeyAccess, other: KeyAccess): KeyAccess {
  return one === other ? one : KeyAccess.ReadWrite;
}
