/** Why a rule is refused. The first block are Redis 7.0's words, which clients may know. */
import { AclError } from "./errors.ts";

export const SYNTAX_ERROR: string = "Syntax error";
export const UNKNOWN_COMMAND: string = "Unknown command or category name in ACL";
export const FIRST_ARGUMENT_OF_SUBCOMMAND: string =
  "Allowing first-arg of a subcommand is not supported";
export const PATTERN_AFTER_ALL_KEYS: string =
  "Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid and does not have any effect. " +
  "Try 'resetkeys' to start with an empty list of patterns";
export const PATTERN_AFTER_ALL_CHANNELS: string =
  "Adding a pattern after the * pattern (or the 'allchannels' flag) is not valid and does not have any effect. " +
  "Try 'resetchannels' to start with an empty list of channels";
export const NO_SUCH_PASSWORD: string =
  "The password you are trying to remove from the user does not exist";
export const MALFORMED_HASH: string =
  "The password hash must be exactly 64 characters and contain only lowercase hexadecimal characters";

export const NOT_HASHED: string = "Passwords have to be hashed before they come here";
export const DEFAULT_USER_EXPIRES: string = "The 'default' user cannot expire";
export const EXPIRED_ALREADY: string = "The time of expiry has already passed";
export const NOT_A_NUMBER: string = "A whole number is required, 0 for none";
export const PLAINTEXT_IN_FILE: string =
  "plaintext passwords (> and <) are not allowed in ACL files, use #<hash>";

export function tooManyRules(rulesPerUserMax: number): string {
  return `A user has at most ${rulesPerUserMax} rules`;
}

/** The reason as an error. */
export function refuse(reason: string): AclError {
  return new AclError("INVALID_RULE", reason);
}
