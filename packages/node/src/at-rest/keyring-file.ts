/** `at-rest.json` in the data directory: read, replaced, and wrapped by the key-encryption key. */
import { writeFileDurably, type FileSystem } from "@ferrite/storage";
import { AtRestError } from "./errors.ts";
import {
  newKeyringKey,
  openKeyring,
  parseKeyringFile,
  sealKeyring,
  type Keyring,
  type KeyringFile,
} from "./keyring.ts";
import type { KeySource, WrapContext, WrappedSecret } from "./key-source.ts";

export const KEYRING_FILE_NAME = "at-rest.json";
/** A keyring of `NODE_KEYS_MAX` keys has some kilobytes. */
const FILE_BYTES_MAX: number = 64 * 1024;

export function keyringPath(dataDirectory: string): string {
  return `${dataDirectory}/${KEYRING_FILE_NAME}`;
}

/** The file as it stands there, nothing of it proven; null when there is none. @throws AtRestError `KEYRING_DAMAGED` */
export function readKeyringFile(fileSystem: FileSystem, path: string): KeyringFile | null {
  if (!fileSystem.exists(path)) return null;
  const handle = fileSystem.open(path, "read");
  try {
    // Cut off at the limit it is no JSON any more.
    const bytes = Buffer.alloc(Math.min(handle.sizeBytes(), FILE_BYTES_MAX));
    handle.read(bytes, 0);
    return parseKeyringFile(bytes.toString("utf8"), path);
  } finally {
    handle.close();
  }
}

/**
 * A keyring in use. Changes of its contents are sealed under the key it has, which needs no key-encryption key: a Vault
 * that is down keeps nobody from finishing a rotation.
 */
export class OpenKeyring {
  readonly #fileSystem: FileSystem;
  readonly #path: string;
  #keyring: Keyring;
  #keyringKey: Uint8Array;
  #wrapping: WrappedSecret;

  private constructor(
    at: { readonly fileSystem: FileSystem; readonly path: string },
    parts: {
      readonly keyring: Keyring;
      readonly keyringKey: Uint8Array;
      readonly wrapping: WrappedSecret;
    },
  ) {
    this.#fileSystem = at.fileSystem;
    this.#path = at.path;
    this.#keyring = parts.keyring;
    this.#keyringKey = parts.keyringKey;
    this.#wrapping = parts.wrapping;
  }

  /** Wraps a new keyring and writes it. @throws AtRestError; then there is no file */
  static async create(
    at: { readonly fileSystem: FileSystem; readonly path: string },
    keyring: Keyring,
    source: KeySource,
  ): Promise<OpenKeyring> {
    const keyringKey = newKeyringKey();
    const wrapping = await source.wrap(keyringKey, keyring);
    const opened = new OpenKeyring(at, { keyring, keyringKey, wrapping });
    opened.#write();
    return opened;
  }

  /** @throws AtRestError `WRONG_KEY`, `KEYRING_DAMAGED` or what the source throws; nothing is written */
  static async open(
    at: { readonly fileSystem: FileSystem; readonly path: string },
    file: KeyringFile,
    source: KeySource,
  ): Promise<OpenKeyring> {
    const keyringKey = await unwrapped(at.path, file, source);
    const keyring = openKeyring(file, keyringKey, at.path);
    return new OpenKeyring(at, { keyring, keyringKey, wrapping: file.wrapping });
  }

  get contents(): Keyring {
    return this.#keyring;
  }

  /** The key-encryption key that wraps it now. */
  get wrappingKeyId(): string {
    return this.#wrapping.keyId;
  }

  get wrappedBy(): WrappedSecret["by"] {
    return this.#wrapping.by;
  }

  /** @throws AtRestError when the source does not open it as it stands */
  async prove(source: KeySource): Promise<void> {
    const { contents: context } = this;
    await proveOpens(source, { keyringKey: this.#keyringKey, wrapping: this.#wrapping, context });
  }

  /** Durable when it returns. Throws the system's error; then the old contents stay, on disk and here. */
  replace(keyring: Keyring): void {
    const before = this.#keyring;
    this.#keyring = keyring;
    try {
      this.#write();
    } catch (error) {
      this.#keyring = before;
      throw error;
    }
  }

  /**
   * Wraps anew with the key-encryption key that is current now, under a fresh key of the keyring: with a key-encryption
   * key that was taken out of use, only copies of the file from before open.
   * @throws AtRestError, or the system's error; then all is as before
   */
  async rewrap(source: KeySource): Promise<void> {
    const keyringKey = newKeyringKey();
    const wrapping = await source.wrap(keyringKey, this.#keyring);
    await proveOpens(source, { keyringKey, wrapping, context: this.#keyring });
    const before = { keyringKey: this.#keyringKey, wrapping: this.#wrapping };
    this.#keyringKey = keyringKey;
    this.#wrapping = wrapping;
    try {
      this.#write();
    } catch (error) {
      this.#keyringKey = before.keyringKey;
      this.#wrapping = before.wrapping;
      throw error;
    }
    before.keyringKey.fill(0);
  }

  #write(): void {
    const bytes = sealKeyring(this.#keyring, this.#keyringKey, this.#wrapping);
    writeFileDurably(this.#fileSystem, this.#path, bytes);
  }
}

async function unwrapped(path: string, file: KeyringFile, source: KeySource): Promise<Uint8Array> {
  try {
    return await source.unwrap(file.wrapping, file);
  } catch (error) {
    if (!(error instanceof AtRestError)) throw error;
    throw new AtRestError(error.code, `${path} can not be opened: ${error.message}`, {
      cause: error,
    });
  }
}

/** A source that can wrap and not unwrap (a policy of Vault, say) would only be noticed at the next start. */
async function proveOpens(
  source: KeySource,
  wrapped: {
    readonly keyringKey: Uint8Array;
    readonly wrapping: WrappedSecret;
    readonly context: WrapContext;
  },
): Promise<void> {
  const back = await source.unwrap(wrapped.wrapping, wrapped.context);
  if (!Buffer.from(back).equals(wrapped.keyringKey)) {
    throw new AtRestError(
      "WRONG_KEY",
      `${source.place} does not give back what it wrapped; nothing was changed`,
    );
  }
}

/** Wraps and unwraps something of no worth: whether this source will do, before anything is made with it. */
export async function probeSource(source: KeySource): Promise<void> {
  const context = { nodeId: "probe", clusterId: "probe" };
  const keyringKey = newKeyringKey();
  const wrapping = await source.wrap(keyringKey, context);
  await proveOpens(source, { keyringKey, wrapping, context });
}
