/**
 * Users by certificate (S30): a client whose certificate was found good is the user that it names, from its first command
 * on. Who can not be that user is told so and goes; nobody ever becomes the default user instead.
 */
import type { User, UserTable } from "@ferrite/acl";
import type { AuditTrail } from "../audit/audit-trail.ts";
import { authenticationAccepted, authenticationRefused } from "../audit/events.ts";
import { certificateNames } from "../certificates/certificate-names.ts";
import type { TlsConfig } from "../config/node-config.ts";
import type { ClientCertificate } from "../server/client-tls.ts";
import type { ClientView } from "../server/edge-context.ts";
import type { DenialCounters } from "./access-control.ts";
import type { AclLogView } from "./access-view.ts";
import { auditClient } from "./audit-client.ts";
import { namedUser, type NamedUser } from "./certificate-user.ts";
import { clientsMaxRefusal } from "./login.ts";

/** tls-auth-clients-user and its rules, in force now. */
export type CertificateUserSettings = Pick<
  TlsConfig,
  "tlsAuthClientsUser" | "tlsAuthClientsUserMap"
>;

/** A connection that a certificate can log in. */
export interface CertificateClient extends ClientView {
  logInByCertificate(user: User, users: UserTable): void;
}

export interface CertificateLoginParts {
  readonly settings: () => CertificateUserSettings;
  readonly users: () => UserTable;
  /** Why nobody is honoured now, or null (a node that starts, or has lost its leader). */
  readonly credentialsRefusal: () => string | null;
  readonly counters: DenialCounters;
  readonly log: AclLogView;
  readonly audit: AuditTrail;
  /** Users expire by the cluster's clock. */
  readonly clusterNowMs: () => number;
  readonly nowMs: () => number;
  readonly describeClient: (client: ClientView) => string;
  /** How many connections of this node act as that user. */
  readonly clientsOf: (name: string) => number;
}

/** The same for a user that is missing, disabled or expired: users are not to be guessed (S14). */
const NO_SUCH_USER =
  "NOAUTH the user of this client's certificate does not exist or may not be used";
/** ACL LOG's object, as AUTH and HELLO have theirs. */
const LOG_OBJECT = "tls-cert";

export class CertificateLogins {
  readonly #parts: CertificateLoginParts;

  constructor(parts: CertificateLoginParts) {
    this.#parts = parts;
  }

  /** Whether certificates decide who their clients are. */
  get isOn(): boolean {
    return this.#parts.settings().tlsAuthClientsUser !== "off";
  }

  /** Makes `client` the user that `certificate` names, or says why not: an error text, and the client has to go. */
  logIn(client: CertificateClient, certificate: ClientCertificate): string | null {
    const { tlsAuthClientsUser: field, tlsAuthClientsUserMap: rules } = this.#parts.settings();
    if (field === "off") return null;
    const named = nameIn(certificate, field, rules);
    if (!named.ok) {
      return this.#refuse(
        client,
        "",
        named.reason,
        `NOAUTH this certificate names no user: ${named.reason}`,
      );
    }
    const { user: name } = named;
    const starting = this.#parts.credentialsRefusal() ?? this.#parts.audit.refusal();
    if (starting !== null) return this.#refuse(client, name, starting, starting);
    const user = this.#parts.users().get(name);
    const problem = this.#problemOf(user);
    if (user === undefined || problem !== null) {
      return this.#refuse(client, name, problem ?? "no such user", NO_SUCH_USER);
    }
    const full = clientsMaxRefusal(user, client, this.#parts.clientsOf);
    if (full !== null) return this.#refuse(client, name, "too many connections of this user", full);
    client.logInByCertificate(user, this.#parts.users());
    this.#parts.audit.record(authenticationAccepted(auditClient(client), name, "certificate"));
    return null;
  }

  #problemOf(user: User | undefined): string | null {
    if (user === undefined) return "no such user";
    if (!user.isEnabled) return "the user is disabled";
    const isExpired = user.expiresAtMs > 0 && user.expiresAtMs <= this.#parts.clusterNowMs();
    return isExpired ? "the user has expired" : null;
  }

  #refuse(client: CertificateClient, user: string, reason: string, errorText: string): string {
    const { counters, log, audit, describeClient, nowMs } = this.#parts;
    counters.deniedCertificates++;
    log.add(
      {
        reason: "tls-cert",
        object: LOG_OBJECT,
        username: user,
        clientInfo: describeClient(client),
      },
      nowMs(),
    );
    audit.record(
      authenticationRefused(auditClient(client), { user, method: "certificate", reason }),
    );
    return errorText;
  }
}

function nameIn(
  certificate: ClientCertificate,
  field: Exclude<CertificateUserSettings["tlsAuthClientsUser"], "off">,
  rules: CertificateUserSettings["tlsAuthClientsUserMap"],
): NamedUser {
  const names = certificateNames(certificate.chain[0]);
  if ("malformed" in names)
    return { ok: false, reason: `its names are ambiguous: ${names.reason}` };
  return namedUser(names, field, rules);
}
