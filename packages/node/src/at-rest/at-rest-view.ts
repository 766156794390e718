/** What commands, INFO and metrics see of encryption at rest on this node. */
import type { ClientView } from "../server/edge-context.ts";

export interface FileCount {
  readonly files: number;
  readonly bytes: number;
}

export interface AtRestStatus {
  readonly enabled: boolean;
  /** Where the key-encryption key is; null when nothing is encrypted. */
  readonly source: "file" | "environment" | "vault" | null;
  /** Names the key-encryption key that wraps the keyring; never the key. */
  readonly keyEncryptionKeyId: string | null;
  /** Newest first: files are made with that one. */
  readonly nodeKeyIds: readonly number[];
  /** Files are still being rewritten, or wait for it. */
  readonly isRewriting: boolean;
  /** Encrypted with the newest node key. */
  readonly encrypted: FileCount;
  /** Encrypted with an older one. */
  readonly outdated: FileCount;
  /** Not encrypted. */
  readonly plain: FileCount;
  /** Why rewriting does not get on; null when it does, or is done. */
  readonly failure: string | null;
  /** Why the key-encryption key can not be used now: the node would not start again. Null when it can. */
  readonly keyFailure: string | null;
  /** Wraps of the keyring since the start, and those that failed. */
  readonly rewraps: number;
  readonly rewrapFailures: number;
}

export interface AtRestView {
  /** As last looked at; files are counted while they are rewritten, and by `look`. */
  status(): AtRestStatus;
  /** Counts the files now. */
  look(): Promise<AtRestStatus>;
  /** Wraps the keyring with the key-encryption key that is current now. An error text, or null when it is done. */
  rewrap(client: ClientView | null): Promise<string | null>;
  /**
   * Makes a new node key, which new files are made with from now on; older files are rewritten in the background. An error
   * text, or null when it has begun.
   */
  rotate(client: ClientView | null): Promise<string | null>;
}
