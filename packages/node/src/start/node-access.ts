/** Access control of a running node: the parts of access/ and security/, on the replicated users, kept to the settings. */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createAccess, type Access } from "../access/create-access.ts";
import { AclLog } from "../access/acl-log.ts";
import { AclFile } from "../access/acl-file.ts";
import { passwordWork } from "../access/password-work.ts";
import type { AuditTrail } from "../audit/audit-trail.ts";
import { commandCatalogue } from "../commands/catalogue.ts";
import type { CommandTable } from "../commands/table.ts";
import type { NodeConfig } from "../config/node-config.ts";
import type { ReplicaView } from "../replica/replica-view.ts";
import { Authenticator, type RehashProposal } from "../security/authenticator.ts";
import { AuthThrottle } from "../security/auth-throttle.ts";
import { HashingService } from "../security/hashing/hashing-service.ts";
import { PasswordHasher } from "../security/password-hasher.ts";
import type { ClientView } from "../server/edge-context.ts";
import type { ServerLogger } from "../server/logger.ts";
import { FERRITE_VERSION } from "../server/version.ts";

export interface NodeAccessOptions {
  /** In force now. */
  readonly config: () => NodeConfig;
  readonly replica: ReplicaView;
  readonly table: CommandTable;
  readonly audit: AuditTrail;
  readonly logger: ServerLogger;
  readonly clients: () => Iterable<ClientView>;
}

export class NodeAccess {
  readonly access: Access;
  readonly authenticator: Authenticator;
  readonly hashing: HashingService;
  readonly file: AclFile;
  readonly #throttle: AuthThrottle;
  readonly #options: NodeAccessOptions;

  constructor(options: NodeAccessOptions) {
    const { config, replica, logger } = options;
    this.#options = options;
    const policyIterations = (): number => config().passwordHashIterations;
    this.hashing = new HashingService({ logger, queueMax: config().authQueueMax });
    this.#throttle = new AuthThrottle(throttleSettings(config()));
    this.authenticator = new Authenticator({
      users: () => replica.access.users(),
      credentialsRefusal: () => replica.access.credentialsRefusal(),
      isProtected: () => config().protectedMode,
      policyIterations,
      clusterNowMs: () => replica.logicalNowMs(),
      hashing: this.hashing,
      throttle: this.#throttle,
      monotonicNowMs: () => performance.now(),
      sleep: (ms) => sleep(ms),
      onRehash: (proposal) => this.#rehash(proposal),
      logger,
      cacheEntriesMax: config().authCacheEntriesMax,
    });
    const hasher = new PasswordHasher(this.hashing, policyIterations);
    const catalogue = commandCatalogue(options.table);
    this.file = new AclFile({
      path: config().aclFile ?? join(config().dataDir, "acl.conf"),
      catalogue,
      users: () => replica.access.users(),
      passwords: passwordWork(hasher, () => replica.logicalNowMs()),
      nowMs: () => Date.now(),
      version: FERRITE_VERSION,
    });
    this.access = createAccess({
      state: replica.access,
      table: options.table,
      catalogue,
      authenticator: this.authenticator,
      hasher,
      log: new AclLog(() => config().aclLogEntriesMax),
      file: this.file,
      audit: options.audit,
      logger,
      clients: options.clients,
      clusterNowMs: () => replica.logicalNowMs(),
      nowMs: () => Date.now(),
    });
  }

  /** Takes over changed settings. */
  applyConfig(config: NodeConfig): void {
    this.#throttle.configure(throttleSettings(config));
  }

  close(): Promise<void> {
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

function throttleSettings(config: NodeConfig): { isEnabled: boolean; maxDelayMs: number } {
  return { isEnabled: config.authThrottle, maxDelayMs: config.authThrottleMaxDelayMs };
}
