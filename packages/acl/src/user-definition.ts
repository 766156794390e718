/** What a user is, before it is compiled. Rules are applied to it from left to right; the first wrong one throws. */
import type { CatalogueIndex } from "./catalogue-index.ts";
import { CommandRules } from "./command-rules.ts";
import { AclError } from "./errors.ts";
import type { AclLimits } from "./limits.ts";
import { formatStoredPassword, parseStoredPassword } from "./password.ts";
import {
  DEFAULT_USER_EXPIRES,
  MALFORMED_HASH,
  NO_SUCH_PASSWORD,
  NOT_A_NUMBER,
  NOT_HASHED,
  refuse,
  SYNTAX_ERROR,
  tooManyRules,
} from "./rule-reasons.ts";
import { SelectorDefinition } from "./selector-definition.ts";
import { isSelectorRule } from "./selector-arguments.ts";
import { splitSelectorWords } from "./tokens.ts";

export const DEFAULT_USER_NAME = "default";

/**
 * Which passwords rules may speak of. stored: slow hashes only, as in the log. file: also `#` with 64 digits, which is
 * hashed later. client: also plaintext; it is looked at for its form only and not kept.
 */
export type PasswordForms = "stored" | "file" | "client";

export interface DefinitionOptions {
  readonly index: CatalogueIndex;
  readonly limits: AclLimits;
  readonly passwordForms: PasswordForms;
  /** For state that is read back: rules are kept as they are, also where this version would drop one. */
  readonly isVerbatim: boolean;
}

