/**
 * AUTH and HELLO from the client's side: checks who it says it is (security/), gives it its rights, and tells ACL LOG and
 * the trail. A failed attempt leaves the client as it was (F10).
 */
import type { User, UserTable } from "@ferrite/acl";
import type { AuditTrail } from "../audit/audit-trail.ts";
import { authenticationAccepted, authenticationRefused } from "../audit/events.ts";
import { authenticationError } from "../security/authentication-result.ts";
import type { AuthenticationResult } from "../security/authentication-result.ts";
import type { LoginAttempt } from "../security/authenticator.ts";
import type { ClientView } from "../server/edge-context.ts";
import type { AclLogView, Login } from "./access-view.ts";
import { auditClient } from "./audit-client.ts";

/** What checks passwords: see Authenticator. */
export interface LoginCheck {
  authenticate(attempt: LoginAttempt): AuthenticationResult | Promise<AuthenticationResult>;
}

export interface LoginParts {
  readonly check: LoginCheck;
  readonly log: AclLogView;
  readonly audit: AuditTrail;
  users(): UserTable;
  nowMs(): number;
  describeClient(client: ClientView): string;
  /** How many connections of this node act as that user. */
  readonly clientsOf: (name: string) => number;
  /** Told when a check begins that takes time, and when it ends: the client waits for us, not we for it. */
  checking(client: ClientView, begins: boolean): void;
}

export class Logins {
  readonly #parts: LoginParts;

  constructor(parts: LoginParts) {
    this.#parts = parts;
  }

  /** Logs `client` in, or says why not. Wipes the password. */
  logIn(login: Login, client: ClientView): string | null | Promise<string | null> {
    const refusal = this.#parts.audit.refusal();
    if (refusal !== null) return refusal;
    const result = this.#parts.check.authenticate({
      name: login.user,
      password: login.password,
      origin: client.origin,
      address: client.origin === "unix" ? null : hostOf(client.address),
    });
    login.password.fill(0);
    if (!(result instanceof Promise)) return this.#finish(result, login, client);
    this.#parts.checking(client, true);
    return result.then((known) => {
      this.#parts.checking(client, false);
      return this.#finish(known, login, client);
    });
  }

  #finish(result: AuthenticationResult, login: Login, client: ClientView): string | null {
    const errorText = authenticationError(result);
    if (result.kind === "accepted") return this.#enter(result.user, client);
    if (result.kind === "refused") {
      this.#parts.log.add(
        {
          reason: "auth",
          object: login.command,
          username: login.user,
          clientInfo: this.#parts.describeClient(client),
        },
        this.#parts.nowMs(),
      );
    }
    this.#record(client, login.user, result.kind === "refused" ? result.reason : result.kind);
    return errorText;
  }

  #enter(user: User, client: ClientView): string | null {
    const full = clientsMaxRefusal(user, client, this.#parts.clientsOf);
    if (full !== null) {
      this.#record(client, user.name, "too many connections of this user");
      return full;
    }
    client.logIn(user, this.#parts.users());
    this.#record(client, user.name, null);
    return null;
  }

  #record(client: ClientView, user: string, reason: string | null): void {
    const who = auditClient(client);
    this.#parts.audit.record(
      reason === null
        ? authenticationAccepted(who, user, "password")
        : authenticationRefused(who, { user, method: "password", reason }),
    );
  }
}

/** The error of a client that would be one connection of `user` too many (`max-clients=`), or null. */
export function clientsMaxRefusal(
  user: User,
  client: ClientView,
  clientsOf: (name: string) => number,
): string | null {
  const { clientsMax } = user;
  if (clientsMax === 0 || client.user === user.name || clientsOf(user.name) < clientsMax)
    return null;
  return `ERR this user may have ${clientsMax} connections to a node (max-clients)`;
}

/** Without the port: `127.0.0.1:6379`, `[::1]:6379`. */
export function hostOf(address: string): string {
  const host = address.slice(0, address.lastIndexOf(":"));
  return host.startsWith("[") ? host.slice(1, -1) : host;
}
