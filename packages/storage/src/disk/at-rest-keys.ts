/**
 * What the disk is given to encrypt with. The keys themselves are kept, wrapped by a key-encryption key, by the node
 * (packages/node/src/at-rest); the files below `disk/` see them unwrapped, in memory only, and can be handed to a worker.
 *
 *   key-encryption key (file, environment, Vault)  wraps  node keys (this)  wrap  one data key a file  encrypts  the file
 */

/** AES-256. */
export const atRestKeyBytes = 32;

/** A key of this node that data keys of files are wrapped with. */
export interface AtRestKey {
  /** Names the key in a file's header. 1 is the first; never used again. */
  readonly id: number;
  /** `atRestKeyBytes` long. */
  readonly bytes: Uint8Array;
}

/** Plain data: structured clone takes it to the log's thread. */
export interface AtRestKeys {
  /** Part of what every file is bound to, with cluster, kind, number and position: a file of another node does not open. */
  readonly nodeId: string;
  /** New files are made with it. */
  readonly current: AtRestKey;
  /** Files of earlier times open with these. */
  readonly older: readonly AtRestKey[];
  /** Whether files without encryption are read: only until a node that had none has rewritten all. */
  readonly acceptsPlainFiles: boolean;
}