const SHA256_RULE = /^[#!][0-9a-f]{64}$/;
const STORED_RULE = /^[#!]pbkdf2-/;
const NUMBER_RULE = /^(expire-at|max-clients|ops-per-sec)=(.*)$/;

export class UserDefinition {
  readonly name: string;
  readonly #options: DefinitionOptions;
  isEnabled = false;
  hasNoPassword = false;
  /** Redis shows neither flag until one of the rules was used. */
  payload: "unset" | "sanitize" | "skip" = "unset";
  /** In the order they were added. */
  passwords: readonly string[] = [];
  expiresAtSeconds = 0;
  clientsMax = 0;
  operationsPerSecondMax = 0;
  root: SelectorDefinition;
  selectors: readonly SelectorDefinition[] = [];

  /** Redis 7's new user: off, without a password, nothing allowed. */
  constructor(name: string, options: DefinitionOptions) {
    this.name = name;
    this.#options = options;
    this.root = this.#newSelector();
  }

  /** A copy to which rules can be applied. */
  clone(options: DefinitionOptions): UserDefinition {
    const copy = new UserDefinition(this.name, options);
    copy.isEnabled = this.isEnabled;
    copy.hasNoPassword = this.hasNoPassword;
    copy.payload = this.payload;
    copy.passwords = this.passwords;
    copy.expiresAtSeconds = this.expiresAtSeconds;
    copy.clientsMax = this.clientsMax;
    copy.operationsPerSecondMax = this.operationsPerSecondMax;
    copy.root = this.root.clone();
    copy.selectors = this.selectors;
    return copy;
  }

  /** @throws AclError INVALID_RULE with the reason */
  apply(rule: string): void {
    if (rule === "") return;
    const sign = rule[0];
    if (this.#applyKeyword(rule.toLowerCase())) return;
    if (sign === "#" || sign === "!" || sign === ">" || sign === "<") this.#applyPassword(rule);
    else if (isSelectorRule(rule)) this.#addSelector(rule.slice(1, -1));
    else if (!this.#applyNumber(rule.toLowerCase())) this.root.apply(rule);
    this.#checkLimits();
  }

  /** To be called behind the last rule. */
  settle(): void {
    this.root.commands.settle();
    for (const selector of this.selectors) selector.commands.settle();
  }

  /** As ACL GETUSER lists them. */
  flags(): readonly string[] {
    const flags = [this.isEnabled ? "on" : "off"];
    if (this.hasNoPassword) flags.push("nopass");
    if (this.payload === "skip") flags.push("skip-sanitize-payload");
    if (this.payload === "sanitize") flags.push("sanitize-payload");
    return flags;
  }

  /** The line of ACL LIST. Our own rules stand behind the passwords, where they are set. */
  line(): string {
    const limits: string[] = [];
    if (this.expiresAtSeconds > 0) limits.push(`expire-at=${this.expiresAtSeconds}`);
    if (this.clientsMax > 0) limits.push(`max-clients=${this.clientsMax}`);
    if (this.operationsPerSecondMax > 0) limits.push(`ops-per-sec=${this.operationsPerSecondMax}`);
    return [
      "user",
      this.name,
      ...this.flags(),
      ...this.passwords.map((password) => `#${password}`),
      ...limits,
      ...this.root.words(),
      ...this.selectors.map((selector) => selector.selectorRule()),
    ].join(" ");
  }

  #applyKeyword(keyword: string): boolean {
    switch (keyword) {
      case "on":
      case "off":
        this.isEnabled = keyword === "on";
        return true;
      case "nopass":
      case "resetpass":
        this.hasNoPassword = keyword === "nopass";
        this.passwords = [];
        return true;
      case "sanitize-payload":
      case "skip-sanitize-payload":
        this.payload = keyword === "sanitize-payload" ? "sanitize" : "skip";
        return true;
      case "clearselectors":
        this.selectors = [];
        return true;
      case "reset":
        this.#reset();
        return true;
      default:
        return false;
    }
  }

  #reset(): void {
    this.isEnabled = false;
    this.hasNoPassword = false;
    this.payload = "sanitize";
    this.passwords = [];
    this.expiresAtSeconds = 0;
    this.clientsMax = 0;
    this.operationsPerSecondMax = 0;
    this.root = this.#newSelector();
    this.selectors = [];
  }

  #newSelector(): SelectorDefinition {
    const { index, limits, isVerbatim } = this.#options;
    return new SelectorDefinition(index, limits, new CommandRules(index, isVerbatim));
  }

  #addSelector(text: string): void {
    const words = splitSelectorWords(text);
    // Redis takes unbalanced quotes for a selector without rules; that is never what was meant.
    if (words === undefined) throw refuse(SYNTAX_ERROR);
    const selector = this.#newSelector();
    for (const word of words) selector.apply(word);
    this.selectors = [...this.selectors, selector];
  }

  #applyPassword(rule: string): void {
    const isAdded = rule[0] === ">" || rule[0] === "#";
    const stored = this.#storedForm(rule);
    if (isAdded) {
      this.hasNoPassword = false;
      if (stored !== null && !this.passwords.includes(stored)) {
        this.passwords = [...this.passwords, stored];
      }
    } else if (stored !== null) {
      if (!this.passwords.includes(stored)) throw refuse(NO_SUCH_PASSWORD);
      this.passwords = this.passwords.filter((password) => password !== stored);
    }
  }

  /** What is kept of a password rule; null when nothing is, because it is yet to be hashed. */
  #storedForm(rule: string): string | null {
    const forms = this.#options.passwordForms;
    if (STORED_RULE.test(rule)) {
      try {
        return formatStoredPassword(parseStoredPassword(rule.slice(1)));
      } catch (error) {
        if (error instanceof AclError) throw refuse(MALFORMED_HASH);
        throw error;
      }
    }
    const isPlain = rule[0] === ">" || rule[0] === "<";
    if (!isPlain && !SHA256_RULE.test(rule)) throw refuse(MALFORMED_HASH);
    if (forms === "stored" || (forms === "file" && (isPlain || rule[0] === "!"))) {
      throw refuse(NOT_HASHED);
    }
    return forms === "file" ? rule.slice(1) : null;
  }

  #applyNumber(rule: string): boolean {
    const parts = NUMBER_RULE.exec(rule);
    if (parts === null) return false;
    const [, keyword, digits] = parts;
    const value = /^[0-9]{1,10}$/.test(digits) ? Number(digits) : Number.NaN;
    if (Number.isNaN(value)) throw refuse(NOT_A_NUMBER);
    if (keyword === "max-clients") this.clientsMax = value;
    else if (keyword === "ops-per-sec") this.operationsPerSecondMax = value;
    else if (this.name === DEFAULT_USER_NAME && value > 0) throw refuse(DEFAULT_USER_EXPIRES);
    else this.expiresAtSeconds = value;
    return true;
  }

  #checkLimits(): void {
    const { rulesPerUserMax, selectorsPerUserMax, passwordsPerUserMax } = this.#options.limits;
    const rules = this.selectors.reduce(
      (count, selector) => count + selector.ruleCount,
      this.root.ruleCount,
    );
    if (rules > rulesPerUserMax) throw refuse(tooManyRules(rulesPerUserMax));
    if (this.selectors.length > selectorsPerUserMax) {
      throw refuse(`A user has at most ${selectorsPerUserMax} selectors`);
    }
    if (this.passwords.length > passwordsPerUserMax) {
      throw refuse(`A user has at most ${passwordsPerUserMax} passwords`);
    }
  }
}
