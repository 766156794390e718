/**
 * How the names of keys appear in a record. Names can hold what should not be copied around (mail addresses, session
 * ids), so by default they are hashed: equal names look equal, on all nodes, and somebody who asks for one key finds it.
 *
 * The hash is an HMAC, not a bare SHA-256: bare hashes of guessable names ("user:1", "user:2") can be looked up in a table
 * made once for everybody. It is keyed by audit-key-file where there is one, and then names can not be guessed without
 * that key. Otherwise by the cluster's id, which is no secret: it only makes such a table worthless for other clusters.
 * 128 bits are kept: no two names of a cluster will ever share them, and a record stays short.
 */
import { createHmac } from "node:crypto";
import type { AuditKeyPolicy } from "./audit-settings.ts";
import type { ChainKey } from "./chain-key.ts";
import { KEYS_PER_RECORD_MAX, TEXT_LIMITS } from "./limits.ts";
import { readableText } from "./readable-text.ts";

const HASH_DIGITS = 32;

export interface ShownKeys {
  readonly keys: readonly string[] | null;
  readonly moreKeys: number;
}

export class KeyNames {
  policy: AuditKeyPolicy;
  readonly #secret: Uint8Array;

  constructor(policy: AuditKeyPolicy, key: ChainKey | null, clusterId: string) {
    this.policy = policy;
    this.#secret =
      key === null ? Buffer.from(`ferrite audit key names 1 ${clusterId}`) : key.keyNames;
  }

  show(names: readonly string[] | undefined): ShownKeys {
    if (names === undefined || this.policy === "none") return { keys: null, moreKeys: 0 };
    const keys = names.slice(0, KEYS_PER_RECORD_MAX).map((name) => this.#shown(name));
    return { keys, moreKeys: names.length - keys.length };
  }

  /** The form in which `name` (a byte string) stands in records under the policy "hash". */
  hash(name: string): string {
    const digest = createHmac("sha256", this.#secret).update(Buffer.from(name, "latin1"));
    return `hmac:${digest.digest("hex").slice(0, HASH_DIGITS)}`;
  }

  #shown(name: string): string {
    return this.policy === "hash" ? this.hash(name) : readableText(name, TEXT_LIMITS.key);
  }
}
