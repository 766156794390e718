/**
 * Who is let in at the door, and for how long without a name: maxclients, protected mode (S24), and the limits for
 * connections that have not logged in (S23). Every refusal says why, is counted, and is in the audit trail.
 */
import type { UserTable } from "@ferrite/acl";
import { auditClient, auditEnds } from "../access/audit-client.ts";
import type { AuditTrail } from "../audit/audit-trail.ts";
import { connectionRefused, type ConnectionRefusal } from "../audit/events.ts";
import type { NodeConfig } from "../config/node-config.ts";
import type { ClientOrigin } from "../security/client-origin.ts";
import { PreAuthRegistry } from "../security/pre-auth-registry.ts";
import { admission, PROTECTED_MODE_REFUSAL, type Admission } from "../security/protected-mode.ts";
import { placeOf, type ClientEnds } from "./client-ends.ts";
import type { ClientTls } from "./client-tls.ts";
import type { ClientView, ServerCounters } from "./edge-context.ts";

/** What is known of a client at the door. */
export interface Newcomer {
  readonly ends: ClientEnds;
  /** Null: it came without TLS. */
  readonly tls: ClientTls | null;
  /** Its certificate says who it is: it never is a stranger, wherever it comes from. */
  readonly hasNamedItself: boolean;
}

export interface DoorkeeperParts {
  /** In force now. */
  readonly config: () => NodeConfig;
  readonly users: () => UserTable;
  readonly counters: ServerCounters;
  readonly audit: AuditTrail;
  readonly nowMs: () => number;
}

interface Refusal {
  readonly kind: ConnectionRefusal;
  /** For the client. */
  readonly text: string;
  /** For the trail. */
  readonly reason: string;
}

const MAX_CLIENTS: Refusal = {
  kind: "max-clients",
  text: "ERR max number of clients reached",
  reason: "maxclients are connected",
};
const PROTECTED_MODE: Refusal = {
  kind: "protected-mode",
  text: PROTECTED_MODE_REFUSAL,
  reason: "no user has a password",
};
const TOO_MANY_STRANGERS: Refusal = {
  kind: "unauthenticated-limit",
  text: "ERR max number of clients that have not logged in reached",
  reason: "unauthenticated-clients-max or unauthenticated-clients-per-address-max is reached",
};

export class Doorkeeper {
  readonly #parts: DoorkeeperParts;
  readonly #strangers: PreAuthRegistry;

  constructor(parts: DoorkeeperParts) {
    this.#parts = parts;
    this.#strangers = new PreAuthRegistry(() => {
      const config = parts.config();
      return {
        clientsMax: config.unauthenticatedClientsMax,
        clientsPerAddressMax: config.unauthenticatedClientsPerAddressMax,
        timeoutMs: config.authTimeoutMs,
      };
    });
  }

  /** Connections that have to log in and have not. */
  get strangers(): number {
    return this.#strangers.count;
  }

  /** What a new client is told before it is closed, or null: it may come in. `connected`: how many are in. */
  refuse(newcomer: Newcomer, connected: number): Buffer | null {
    const refusal = this.#refusalOf(newcomer, connected);
    if (refusal === null) return null;
    this.#refused(refusal, newcomer);
    return Buffer.from(`-${refusal.text}\r\n`, "latin1");
  }

  /** Whether a client is turned away before its handshake, which can tell it nothing. `connected`: those that make theirs, too. */
  isFull(ends: ClientEnds, connected: number): boolean {
    if (connected < this.#parts.config().maxClients) return false;
    this.#refused(MAX_CLIENTS, { ends, tls: { certificate: null } });
    return true;
  }

  /** How a connection from there begins, the users being as they are now. */
  admission(origin: ClientOrigin): Admission {
    const { config, users } = this.#parts;
    return admission(origin, users(), config().protectedMode);
  }

  /** A client came in, logged in or out, or the users have changed. */
  review(client: ClientView): void {
    if (client.user === null) this.#strangers.add(client.id, placeOf(client), this.#parts.nowMs());
    else this.#strangers.remove(client.id);
  }

  left(clientId: number): void {
    this.#strangers.remove(clientId);
  }

  /** While a password is checked the client's time stands still. */
  checking(clientId: number, begins: boolean): void {
    const nowMs = this.#parts.nowMs();
    if (begins) this.#strangers.beginCheck(clientId, nowMs);
    else this.#strangers.endCheck(clientId, nowMs);
  }

  /** Closes `clients` that took too long to log in (auth-timeout-ms). */
  closeOverdue(find: (clientId: number) => ClientView | undefined): void {
    for (const id of this.#strangers.overdue(this.#parts.nowMs())) {
      const client = find(id);
      if (client === undefined) continue;
      const reason = `it did not log in within ${this.#parts.config().authTimeoutMs} ms (auth-timeout-ms)`;
      const refusal = { kind: "unauthenticated-deadline", reason } as const;
      this.#parts.audit.record(connectionRefused(auditClient(client), refusal));
      client.close(false);
    }
  }

  #refused(refusal: Refusal, { ends, tls }: Pick<Newcomer, "ends" | "tls">): void {
    this.#parts.counters.rejectedConnections++;
    this.#parts.audit.record(connectionRefused(auditEnds(ends, tls), refusal));
  }

  #refusalOf({ ends, hasNamedItself }: Newcomer, connected: number): Refusal | null {
    if (connected >= this.#parts.config().maxClients) return MAX_CLIENTS;
    if (hasNamedItself) return null;
    const begins = this.admission(ends.origin);
    if (begins === "refuse") return PROTECTED_MODE;
    const mustLogIn = begins === "unauthenticated";
    return mustLogIn && this.#strangers.refusal(placeOf(ends)) !== null ? TOO_MANY_STRANGERS : null;
  }
}
