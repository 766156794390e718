/** Access control of a running node: the parts of access/ and security/, on the replicated users, kept to the settings. */
import type { PasswordWork, UsersChange } from "@ferrite/acl";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createAccess, type Access } from "../access/create-access.ts";
import { AclLog } from "../access/acl-log.ts";
import { AclFile } from "../access/acl-file.ts";
import { fileSealing, type SealingKeys } from "../access/file-sealing.ts";
import { passwordWork } from "../access/password-work.ts";
import { usersChanged } from "../audit/events.ts";
import type { AuditTrail } from "../audit/audit-trail.ts";
import type { AccessFacts } from "../access/access-view.ts";
import type { AuthMetricsSource } from "../metrics/auth-metrics.ts";
import { bootUsers } from "../access/boot-users.ts";
import { commandCatalogue, type NumberedCatalogue } from "../commands/catalogue.ts";
import type { CommandTable } from "../commands/table.ts";
import type { NodeConfig } from "../config/node-config.ts";
import { BootGate } from "./boot-gate.ts";
import type { ReplicaView } from "../replica/replica-view.ts";
import { Authenticator, type RehashProposal } from "../security/authenticator.ts";
import { AuthThrottle } from "../security/auth-throttle.ts";
import { HashingService } from "../security/hashing/hashing-service.ts";
import { PasswordHasher } from "../security/password-hasher.ts";
import type { ClientView } from "../server/edge-context.ts";
import type { ServerLogger } from "../server/logger.ts";
import { FERRITE_VERSION } from "../server/version.ts";

/** After a change of users, before the file is written. */
const AUTO_SAVE_DELAY_MS = 200;

export interface NodeAccessOptions {
  /** In force now. */
  readonly config: () => NodeConfig;
  readonly replica: ReplicaView;
  readonly table: CommandTable;
  readonly audit: AuditTrail;
  /** With these the ACL file is encrypted; null: it is not. */
  readonly atRest: SealingKeys | null;
  readonly logger: ServerLogger;
  readonly clients: () => Iterable<ClientView>;
  /** Connections that have to log in and have not. */
  readonly strangers: () => number;
  /** A login is being checked, or was. */
  readonly checking: (client: ClientView, begins: boolean) => void;
}

export class NodeAccess {
  readonly access: Access;
  readonly authenticator: Authenticator;
  readonly hashing: HashingService;
  readonly file: AclFile;
  readonly throttle: AuthThrottle;
  readonly #gate: BootGate;
  readonly #endListening: () => void;
  #saveTimer: NodeJS.Timeout | null = null;
  readonly #passwords: PasswordWork;
  readonly #catalogue: NumberedCatalogue;
  readonly #options: NodeAccessOptions;

