/** Puts access control together from its parts: for a node, and for tests of a server without one. */
import type { UserTable } from "@ferrite/acl";
import type { AuditTrail } from "../audit/audit-trail.ts";
import type { NumberedCatalogue } from "../commands/catalogue.ts";
import { clientLine } from "../commands/connection/client-line.ts";
import type { CommandTable } from "../commands/table.ts";
import type { AccessState } from "../replica/access-state.ts";
import type { Authenticator } from "../security/authenticator.ts";
import type { PasswordHasher } from "../security/password-hasher.ts";
import type { ServerLogger } from "../server/logger.ts";
import type { ClientView } from "../server/edge-context.ts";
import { AccessControl } from "./access-control.ts";
import { CertificateLogins, type CertificateUserSettings } from "./certificate-login.ts";
import { AccessService } from "./access-service.ts";
import type { AccessFacts, AclFileView, AclLogView } from "./access-view.ts";
import { Logins } from "./login.ts";
import { passwordWork } from "./password-work.ts";

export interface AccessOptions {
  readonly state: AccessState;
  readonly table: CommandTable;
  readonly catalogue: NumberedCatalogue;
  readonly authenticator: Authenticator;
  readonly hasher: PasswordHasher;
  readonly log: AclLogView;
  readonly file: AclFileView;
  readonly audit: AuditTrail;
  readonly logger: ServerLogger;
  /** This node's connections, for `max-clients=`. */
  readonly clients: () => Iterable<ClientView>;
  /** Who clients with a certificate are. */
  readonly certificateUser: () => CertificateUserSettings;
  readonly loginFacts: () => AccessFacts;
  /** See LoginParts.checking. */
  readonly checking: (client: ClientView, begins: boolean) => void;
  /** This node's view of the cluster's clock, Unix ms: users expire by it. */
  readonly clusterNowMs: () => number;
  readonly nowMs: () => number;
}

export interface Access {
  readonly guard: AccessControl;
  readonly view: AccessService;
  readonly certificates: CertificateLogins;
}

export function createAccess(options: AccessOptions): Access {
  const { state, table, catalogue, log, audit, nowMs } = options;
  const describeClient = (client: ClientView): string => clientLine(client, nowMs());
  const users = (): UserTable => state.users();
  const guard = new AccessControl({
    state,
    catalogue,
    log,
    audit,
    logicalNowMs: options.clusterNowMs,
    nowMs,
    describeClient,
  });
  const clientsOf = (name: string): number => {
    let count = 0;
    for (const client of options.clients()) if (client.user === name) count++;
    return count;
  };
  const certificates = new CertificateLogins({
    settings: options.certificateUser,
    users,
    credentialsRefusal: () => state.credentialsRefusal(),
    counters: guard.counters,
    log,
    audit,
    clusterNowMs: options.clusterNowMs,
    nowMs,
    describeClient,
    clientsOf,
  });
  const logins = new Logins({
    check: options.authenticator,
    log,
    audit,
    users,
    nowMs,
    describeClient,
    checking: options.checking,
    clientsOf,
  });
  const view = new AccessService({
    state,
    table,
    catalogue,
    guard,
    logins,
    log,
    file: options.file,
    passwords: passwordWork(options.hasher, options.clusterNowMs),
    audit,
    logger: options.logger,
    loginFacts: options.loginFacts,
  });
  return { guard, view, certificates };
}
