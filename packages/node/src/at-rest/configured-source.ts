/** The source that the settings name, and patience with one that is not there yet. */
import { setTimeout as sleep } from "node:timers/promises";
import type { AtRestConfig } from "../config/node-config.ts";
import { AtRestError } from "./errors.ts";
import { GivenKey } from "./given-key.ts";
import { KeyFile } from "./key-file.ts";
import type { KeySource } from "./key-source.ts";
import { VaultTransit } from "./vault-transit.ts";

/** @throws AtRestError when no source is named, or the key in the settings is none */
export function configuredSource(config: AtRestConfig, warn: (message: string) => void): KeySource {
  if (config.atRestKeyFile !== null) return new KeyFile(config.atRestKeyFile, warn);
  if (config.atRestKey !== "") return new GivenKey(config.atRestKey);
  const { atRestVaultAddress: address, atRestVaultTokenFile: tokenFile } = config;
  if (address === null || tokenFile === null) {
    throw new AtRestError("KEY_UNREADABLE", "no key-encryption key is set: at-rest-key-file");
  }
  return new VaultTransit({
    address,
    tokenFile,
    mount: config.atRestVaultMount,
    key: config.atRestVaultTransitKey,
    namespace: config.atRestVaultNamespace,
    caCertFile: config.atRestVaultCaCertFile,
    timeoutMs: config.atRestVaultTimeoutMs,
  });
}

const FIRST_PAUSE_MS = 250;
const PAUSE_MS_MAX = 5000;

/**
 * Runs until it succeeds, fails for good, or `waitMs` are over: a node that boots together with its Vault waits for it to
 * be unsealed. `onWait` hears of each failure that is waited out.
 * @throws what `run` throws, with what to do when the patience is over
 */
export async function patiently<T>(
  run: () => Promise<T>,
  patience: {
    readonly waitMs: number;
    readonly monotonicNowMs: () => number;
    readonly onWait: (error: AtRestError) => void;
  },
): Promise<T> {
  const deadlineMs = patience.monotonicNowMs() + patience.waitMs;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, PAUSE_MS_MAX)) {
    try {
      return await run();
    } catch (error) {
      if (!(error instanceof AtRestError) || error.code !== "VAULT_UNAVAILABLE") throw error;
      const leftMs = deadlineMs - patience.monotonicNowMs();
      if (leftMs <= 0) {
        throw new AtRestError(
          "VAULT_UNAVAILABLE",
          `${error.message}. The node can not start without its key-encryption key: nothing was changed; start it ` +
            "again when Vault answers, or let it wait longer (at-rest-vault-wait-ms)",
          { cause: error },
        );
      }
      patience.onWait(error);
      await sleep(Math.min(pauseMs, leftMs));
    }
  }
}