  constructor(options: NodeAccessOptions) {
    const { config, replica, logger } = options;
    this.#options = options;
    this.#gate = new BootGate(replica.access);
    const policyIterations = (): number => config().passwordHashIterations;
    this.hashing = new HashingService({ logger, queueMax: config().authQueueMax });
    this.throttle = new AuthThrottle(throttleSettings(config()));
    this.authenticator = new Authenticator({
      users: () => replica.access.users(),
      credentialsRefusal: () => this.#gate.credentialsRefusal(),
      isProtected: () => config().protectedMode,
      policyIterations,
      clusterNowMs: () => replica.logicalNowMs(),
      hashing: this.hashing,
      throttle: this.throttle,
      monotonicNowMs: () => performance.now(),
      sleep: (ms) => sleep(ms),
      onRehash: (proposal) => this.#rehash(proposal),
      logger,
      cacheEntriesMax: config().authCacheEntriesMax,
    });
    this.hashing.start();
    const hasher = new PasswordHasher(this.hashing, policyIterations);
    this.#catalogue = commandCatalogue(options.table);
    this.#passwords = passwordWork(hasher, () => replica.logicalNowMs());
    this.file = new AclFile({
      path: config().aclFile ?? join(config().dataDir, "acl.conf"),
      catalogue: this.#catalogue,
      users: () => replica.access.users(),
      passwords: this.#passwords,
      nowMs: () => Date.now(),
      sealing: fileSealing(options.atRest, logger),
      version: FERRITE_VERSION,
    });
    this.#endListening = this.#gate.onUsersChanged((change, index) => {
      this.#saveSoon();
      if (change !== null) this.#record(change, index);
    });
    this.access = createAccess({
      state: this.#gate,
      table: options.table,
      catalogue: this.#catalogue,
      authenticator: this.authenticator,
      hasher,
      log: new AclLog(() => config().aclLogEntriesMax),
      file: this.file,
      audit: options.audit,
      logger,
      clients: options.clients,
      checking: options.checking,
      certificateUser: config,
      loginFacts: () => loginFacts(this.loginSource()),
      clusterNowMs: () => replica.logicalNowMs(),
      nowMs: () => Date.now(),
    });
  }

  /**
   * Gives a new cluster its first users, then lets credentials be honoured. Resolves when that is so, or when `signal`
   * ends it.
   * @throws AccessError that names the file and line, or the setting
   */
  async boot(signal: AbortSignal): Promise<void> {
    const { config, replica, logger } = this.#options;
    try {
      await bootUsers({
        state: replica.access,
        file: this.file,
        catalogue: this.#catalogue,
        passwords: this.#passwords,
        requirepass: config().requirepass,
        logger,
        signal,
      });
    } catch (error) {
      if (signal.aborted) return;
      throw error;
    }
    this.#gate.open();
    await this.#applyNewCommandsPolicy();
  }

  /** What the configuration says of new commands counts until the cluster has agreed on something. */
  async #applyNewCommandsPolicy(): Promise<void> {
    const { config, replica, logger } = this.#options;
    const users = replica.access.users();
    const isOpen = users.knownCommands === null && config().aclNewCommands === "deny";
    const reason = isOpen ? await this.access.view.setNewCommandsPolicy("deny", null) : null;
    if (reason !== null) logger.warn({ reason }, "acl-new-commands deny is not agreed yet");
    const commands = users.newCommands();
    if (commands.length > 0) {
      logger.warn(
        { commands },
        "this version has commands that users do not get by category (acl-new-commands deny); look at them, then CONFIG SET acl-new-commands again",
      );
    }
  }

  /** Null, or why this node honours nobody now. */
  credentialsRefusal(): string | null {
    return this.#gate.credentialsRefusal();
  }

  /** What the cluster does by itself has no client whose node could tell: every node does. Not while the log is replayed. */
  #record({ kind, changed, removed }: UsersChange, index: number): void {
    const { audit, replica } = this.#options;
    if ((kind !== "expire" && kind !== "seed") || replica.isCatchingUp()) return;
    const position = { index };
    for (const { before, after } of changed) {
      const lines = before === null ? {} : { before: before.describe() };
      audit.record(usersChanged({ action: kind, ...lines, after: after.describe(), position }));
    }
    for (const user of removed) {
      audit.record(usersChanged({ action: kind, before: user.describe(), position }));
    }
  }

  /** acl-auto-save: many changes at once are written once. */
  #saveSoon(): void {
    const { config, logger } = this.#options;
    if (!config().aclAutoSave || this.#saveTimer !== null) return;
    this.#saveTimer = setTimeout(() => {
      this.#saveTimer = null;
      void this.file.save().then((errorText) => {
        if (errorText !== null) logger.warn({ reason: errorText }, "the ACL file was not written");
      });
    }, AUTO_SAVE_DELAY_MS);
  }

  /** Takes over changed settings. */
  applyConfig(config: NodeConfig, changed: ReadonlySet<keyof NodeConfig>): void {
    if (changed.has("passwordHashIterations")) this.authenticator.forgetVerified();
    this.throttle.configure(throttleSettings(config));
  }

  /** What metrics and INFO count of logins. */
  loginSource(): AuthMetricsSource {
    return {
      counters: this.authenticator.counters,
      delayedUsers: () => this.throttle.delayedUsers,
      delayedAddresses: () => this.throttle.delayedAddresses,
      hashingQueue: () => this.hashing.waiting,
      hashingRestarts: () => this.hashing.restarts,
      unauthenticatedClients: this.#options.strangers,
    };
  }

  close(): Promise<void> {
    if (this.#saveTimer !== null) clearTimeout(this.#saveTimer);
    this.#endListening();
    return this.hashing.close();
  }

  /** The policy has become more expensive: the cluster takes the better form of a password that was just seen. */
  #rehash({ name, userId, oldStored, newStored }: RehashProposal): void {
    const { replica, logger } = this.#options;
    if (replica.access.users().byId(userId)?.name !== name) return;
    const rules = [`!${oldStored}`, `#${newStored}`];
    replica.access.propose({ kind: "set", name, rules }, null, (outcome) => {
      if (!outcome.ok) logger.info({ reason: outcome.errorText }, "a password was not hashed anew");
    });
  }
}

function loginFacts(source: AuthMetricsSource): AccessFacts {
  const { counters } = source;
  return [
    // Redis' name, since 7.2.
    ["acl_access_denied_auth", counters.refused],
    ["auth_accepted", counters.accepted],
    ["auth_throttled", counters.throttled],
    ["auth_busy", counters.busy],
    ["auth_from_cache", counters.fromCache],
    ["auth_delayed_users", source.delayedUsers()],
    ["auth_delayed_addresses", source.delayedAddresses()],
    ["auth_hashing_queue", source.hashingQueue()],
    ["auth_unauthenticated_clients", source.unauthenticatedClients()],
  ];
}

function throttleSettings(config: NodeConfig): { isEnabled: boolean; maxDelayMs: number } {
  return { isEnabled: config.authThrottle, maxDelayMs: config.authThrottleMaxDelayMs };
}
