/** Access control over users of its own: a change is applied at once, passwords are hashed cheaply and in place. */
import { createUserTable } from "@ferrite/acl";
import type { ApplyOutcome, UsersChange, UserTable } from "@ferrite/acl";
import { createAccess } from "../../../src/access/create-access.ts";
import type { Access } from "../../../src/access/create-access.ts";
import type { CertificateUserSettings } from "../../../src/access/certificate-login.ts";
import { AclLog } from "../../../src/access/acl-log.ts";
import type { AuditEvent, AuditTrail } from "../../../src/audit/audit-trail.ts";
import { commandCatalogue } from "../../../src/commands/catalogue.ts";
import type { CommandTable } from "../../../src/commands/table.ts";
import type {
  AccessState,
  UsersOutcome,
  UsersProposal,
} from "../../../src/replica/access-state.ts";
import { Authenticator } from "../../../src/security/authenticator.ts";
import { AuthThrottle } from "../../../src/security/auth-throttle.ts";
import { runHashingJob } from "../../../src/security/hashing/hashing-job.ts";
import type { Hashing } from "../../../src/security/hashing/hashing-service.ts";
import { PasswordHasher } from "../../../src/security/password-hasher.ts";
import type { ClientView } from "../../../src/server/edge-context.ts";
import { collectingLogger } from "./test-logger.ts";

export const TEST_ITERATIONS = 1000;

/** Users as if they were agreed by a cluster of one. */
export class LocalAccessState implements AccessState {
  readonly #users: UserTable;
  readonly #listeners = new Set<(change: UsersChange | null, index: number) => void>();
  refusal: string | null = null;
  index = 10;

  constructor(users: UserTable) {
    this.#users = users;
  }

  users(): UserTable {
    return this.#users;
  }

  credentialsRefusal(): string | null {
    return this.refusal;
  }

  propose(
    proposal: UsersProposal,
    _actorId: number | null,
    done: (outcome: UsersOutcome) => void,
  ): void {
    setImmediate(() => {
      const outcome = this.apply(proposal);
      const { index } = this;
      done(outcome.ok ? { ok: true, index, count: outcome.count } : outcome);
    });
  }

  apply(proposal: UsersProposal): ApplyOutcome {
    const outcome = this.#apply(proposal);
    this.index++;
    if (outcome.ok && outcome.change !== null) {
      for (const listener of this.#listeners) listener(outcome.change, this.index);
    }
    return outcome;
  }

  #apply(proposal: UsersProposal): ApplyOutcome {
    switch (proposal.kind) {
      case "set":
        return this.#users.setUser(proposal.name, proposal.rules, 0);
      case "delete":
        return this.#users.deleteUsers(proposal.names);
      case "replace":
        return this.#users.replaceAll(proposal.lines, 0);
      case "policy":
        return this.#users.setCommandPolicy(proposal);
      case "seed":
      default:
        return this.#users.seed(proposal.lines, 0);
    }
  }

  onUsersChanged(listener: (change: UsersChange | null, index: number) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}

const inPlace: Hashing = {
  run: (job) =>
    new Promise((resolve) => {
      setImmediate(() => resolve(runHashingJob(job)));
    }),
};

export interface TestAccess extends Access {
  readonly state: LocalAccessState;
  /** What the trail was told. */
  readonly events: AuditEvent[];
  readonly audit: AuditTrail & { refusalText: string | null };
}

export function testAccess(
  table: CommandTable,
  options: {
    readonly clients: () => Iterable<ClientView>;
    readonly checking: (client: ClientView, begins: boolean) => void;
    readonly nowMs: () => number;
    readonly isProtected: () => boolean;
    readonly certificateUser?: () => CertificateUserSettings;
  },
): TestAccess {
  const catalogue = commandCatalogue(table);
  const state = new LocalAccessState(createUserTable(catalogue));
  const events: AuditEvent[] = [];
  const audit = {
    refusalText: null as string | null,
    record: (event: AuditEvent): void => void events.push(event),
    refusal(): string | null {
      return this.refusalText;
    },
  };
  const authenticator = new Authenticator({
    users: () => state.users(),
    credentialsRefusal: () => state.credentialsRefusal(),
    isProtected: options.isProtected,
    policyIterations: () => TEST_ITERATIONS,
    clusterNowMs: options.nowMs,
    hashing: inPlace,
    throttle: new AuthThrottle({ isEnabled: false, maxDelayMs: 1 }),
    monotonicNowMs: () => performance.now(),
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    onRehash: () => undefined,
    logger: collectingLogger([]),
  });
  const access = createAccess({
    state,
    table,
    catalogue,
    authenticator,
    hasher: new PasswordHasher(inPlace, () => TEST_ITERATIONS),
    log: new AclLog(() => 128),
    file: {
      save: () => Promise.resolve("ERR no file in this test"),
      read: () => Promise.resolve({ ok: false, errorText: "ERR no file in this test" }),
    },
    audit,
    logger: collectingLogger([]),
    clients: options.clients,
    certificateUser:
      options.certificateUser ?? (() => ({ tlsAuthClientsUser: "off", tlsAuthClientsUserMap: [] })),
    loginFacts: () => [],
    checking: options.checking,
    clusterNowMs: options.nowMs,
    nowMs: options.nowMs,
  });
  return { ...access, state, events, audit };
}
