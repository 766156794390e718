/**
 * Turns what a client sent to ACL SETUSER into rules that may be replicated: every password as a slow hash, every time
 * as a point in time. Left to right as the rules themselves are: `>a <a` adds and takes away, `resetpass >a` starts anew.
 */
import type { User } from "./api.ts";
import { AclError } from "./errors.ts";
import { expandExpiry } from "./expiry-rules.ts";
import { DEFAULT_ACL_LIMITS } from "./limits.ts";
import { fastDigest, formatStoredPassword, parseStoredPassword } from "./password.ts";
import { MALFORMED_HASH, NO_SUCH_PASSWORD, refuse, SYNTAX_ERROR } from "./rule-reasons.ts";
import { modifierError, unmatchedParenthesis } from "./rule-errors.ts";
import { isSelectorRule, mergeSelectorArguments } from "./selector-arguments.ts";
import { splitSelectorWords } from "./tokens.ts";

/** What preparing takes that is slow or not the same everywhere. Rejections pass through `prepareRules`. */
export interface PasswordWork {
  /** The stored form, with a salt of its own, of the password with this SHA-256. The digest may be wiped. */
  hash(sha256Digest: Buffer): Promise<string>;
  /** Whether the stored form is of the password with this SHA-256. The digest may be wiped. */
  verify(sha256Digest: Buffer, stored: string): Promise<boolean>;
  /** Unix ms: what `expire-in` counts from. */
  nowMs(): number;
}

export type PreparedRules =
  | { readonly ok: true; readonly rules: readonly string[] }
  /** With the code word, as `UserTable.setUser` words it. */
  | { readonly ok: false; readonly errorText: string };

/** Bytes of a password, as of any argument before authentication. */
export const PASSWORD_BYTES_MAX: number = 64 * 1024;
/** Password rules of one change: each costs a slow hash or several. */
export const PASSWORD_RULES_MAX = 64;

/** What both a user and a selector take, as far as can be told without the commands' names. */
const ACCESS_RULE =
  /^(?:(?:all|no)commands|(?:all|reset)(?:keys|channels)|(?:~|&|%[rw]{1,2}~)[^\0\t-\r ]*|[+-]@?[\w.-]+(?:\|[^\0\t-\r ]*)?)$/i;
const USER_RULE =
  /^(?:on|off|reset|(?:skip-)?sanitize-payload|clearselectors|(?:expire-at|max-clients|ops-per-sec)=[\w.+-]*)$/i;
const PASSWORD_RULE = /^[><#!]/;
const FORGETS_PASSWORDS = /^(?:nopass|resetpass|reset)$/i;

/**
 * @param rules as they arrived, one argument each
 * @param currentUser the user they are for; undefined when there is none yet, or for the lines of a file
 */
export async function prepareRules(
  rules: readonly string[],
  currentUser: User | undefined,
  work: PasswordWork,
): Promise<PreparedRules> {
  const merged = mergeSelectorArguments(rules);
  if (!merged.ok) return { ok: false, errorText: unmatchedParenthesis(merged.unmatched) };
  const expanded = expandExpiry(merged.rules, work.nowMs());
  if (!expanded.ok) return expanded;
  if (expanded.rules.filter((rule) => PASSWORD_RULE.test(rule)).length > PASSWORD_RULES_MAX) {
    return { ok: false, errorText: `ERR At most ${PASSWORD_RULES_MAX} password rules at once` };
  }
  const preparation = new Preparation(currentUser?.passwords ?? [], work);
  const prepared: string[] = [];
  for (const rule of expanded.rules) {
    try {
      prepared.push(await preparation.prepare(rule));
    } catch (error) {
      if (!(error instanceof AclError) || error.code !== "INVALID_RULE") throw error;
      return { ok: false, errorText: modifierError(rule, error.message) };
    }
  }
  return { ok: true, rules: prepared };
}

class Preparation {
  readonly #work: PasswordWork;
  /** Stored forms that the user would have by now. */
  #stored: readonly string[];

  constructor(stored: readonly string[], work: PasswordWork) {
    this.#stored = stored;
    this.#work = work;
  }

  /** @throws AclError INVALID_RULE */
  async prepare(rule: string): Promise<string> {
    if (FORGETS_PASSWORDS.test(rule)) this.#stored = [];
    else if (PASSWORD_RULE.test(rule)) return this.#preparePassword(rule);
    else if (isSelectorRule(rule)) refuseSecretsInside(rule);
    // Nothing else may pass: it could be a password whose sign was forgotten, or have one behind a blank.
    else if (rule !== "" && !USER_RULE.test(rule) && !ACCESS_RULE.test(rule)) {
      throw refuse(SYNTAX_ERROR);
    }
    return rule;
  }

  async #preparePassword(rule: string): Promise<string> {
    const isAdded = rule[0] === ">" || rule[0] === "#";
    const found = rule.slice(1).startsWith("pbkdf2-")
      ? this.#storedForm(rule.slice(1), isAdded)
      : await this.#find(digestOf(rule));
    if (!isAdded) {
      if (found === undefined) throw refuse(NO_SUCH_PASSWORD);
      this.#stored = this.#stored.filter((stored) => stored !== found);
      return `!${found}`;
    }
    if (found === undefined && this.#stored.length >= DEFAULT_ACL_LIMITS.passwordsPerUserMax) {
      throw refuse(`A user has at most ${DEFAULT_ACL_LIMITS.passwordsPerUserMax} passwords`);
    }
    const stored = found ?? (await this.#work.hash(digestOf(rule)));
    if (!this.#stored.includes(stored)) this.#stored = [...this.#stored, stored];
    return `#${stored}`;
  }

  /** The form that the rule names; undefined when it is to be removed and not there. */
  #storedForm(text: string, isAdded: boolean): string | undefined {
    try {
      const stored = formatStoredPassword(parseStoredPassword(text));
      return isAdded || this.#stored.includes(stored) ? stored : undefined;
    } catch (error) {
      if (error instanceof AclError) throw refuse(MALFORMED_HASH);
      throw error;
    }
  }

  async #find(digest: Buffer): Promise<string | undefined> {
    for (const stored of this.#stored) {
      if (await this.#work.verify(Buffer.from(digest), stored)) return stored;
    }
    return undefined;
  }
}

/** Of `>password` and `<password`, or what `#` and `!` with 64 digits hold (S15). */
function digestOf(rule: string): Buffer {
  const text = rule.slice(1);
  if (rule[0] === "#" || rule[0] === "!") {
    if (!/^[0-9a-f]{64}$/.test(text)) throw refuse(MALFORMED_HASH);
    return Buffer.from(text, "hex");
  }
  if (text.length > PASSWORD_BYTES_MAX) {
    throw refuse(`A password has at most ${PASSWORD_BYTES_MAX} bytes`);
  }
  return fastDigest(Buffer.from(text, "latin1"));
}

/** Passwords do not belong into selectors; refused here, so that they do not reach the log on their way to be refused. */
function refuseSecretsInside(rule: string): void {
  const words = splitSelectorWords(rule.slice(1, -1));
  if (words === undefined || !words.every((word) => ACCESS_RULE.test(word))) {
    throw refuse(SYNTAX_ERROR);
  }
}
