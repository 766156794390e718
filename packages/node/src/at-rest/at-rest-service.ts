/**
 * Encryption at rest of a running node: holds the keys, changes them, and sees to it that every file follows.
 *
 * The order of a rotation: a new key is in the keyring, durably, before anything is encrypted with it; an old one leaves
 * the keyring after the last file that needs it was seen to be gone.
 */
import type { AtRestKeys } from "@ferrite/storage";
import { auditClient } from "../access/audit-client.ts";
import type { AuditClient, AuditTrail } from "../audit/audit-trail.ts";
import type { ClientView } from "../server/edge-context.ts";
import type { AtRestStatus, AtRestView } from "./at-rest-view.ts";
import { atRestChanged } from "./audit-events.ts";
import { countFiles, type DiskFile, type DiskFiles } from "./disk-files.ts";
import { AtRestError } from "./errors.ts";
import type { OpenKeyring } from "./keyring-file.ts";
import { settled, withNewKey } from "./keyring.ts";
import type { KeySource } from "./key-source.ts";
import { KeyWatch } from "./key-watch.ts";
import { Rewriting } from "./rewriting.ts";

export interface AtRestLogger {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface AtRestServiceParts {
  readonly keyring: OpenKeyring;
  /** The keyring was made just now. */
  readonly isNew: boolean;
  /** As the settings name it now. @throws AtRestError */
  readonly source: () => KeySource;
  readonly logger: AtRestLogger;
}

/** What is there once the node has its disk and its trail. */
export interface AttachedParts {
  readonly disk: DiskFiles;
  readonly audit: AuditTrail;
}

export class AtRestService implements AtRestView {
  readonly #parts: AtRestServiceParts;
  #attached: (AttachedParts & { readonly rewriting: Rewriting }) | null = null;
  #files: readonly DiskFile[] = [];
  #failure: string | null = null;
  #rewraps = 0;
  #rewrapFailures = 0;
  /** One change of the keyring after the other. */
  #turn: Promise<unknown> = Promise.resolve();
  #sourceKind: AtRestStatus["source"];
  #isClosed = false;
  readonly #watch: KeyWatch;

  constructor(parts: AtRestServiceParts) {
    this.#parts = parts;
    this.#sourceKind = parts.source().kind;
    this.#watch = new KeyWatch({ ...parts, rewrap: () => this.#rewrap(null) });
  }

  /** For log, snapshots and sealed files, as they are now. */
  keys(): AtRestKeys {
    const { nodeId, keys, acceptsPlainFiles } = this.#parts.keyring.contents;
    const [current, ...older] = keys;
    return { nodeId, current, older, acceptsPlainFiles };
  }

  get clusterId(): string {
    return this.#parts.keyring.contents.clusterId;
  }

