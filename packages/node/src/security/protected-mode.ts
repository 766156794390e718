/**
 * Protected mode (S24, F66 to F73): a node that nobody has set a password on does not talk to the network. Other than
 * elsewhere, making some user with a password does not hand the passwordless default user to everybody: it stays a
 * matter of this machine, and everyone else has to say who they are.
 */
import type { User, UserTable } from "@ferrite/acl";
import { isLocalOrigin } from "./client-origin.ts";
import type { ClientOrigin } from "./client-origin.ts";

/** refuse: say why and close. unauthenticated: AUTH is needed. implicitDefault: is the default user from the start. */
export type Admission = "refuse" | "unauthenticated" | "implicitDefault";

export const DEFAULT_USER_NAME = "default";

/** What a refused client is told before it is closed, as an error for `Reply.error`. */
export const PROTECTED_MODE_REFUSAL: string = [
  "DENIED Ferrite is running in protected mode: no user has a password, so only clients on this machine are served",
  "(loopback or Unix socket). To open it to the network, connect from the machine itself and either",
  "1) give the default user a password: ACL SETUSER default >password (or CONFIG SET requirepass password), or",
  "2) make a user with a password: ACL SETUSER name on >password +@all ~* &*, or",
  "3) turn protection off, which lets everybody in who can reach the port: CONFIG SET protected-mode no.",
].join(" ");

/** How a new connection begins. Costs nothing but in a cluster without any password. */
export function admission(origin: ClientOrigin, users: UserTable, isProtected: boolean): Admission {
  const defaultUser = users.get(DEFAULT_USER_NAME);
  if (defaultUser === undefined || !isOpen(defaultUser)) return "unauthenticated";
  if (isLocalOrigin(origin) || !isProtected) return "implicitDefault";
  return users.all().some(canLogIn) ? "unauthenticated" : "refuse";
}

/**
 * Whether this user may be entered without knowing a password from there: by connecting, or by AUTH with any password.
 * The default user is not while the node is protected and the client is elsewhere, or `AUTH default x` would be the way
 * around protection. Other users that have `nopass` have it because somebody wanted them open.
 */
export function isOpenTo(user: User, origin: ClientOrigin, isProtected: boolean): boolean {
  if (!isOpen(user)) return false;
  return user.name !== DEFAULT_USER_NAME || isLocalOrigin(origin) || !isProtected;
}

function isOpen(user: User): boolean {
  return user.isEnabled && user.hasNoPassword;
}

/** Disabled users do not count, nor do those without a password (F70). */
function canLogIn(user: User): boolean {
  return user.isEnabled && !user.hasNoPassword && user.passwords.length > 0;
}
