/**
 * The ACL file: one `user <name> <rules...>` a line, as Redis 7 writes it, and what people do to files: a byte order
 * mark, CRLF, blank lines, comments (#), more than one space, quotes. Everything is read before anything is believed:
 * all lines are right, or all that are wrong are named.
 */
import type { CommandCatalogue } from "./catalogue.ts";
import { CatalogueIndex } from "./catalogue-index.ts";
import { AclError } from "./errors.ts";
import { DEFAULT_ACL_LIMITS } from "./limits.ts";
import type { AclLimits } from "./limits.ts";
import { printableRule } from "./rule-errors.ts";
import { PLAINTEXT_IN_FILE } from "./rule-reasons.ts";
import { mergeSelectorArguments } from "./selector-arguments.ts";
import { hasSpaceOrNul, splitFileWords } from "./tokens.ts";
import { DEFAULT_USER_NAME, UserDefinition } from "./user-definition.ts";
import { applyRules, RefusedRule } from "./user-line.ts";

/** One user of a file that is right. */
export interface AclFileUser {
  /** From 1. */
  readonly lineNumber: number;
  readonly name: string;
  /** Selectors in one piece. To be prepared (prepareRules) when `needsHashing`, and then joined by `formatUserLine`. */
  readonly rules: readonly string[];
  /** Holds passwords as Redis keeps them (`#` and 64 digits), which are not yet safe to keep. */
  readonly needsHashing: boolean;
}

export interface AclFileError {
  /** From 1; 0 when it is about the file as a whole. */
  readonly lineNumber: number;
  /** One sentence without secrets. */
  readonly message: string;
}

export type ParsedAclFile =
  | { readonly ok: true; readonly users: readonly AclFileUser[] }
  | { readonly ok: false; readonly errors: readonly AclFileError[] };

/** Twice what all users may have, for comments and escapes. */
export const ACL_FILE_BYTES_MAX: number = 2 * DEFAULT_ACL_LIMITS.tableBytesMax;
/** Four times what one user may have: every byte could be an escape. */
export const ACL_LINE_BYTES_MAX: number = 4 * DEFAULT_ACL_LIMITS.userBytesMax;
/** Errors told at once. */
export const ACL_FILE_ERRORS_MAX = 100;

const BYTE_ORDER_MARK = "\xef\xbb\xbf";
const FAST_HASH = /^#[0-9a-f]{64}$/;

/** Reads a file as far as that is possible without hashing. */
export function parseAclFile(
  bytes: Uint8Array,
  catalogue: CommandCatalogue,
  limits: Partial<AclLimits> = {},
): ParsedAclFile {
  if (bytes.length > ACL_FILE_BYTES_MAX) {
    return failure([wholeFile(`the file is larger than ${ACL_FILE_BYTES_MAX} bytes`)]);
  }
  const reader = new FileReader(catalogue, { ...DEFAULT_ACL_LIMITS, ...limits });
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
  const content = text.startsWith(BYTE_ORDER_MARK) ? text.slice(BYTE_ORDER_MARK.length) : text;
  for (const [position, line] of content.split("\n").entries()) reader.read(line, position + 1);
  return reader.finish();
}

class FileReader {
  readonly #index: CatalogueIndex;
  readonly #limits: AclLimits;
  readonly #users = new Map<string, AclFileUser>();
  readonly #errors: AclFileError[] = [];

  constructor(catalogue: CommandCatalogue, limits: AclLimits) {
    this.#index = new CatalogueIndex(catalogue);
    this.#limits = limits;
  }

  read(rawLine: string, lineNumber: number): void {
    const line = trimmed(rawLine);
    if (line === "" || line.startsWith("#") || this.#errors.length >= ACL_FILE_ERRORS_MAX) return;
    try {
      const user = this.#readUser(line, lineNumber);
      const earlier = this.#users.get(user.name);
      if (earlier !== undefined) {
        throw wrong(`this user is defined in line ${earlier.lineNumber} already`);
      }
      this.#users.set(user.name, user);
      if (this.#users.size > this.#limits.usersMax) {
        throw wrong(`there are at most ${this.#limits.usersMax} users`);
      }
    } catch (error) {
      if (!(error instanceof AclError)) throw error;
      const rule = error instanceof RefusedRule ? `'${printableRule(error.rule)}': ` : "";
      this.#errors.push({ lineNumber, message: rule + error.message });
    }
  }

  finish(): ParsedAclFile {
    if (this.#errors.length > 0) return failure(this.#errors);
    // Redis would bring its default user back here, which lets everybody in: say what is meant instead.
    if (!this.#users.has(DEFAULT_USER_NAME)) {
      return failure([
        wholeFile(
          "there is no line for the default user: add 'user default off' to lock it, " +
            "or 'user default on nopass ~* &* +@all' to let everybody in",
        ),
      ]);
    }
    return { ok: true, users: [...this.#users.values()] };
  }

  #readUser(line: string, lineNumber: number): AclFileUser {
    if (line.length > ACL_LINE_BYTES_MAX) {
      throw wrong(`the line is longer than ${ACL_LINE_BYTES_MAX} bytes`);
    }
    const words = splitFileWords(line);
    if (words === undefined) throw wrong("the quotes are not balanced");
    const [keyword, name, ...rules] = words;
    if (keyword !== "user" || name === undefined) {
      throw wrong("the line does not begin with 'user <name>'");
    }
    if (hasSpaceOrNul(name)) throw wrong("a user's name holds no spaces and no null characters");
    if (name.length > this.#limits.nameBytesMax) {
      throw wrong(`a user's name has at most ${this.#limits.nameBytesMax} bytes`);
    }
    const merged = mergeSelectorArguments(rules);
    if (!merged.ok) throw wrong("a selector's parenthesis is not closed");
    const needsHashing = merged.rules.some((rule) => FAST_HASH.test(rule));
    this.#check(name, merged.rules);
    return { lineNumber, name, rules: merged.rules, needsHashing };
  }

  #check(name: string, rules: readonly string[]): void {
    // Told first and without the rule, whatever else is wrong with the line.
    if (rules.some((rule) => /^[<>]/.test(rule))) throw wrong(PLAINTEXT_IN_FILE);
    const definition = new UserDefinition(name, {
      index: this.#index,
      limits: this.#limits,
      passwordForms: "file",
      isVerbatim: false,
    });
    applyRules(definition, rules);
    if (definition.line().length > this.#limits.userBytesMax) {
      throw wrong(`the rules of a user have at most ${this.#limits.userBytesMax} bytes`);
    }
  }
}

/** Without spaces at its ends, in linear time: an expression for those at the end looks at each run of spaces from each of its places. */
function trimmed(line: string): string {
  let start = 0;
  let end = line.length;
  while (end > start && isSpace(line.charCodeAt(end - 1))) end--;
  while (start < end && isSpace(line.charCodeAt(start))) start++;
  return line.slice(start, end);
}

/** As C's isspace, in bytes: what `String.trim` takes for a space may be the end of a UTF-8 character. */
function isSpace(code: number): boolean {
  return code === 0x20 || (code >= 0x09 && code <= 0x0d);
}

function wrong(message: string): AclError {
  return new AclError("INVALID_RULE", message);
}

function wholeFile(message: string): AclFileError {
  return { lineNumber: 0, message };
}

function failure(errors: readonly AclFileError[]): ParsedAclFile {
  return { ok: false, errors };
}
