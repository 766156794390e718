/** What comes of checking a password, and what the client is told of it. */
import type { User } from "@ferrite/acl";

/** For the audit trail and ACL LOG only: clients are never told which it was (S14). */
export type RefusalReason =
  | "no-such-user"
  | "disabled"
  | "expired"
  | "no-password"
  | "wrong-password";

export type AuthenticationResult =
  /** As of now; look it up again for every later use. */
  | { readonly kind: "accepted"; readonly user: User }
  | { readonly kind: "refused"; readonly reason: RefusalReason }
  /** Too many passwords wait to be hashed: nothing is said about this one. */
  | { readonly kind: "busy" }
  /** The check itself went wrong. */
  | { readonly kind: "failed" }
  /** Too many wrong ones from there. */
  | { readonly kind: "throttled"; readonly retryAfterMs: number }
  /** This node honours no credentials now (AccessState.credentialsRefusal). */
  | { readonly kind: "unavailable"; readonly errorText: string };

/** The error for the client, or null when it is let in. Redis' words where Redis has them. */
export function authenticationError(result: AuthenticationResult): string | null {
  switch (result.kind) {
    case "refused":
      return "WRONGPASS invalid username-password pair or user is disabled.";
    case "busy":
      return "ERR too many passwords are being checked, try again later";
    case "failed":
      return "ERR the password could not be checked";
    case "throttled": {
      const seconds = Math.max(Math.ceil(result.retryAfterMs / 1000), 1);
      return `ERR too many failed authentications, try again in ${seconds} s`;
    }
    case "unavailable":
      return result.errorText;
    case "accepted":
    default:
      return null;
  }
}
