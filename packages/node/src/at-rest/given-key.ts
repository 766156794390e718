/** The key-encryption key that stands in a setting: meant for FERRITE_AT_REST_KEY. */
import { parseKeyText, type LocalKey } from "./key-text.ts";
import { AtRestError } from "./errors.ts";
import { keyIdOf, unwrapLocally, wrapLocally } from "./local-wrap.ts";
import type { KeySource, WrapContext, WrappedSecret } from "./key-source.ts";

export const KEY_VARIABLE = "FERRITE_AT_REST_KEY";

export class GivenKey implements KeySource {
  readonly kind = "environment";
  readonly place: string = `at-rest-key (${KEY_VARIABLE})`;
  readonly #key: LocalKey;

  /** @throws AtRestError `KEY_UNREADABLE` */
  constructor(text: string) {
    const parsed = parseKeyText(text);
    if (!parsed.ok) throw new AtRestError("KEY_UNREADABLE", `${this.place}: ${parsed.problem}`);
    this.#key = parsed.key;
  }

  currentKeyId(): Promise<string> {
    return Promise.resolve(keyIdOf(this.#key));
  }

  wrap(secret: Uint8Array, context: WrapContext): Promise<WrappedSecret> {
    return Promise.resolve(wrapLocally(secret, this.#key, context));
  }

  async unwrap(wrapped: WrappedSecret, context: WrapContext): Promise<Uint8Array> {
    return await Promise.resolve(
      unwrapLocally(wrapped, [this.#key], { place: this.place, context }),
    );
  }
}

/**
 * Takes the key out of the environment: no program and no thread that this one starts inherits it. What the system keeps of
 * the environment that the process began with (/proc/<pid>/environ, for the same user and root) can not be changed.
 */
export function forgetKeyVariable(environment: Record<string, string | undefined>): void {
  delete environment[KEY_VARIABLE];
}
