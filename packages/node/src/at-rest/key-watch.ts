/**
 * Looks from time to time whether the key-encryption key is still where the settings say: a key file with another first key
 * is taken up, and a key that is gone, or a token that has expired, is told while the node runs. The next start would fail.
 */
import type { AtRestLogger } from "./at-rest-service.ts";
import type { OpenKeyring } from "./keyring-file.ts";
import type { KeySource } from "./key-source.ts";

export const KEY_WATCH_MS = 60_000;
/** Each look is a request to Vault, and a line in its audit log. */
export const VAULT_WATCH_MS = 600_000;

export interface KeyWatchParts {
  readonly keyring: OpenKeyring;
  /** @throws AtRestError */
  readonly source: () => KeySource;
  readonly rewrap: () => Promise<unknown>;
  readonly logger: AtRestLogger;
}

export class KeyWatch {
  readonly #parts: KeyWatchParts;
  #timer: NodeJS.Timeout | null = null;
  #failure: string | null = null;
  #isStopped = false;

  constructor(parts: KeyWatchParts) {
    this.#parts = parts;
  }

  /** Why the key-encryption key can not be used now; null when it can, as far as is known. */
  get failure(): string | null {
    return this.#failure;
  }

  start(): void {
    if (this.#isStopped) return;
    const isVault = this.#parts.keyring.wrappedBy === "vault";
    this.#timer = setTimeout(
      () => {
        void this.look().then(() => this.start());
      },
      isVault ? VAULT_WATCH_MS : KEY_WATCH_MS,
    );
    this.#timer.unref();
  }

  stop(): void {
    this.#isStopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  /** Never rejects: what is wrong is told. */
  async look(): Promise<void> {
    const { keyring, source, rewrap, logger } = this.#parts;
    try {
      const from = source();
      const current = await from.currentKeyId();
      if (current === null) await keyring.prove(from);
      else if (current !== keyring.wrappingKeyId) await rewrap();
      if (this.#failure !== null) logger.info({}, "the key-encryption key can be used again");
      this.#failure = null;
    } catch (error) {
      const { message } = error as Error;
      if (this.#failure !== message) {
        logger.error(
          { err: error },
          "the key-encryption key can not be used: the node runs on, but would not start again",
        );
      }
      this.#failure = message;
    }
  }
}
