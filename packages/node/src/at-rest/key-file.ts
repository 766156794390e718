/**
 * A file of key-encryption keys, read at each use. The first key wraps, all of them open: a key is changed by a line put on
 * top. What is wrong in it is told by line, never by content.
 */
import { AtRestError } from "./errors.ts";
import { parseKeyText, rawKey, type LocalKey } from "./key-text.ts";
import { keyIdOf, unwrapLocally, wrapLocally } from "./local-wrap.ts";
import type { KeySource, WrapContext, WrappedSecret } from "./key-source.ts";
import { readSmallFile } from "./small-file.ts";

const SETTING = "at-rest-key-file";
const KEYS_MAX = 64;
export const KEY_FILE_BYTES_MAX: number = 16 * 1024;
const RAW_KEY_BYTES = 32;

export class KeyFile implements KeySource {
  readonly kind = "file";
  readonly place: string;
  readonly #path: string;
  readonly #warn: (message: string) => void;

  /** `warn` is told that others may read the file. */
  constructor(path: string, warn: (message: string) => void) {
    this.#path = path;
    this.place = `${SETTING} ${path}`;
    this.#warn = warn;
  }

  async currentKeyId(): Promise<string> {
    const keys = await this.#read();
    return keyIdOf(keys[0]);
  }

  async wrap(secret: Uint8Array, context: WrapContext): Promise<WrappedSecret> {
    const keys = await this.#read();
    return wrapLocally(secret, keys[0], context);
  }

  async unwrap(wrapped: WrappedSecret, context: WrapContext): Promise<Uint8Array> {
    const keys = await this.#read();
    return unwrapLocally(wrapped, keys, { place: this.place, context });
  }

  async #read(): Promise<readonly [LocalKey, ...LocalKey[]]> {
    const { bytes, isOpenToOthers } = await readSmallFile(SETTING, this.#path, KEY_FILE_BYTES_MAX);
    const keys = this.#parse(bytes);
    if (isOpenToOthers) {
      this.#warn(`${this.place} can be read by other users of this machine; chmod 600 it`);
    }
    return keys;
  }

  #parse(bytes: Buffer): readonly [LocalKey, ...LocalKey[]] {
    if (bytes.length === RAW_KEY_BYTES) {
      const raw = rawKey(bytes);
      if (!raw.ok) throw this.#refuse(raw.problem);
      return [raw.key];
    }
    const keys: LocalKey[] = [];
    for (const [index, line] of bytes.toString("latin1").split("\n").entries()) {
      if (line.trim() === "" || line.trimStart().startsWith("#")) continue;
      const parsed = parseKeyText(line);
      if (!parsed.ok) throw this.#refuse(`line ${index + 1}: ${parsed.problem}`);
      keys.push(parsed.key);
    }
    const [first, ...others] = keys;
    if (first === undefined) throw this.#refuse("it holds no key");
    if (keys.length > KEYS_MAX) throw this.#refuse(`it holds more than ${KEYS_MAX} keys`);
    return [first, ...others];
  }

  #refuse(why: string): AtRestError {
    return new AtRestError(
      "KEY_UNREADABLE",
      `${this.place} can not be used: ${why}. A good one is made by: openssl rand -base64 32`,
    );
  }
}
