/**
 * As whom a connection acts, followed through every change of the users:
 *
 *   nobody --AUTH, certificate--> a user, by id --user gone, disabled or expired--> revoked (the connection is closed)
 *     '--> the default user, implicitly, as long as it needs no password and the connection may (protected mode)
 *
 * AUTH makes it somebody else; RESET makes it what it was when it was made: whom its certificate names, or nobody.
 *
 * Who never logged in is treated as a new connection would be: it loses the default user when that gets a password.
 */
import type { User, UserTable } from "@ferrite/acl";

/** Whether this connection may act as the default user without a password, the default user being as it is in `users`. */
export type ImplicitDefault = (users: UserTable) => boolean;

const DEFAULT_USER = "default";

export class ClientAccess {
  readonly #isImplicitDefault: ImplicitDefault;
  /** Of the user that the connection's certificate names; null without one. */
  #certificateId: number | null = null;
  /** Of the user that logged in; null when nobody did. */
  #loginId: number | null = null;
  #user: User | null = null;
  #table: UserTable | null = null;
  #revision = -1;

  constructor(isImplicitDefault: ImplicitDefault) {
    this.#isImplicitDefault = isImplicitDefault;
  }

  /** The user as of the present revision, or null: nobody. A number compare, unless a rule was changed. */
  userIn(users: UserTable): User | null {
    if (users.revision !== this.#revision || users !== this.#table) this.refresh(users);
    return this.#user;
  }

  /** The user as of the last look. */
  get user(): User | null {
    return this.#user;
  }

  /** It logged in, and that user is not there any more or may not be used: the connection has to end. */
  get isRevoked(): boolean {
    return this.#loginId !== null && this.#user === null;
  }

  /** Somebody proved to be `user`. */
  logIn(user: User, users: UserTable): void {
    this.#loginId = user.id;
    this.refresh(users);
  }

  /** The connection's certificate names `user`. */
  logInByCertificate(user: User, users: UserTable): void {
    this.#certificateId = user.id;
    this.logIn(user, users);
  }

  /** As new (RESET): whom the certificate names, or nobody. */
  logOut(users: UserTable): void {
    this.#loginId = this.#certificateId;
    this.refresh(users);
  }

  /** Looks the user up anew: also needed when what makes a client implicit has changed (protected-mode). */
  refresh(users: UserTable): void {
    this.#table = users;
    this.#revision = users.revision;
    if (this.#loginId === null) {
      const user = users.get(DEFAULT_USER);
      this.#user = user !== undefined && this.#isImplicitDefault(users) ? user : null;
    } else {
      const user = users.byId(this.#loginId);
      this.#user = user !== undefined && user.isEnabled ? user : null;
    }
  }
}