  /** From now on files follow the keys. What an earlier process left unfinished goes on. */
  attach(attached: AttachedParts): void {
    const { logger, isNew, keyring } = this.#parts;
    const rewriting = new Rewriting(attached.disk, () => this.keys(), {
      onLooked: (files) => {
        this.#files = files;
      },
      onSettled: () => this.#settle(),
      onFailed: (error) => {
        if (this.#failure !== error.message) {
          logger.error(
            { err: error },
            "files are not rewritten for encryption at rest; it is tried again",
          );
        }
        this.#failure = error.message;
      },
    });
    this.#attached = { ...attached, rewriting };
    if (isNew) {
      const after = `node key ${this.keys().current.id}, key-encryption key ${keyring.wrappingKeyId}`;
      attached.audit.record(atRestChanged({ action: "created", after }));
    }
    this.#look();
    if (this.#isUnsettled()) rewriting.begin();
    this.#watch.start();
  }

  status(): AtRestStatus {
    const { keys } = this.#parts.keyring.contents;
    return {
      enabled: true,
      source: this.#sourceKind,
      keyEncryptionKeyId: this.#parts.keyring.wrappingKeyId,
      nodeKeyIds: keys.map(({ id }) => id),
      isRewriting: this.#isUnsettled(),
      ...countFiles(this.#files, keys[0].id),
      failure: this.#failure,
      keyFailure: this.#watch.failure,
      rewraps: this.#rewraps,
      rewrapFailures: this.#rewrapFailures,
    };
  }

  look(): Promise<AtRestStatus> {
    try {
      this.#look();
    } catch (error) {
      this.#failure = (error as Error).message;
    }
    return Promise.resolve(this.status());
  }

  async rewrap(from: ClientView | null): Promise<string | null> {
    try {
      await this.#rewrap(from === null ? null : auditClient(from));
      return null;
    } catch (error) {
      return (error as Error).message;
    }
  }

  /** A signal asks to look at the files that others put there. What is wrong is logged. */
  async lookAtKey(): Promise<void> {
    if (this.#parts.keyring.wrappedBy === "vault") await this.rewrap(null);
    await this.#watch.look();
  }

  #rewrap(client: AuditClient | null): Promise<void> {
    return this.#inTurn(async () => {
      const before = this.#parts.keyring.wrappingKeyId;
      try {
        const source = this.#parts.source();
        await this.#parts.keyring.rewrap(source);
        this.#sourceKind = source.kind;
        this.#rewraps += 1;
        const after = this.#parts.keyring.wrappingKeyId;
        this.#record({ action: "rewrap", client, before, after });
        this.#parts.logger.info({ before, after }, "wrapped the keyring anew");
      } catch (error) {
        this.#rewrapFailures += 1;
        this.#refused("rewrap", error, { client, before });
        throw error;
      }
    });
  }

  rotate(from: ClientView | null): Promise<string | null> {
    const client = from === null ? null : auditClient(from);
    return this.#inTurn(() => {
      const { keyring, logger } = this.#parts;
      const before = idsOf(this.keys());
      try {
        const attached = this.#attached;
        if (attached === null) throw new AtRestError("NOT_NOW", "the node is still starting");
        keyring.replace(withNewKey(keyring.contents));
        const after = idsOf(this.keys());
        this.#record({ action: "rotate", client, before, after });
        logger.info({ before, after }, "made a new node key; files are rewritten");
        attached.rewriting.begin();
        return null;
      } catch (error) {
        return this.#refused("rotate", error, { client, before });
      }
    });
  }

  /** Rewriting ends where it is; the next start goes on. */
  close(): void {
    this.#isClosed = true;
    this.#attached?.rewriting.stop();
    this.#watch.stop();
  }

  #isUnsettled(): boolean {
    const { keys, acceptsPlainFiles } = this.#parts.keyring.contents;
    return keys.length > 1 || acceptsPlainFiles;
  }

  #look(): void {
    if (this.#attached !== null) this.#files = this.#attached.disk.list();
  }

  /** Every file is encrypted with the current key: what is not is refused from now on. Throws when the disk does. */
  #settle(): void {
    if (!this.#isUnsettled() || this.#isClosed) return;
    const { keyring, logger } = this.#parts;
    const before = describe(this.keys());
    keyring.replace(settled(keyring.contents));
    this.#failure = null;
    const after = describe(this.keys());
    this.#record({ action: "settled", before, after });
    logger.info({ before, after }, "every file is encrypted with the current node key");
    this.#attached?.disk.useKeys(this.keys());
  }

  #refused(
    action: "rewrap" | "rotate",
    error: unknown,
    facts: { readonly client: AuditClient | null; readonly before: string },
  ): string {
    const refusal = (error as Error).message;
    this.#record({ action, ...facts, refusal });
    this.#parts.logger.error({ err: error }, `keys at rest: ${action} failed; all is as it was`);
    return refusal;
  }

  #record(change: Parameters<typeof atRestChanged>[0]): void {
    this.#attached?.audit.record(atRestChanged(change));
  }

  #inTurn<T>(change: () => T | Promise<T>): Promise<T> {
    const turn = this.#turn.then(change);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }
}

function idsOf(keys: AtRestKeys): string {
  return [keys.current, ...keys.older].map(({ id }) => id).join(" ");
}

function describe(keys: AtRestKeys): string {
  const plain = keys.acceptsPlainFiles ? ", files that are not encrypted are read" : "";
  return `node keys ${idsOf(keys)}${plain}`;
}
