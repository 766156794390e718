/**
 * Encryption at rest in the boot of a node. What can be refused is refused before anything is made or changed: the
 * keyring opens, or the key-encryption key was tried, before the node takes its identity.
 *
 *   prepareAtRest      settings, keyring, what is on disk: do they fit?       nothing is written
 *   (identity, cluster)
 *   begin              the keyring is this node's; a first one is written     before log and snapshots are opened
 */
import type { FileSystem } from "@ferrite/storage";
import type { AtRestConfig } from "../config/node-config.ts";
import { AtRestService, type AtRestLogger } from "./at-rest-service.ts";
import { configuredSource, patiently } from "./configured-source.ts";
import { AtRestError } from "./errors.ts";
import { forgetKeyVariable } from "./given-key.ts";
import { keyringPath, OpenKeyring, probeSource, readKeyringFile } from "./keyring-file.ts";
import { newKeyring } from "./keyring.ts";
import type { KeySource, WrapContext } from "./key-source.ts";

export interface AtRestBoot {
  readonly fileSystem: FileSystem;
  readonly dataDirectory: string;
  /** In force now: CONFIG SET may move the key-encryption key. */
  readonly config: () => AtRestConfig;
  /** What is found in the data directory, by its first bytes. */
  readonly findFiles: () => {
    /** Path of a file that is encrypted; null when none is. */
    readonly encrypted: string | null;
    /** There is a log or a snapshot that is not. */
    readonly hasPlain: boolean;
  };
  /** The id of the node whose directory it is; null when it is nobody's yet. */
  readonly storedNodeId: () => string | null;
  readonly logger: AtRestLogger;
}

export interface PreparedAtRest {
  /** To be called once node and cluster are known. @throws AtRestError */
  begin(context: WrapContext): Promise<AtRestService>;
}

/**
 * Null when nothing is encrypted.
 * @throws AtRestError; nothing was changed, and nothing made
 */
export async function prepareAtRest(boot: AtRestBoot): Promise<PreparedAtRest | null> {
  const path = keyringPath(boot.dataDirectory);
  const file = readKeyringFile(boot.fileSystem, path);
  const found = boot.findFiles();
  if (!boot.config().atRestEncryption) {
    refuseSwitchedOff(file === null ? found.encrypted : path);
    return null;
  }
  if (file === null && found.encrypted !== null) throw keyringMissing(path, found.encrypted);
  const source = rememberingSource(boot);
  forgetKeyVariable(process.env);
  const at = { fileSystem: boot.fileSystem, path };
  if (file === null) {
    await withPatience(boot, () => probeSource(source()));
    const { hasPlain } = found;
    return { begin: (context) => createKeyring(boot, { at, context, hasPlain, source }) };
  }
  const stored = boot.storedNodeId();
  if (stored !== null && stored !== file.nodeId) throw foreign(path, `node ${file.nodeId}`);
  const keyring = await withPatience(boot, () => OpenKeyring.open(at, file, source()));
  return {
    begin: (context) => {
      if (file.nodeId !== context.nodeId) throw foreign(path, `node ${file.nodeId}`);
      if (file.clusterId !== context.clusterId) throw foreign(path, `cluster ${file.clusterId}`);
      return Promise.resolve(
        new AtRestService({ keyring, isNew: false, source, logger: boot.logger }),
      );
    },
  };
}

async function createKeyring(
  boot: AtRestBoot,
  parts: {
    readonly at: { readonly fileSystem: FileSystem; readonly path: string };
    readonly context: WrapContext;
    readonly hasPlain: boolean;
    readonly source: () => KeySource;
  },
): Promise<AtRestService> {
  const { at, context, hasPlain, source } = parts;
  const keyring = await withPatience(boot, () =>
    OpenKeyring.create(at, newKeyring(context, hasPlain), source()),
  );
  if (hasPlain) {
    boot.logger.info({}, "encryption at rest was switched on: what is on disk is rewritten");
  }
  return new AtRestService({ keyring, isNew: true, source, logger: boot.logger });
}

/** The source that the settings name at each use. A warning is given once. */
function rememberingSource(boot: AtRestBoot): () => KeySource {
  const told = new Set<string>();
  const warn = (message: string): void => {
    if (told.has(message)) return;
    told.add(message);
    boot.logger.warn({}, message);
  };
  return () => configuredSource(boot.config(), warn);
}

function withPatience<T>(boot: AtRestBoot, run: () => Promise<T>): Promise<T> {
  return patiently(run, {
    waitMs: boot.config().atRestVaultWaitMs,
    monotonicNowMs: () => performance.now(),
    onWait: (error) => {
      boot.logger.warn({ reason: error.message }, "the start waits for the key-encryption key");
    },
  });
}

function refuseSwitchedOff(file: string | null): void {
  if (file === null) return;
  throw new AtRestError(
    "SWITCHED_OFF",
    `${file} is there, so this data directory is encrypted, but at-rest-encryption is no. Set it to yes, with the ` +
      "key-encryption key it was used with. There is no way back to plain files on the same directory: to leave " +
      "encryption, copy the keys into a new cluster. Nothing was changed",
  );
}

function keyringMissing(path: string, encrypted: string): AtRestError {
  return new AtRestError(
    "KEYRING_MISSING",
    `${path} is missing, but ${encrypted} is encrypted: without the keyring nobody can read it. Put the file back ` +
      "from a copy of this data directory, or start with an empty one as a new node. Nothing was changed",
  );
}

function foreign(path: string, whose: string): AtRestError {
  return new AtRestError(
    "KEYRING_FOREIGN",
    `${path} belongs to ${whose}: it was copied here. Put back the one of this data directory. Nothing was changed`,
  );
}
