/**
 * The edge's half of access control: may this connection run this request, now, as whom? The other half is in apply,
 * where a write is judged again when rules have changed since (replica/). Every denial is in ACL LOG, in the counters and
 * in the audit trail; nothing here waits.
 *
 *   request --> nobody? --> credentials honoured? --> expired? --> commands, keys, channels --> rate --> run
 */
import { Verdict } from "@ferrite/acl";
import type { AccessRequest, User, UserTable } from "@ferrite/acl";
import type { AuditTrail } from "../audit/audit-trail.ts";
import { commandDenied } from "../audit/events.ts";
import type { NumberedCatalogue } from "../commands/catalogue.ts";
import type { CommandSpec } from "../commands/command.ts";
import type { AccessState } from "../replica/access-state.ts";
import type { Argv } from "../resp/argv.ts";
import type { ClientView } from "../server/edge-context.ts";
import type { AclLogView } from "./access-view.ts";
import { auditClient } from "./audit-client.ts";
import type { ClientAccess } from "./client-access.ts";
import { denialReason, denialText } from "./denial.ts";
import { OperationRate } from "./operation-rate.ts";
import { AccessRequestFiller, newAccessRequest } from "./request-filler.ts";
import { isServedWithoutCredentials } from "./without-credentials.ts";

/** Redis' words for a client that has to authenticate first. */
export const NOAUTH = "NOAUTH Authentication required.";

/** A connection, as access control sees it. */
export interface AccessSubject extends ClientView {
  readonly access: ClientAccess;
}

export interface DenialCounters {
  deniedCommands: number;
  deniedKeys: number;
  deniedChannels: number;
  /** Certificates that named no user that may be used. */
  deniedCertificates: number;
}

export interface AccessControlParts {
  readonly state: AccessState;
  readonly catalogue: NumberedCatalogue;
  readonly log: AclLogView;
  readonly audit: AuditTrail;
  /** This node's view of the leader's clock: users expire by it. */
  logicalNowMs(): number;
  nowMs(): number;
  /** CLIENT INFO's line of a client, for ACL LOG. */
  describeClient(client: ClientView): string;
}

export class AccessControl {
  readonly counters: DenialCounters = {
    deniedCommands: 0,
    deniedKeys: 0,
    deniedChannels: 0,
    deniedCertificates: 0,
  };
  readonly #parts: AccessControlParts;
  readonly #filler: AccessRequestFiller;
  readonly #request: AccessRequest = newAccessRequest();
  readonly #rate = new OperationRate();

  constructor(parts: AccessControlParts) {
    this.#parts = parts;
    this.#filler = new AccessRequestFiller(parts.catalogue);
  }

  users(): UserTable {
    return this.#parts.state.users();
  }

  /** The error of a client that may not run this request now, or null. */
  refusal(command: CommandSpec, argv: Argv, client: AccessSubject): string | null {
    const user = client.access.userIn(this.#parts.state.users());
    if (user === null) return this.#withoutLogin(command, client);
    const refusal = this.#parts.state.credentialsRefusal();
    if (refusal !== null && !isServedWithoutCredentials(command)) return refusal;
    if (user.expiresAtMs > 0 && user.expiresAtMs <= this.#parts.logicalNowMs()) {
      return this.#withoutLogin(command, client);
    }
    if (user.isUnrestricted) return null;
    const verdict = this.verdictOn(user, command, argv);
    if (verdict === Verdict.Allowed) return null;
    return this.#denied(verdict, command, client, user);
  }

  /** The error of a client that may not run this command with any arguments, or null: most of them are not here yet. */
  nameRefusal(command: CommandSpec, client: AccessSubject): string | null {
    const user = client.access.userIn(this.#parts.state.users());
    if (user === null) return this.#withoutLogin(command, client);
    if (user.isUnrestricted || user.mayRun(this.#parts.catalogue.idOf(command))) return null;
    return this.#denied(Verdict.Command, command, client, user);
  }

  /** A write that was allowed when it came was refused when its turn in the log came: it is told like any denial. */
  deniedLate(command: CommandSpec, errorText: string, client: AccessSubject): void {
    this.counters.deniedCommands++;
    const username = client.user ?? "";
    const clientInfo = this.#parts.describeClient(client);
    const denial = { reason: "command", object: command.name, username, clientInfo } as const;
    this.#parts.log.add(denial, this.#parts.nowMs());
    this.#parts.audit.record(
      commandDenied(auditClient(client), {
        kind: "command",
        command: command.name,
        reason: errorText,
      }),
    );
  }

  /** The error of a user that has run as many commands in this second as it may, or null. Counts the command. */
  rateRefusal(client: AccessSubject): string | null {
    const user = client.access.user;
    if (user === null || user.operationsPerSecondMax === 0) return null;
    if (this.#rate.take(user, this.#parts.nowMs())) return null;
    return `ERR this user may run ${user.operationsPerSecondMax} commands per second (ops-per-sec); this one was not run`;
  }

  /** What the rules say, without consequences: real requests, ACL DRYRUN and EXPLAIN come through here. */
  verdictOn(user: User, command: CommandSpec, argv: Argv): Verdict {
    this.#filler.fill(command, argv, this.#request);
    return user.check(this.#request);
  }

  /** The request of the last `verdictOn`, valid until the next one. */
  get judged(): AccessRequest {
    return this.#request;
  }

  /** The key or channel that the last `verdictOn` denied, as a byte string; null when it was the command. */
  deniedName(verdict: Verdict, user: User): string | null {
    const request = this.#request;
    if (verdict !== Verdict.Key && verdict !== Verdict.Channel) return null;
    const keys = verdict === Verdict.Key;
    const starts = keys ? request.keyStarts : request.channelStarts;
    const ends = keys ? request.keyEnds : request.channelEnds;
    const at = user.deniedIndex;
    return Buffer.from(request.buffer.subarray(starts[at], ends[at])).toString("latin1");
  }

  #withoutLogin(command: CommandSpec, client: AccessSubject): string | null {
    if (command.flags.includes("no_auth")) return null;
    const denial = { kind: "auth", command: command.name, reason: NOAUTH } as const;
    this.#parts.audit.record(commandDenied(auditClient(client), denial));
    return NOAUTH;
  }

  #denied(verdict: Verdict, command: CommandSpec, client: AccessSubject, user: User): string {
    const name = this.deniedName(verdict, user);
    if (verdict === Verdict.Key) this.counters.deniedKeys++;
    else if (verdict === Verdict.Channel) this.counters.deniedChannels++;
    else this.counters.deniedCommands++;
    const reason = denialReason(verdict);
    const text = denialText(verdict, command.name);
    this.#parts.log.add(
      {
        reason,
        object: name ?? command.name,
        username: user.name,
        clientInfo: this.#parts.describeClient(client),
      },
      this.#parts.nowMs(),
    );
    const hasKey = name !== null && verdict === Verdict.Key;
    this.#parts.audit.record(
      commandDenied(auditClient(client), {
        kind: reason,
        command: command.name,
        reason: text,
        ...(hasKey ? { keys: [name] } : {}),
      }),
    );
    return text;
  }
}
