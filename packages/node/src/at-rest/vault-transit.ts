/**
 * The transit engine of HashiCorp Vault (or OpenBao) as a source: the key-encryption key never leaves it. Wrapped secrets
 * are bound to node and cluster by transit's `associated_data`, which it knows for AEAD keys since version 1.13. Its
 * `rewrap` does not know them (hashicorp/vault issue 29532), so that a new version of the key is taken up by wrapping
 * anew: this node has the secret in memory anyway.
 */
import { AtRestError } from "./errors.ts";
import {
  contextBytes,
  type KeySource,
  type WrapContext,
  type WrappedSecret,
} from "./key-source.ts";
import { readSmallFile } from "./small-file.ts";
import { askVault } from "./vault-request.ts";

const TOKEN_BYTES_MAX: number = 16 * 1024;
const CA_BYTES_MAX: number = 1024 * 1024;

export interface VaultTransitOptions {
  /** Without a slash at its end. */
  readonly address: string;
  readonly mount: string;
  readonly key: string;
  readonly namespace: string;
  readonly tokenFile: string;
  readonly caCertFile: string | null;
  readonly timeoutMs: number;
}

export class VaultTransit implements KeySource {
  readonly kind = "vault";
  readonly place: string;
  readonly #options: VaultTransitOptions;

  constructor(options: VaultTransitOptions) {
    this.#options = options;
    this.place = `Vault's key ${options.mount}/${options.key} at ${options.address}`;
  }

  currentKeyId(): Promise<null> {
    return Promise.resolve(null);
  }

  async wrap(secret: Uint8Array, context: WrapContext): Promise<WrappedSecret> {
    const plaintext = Buffer.from(secret).toString("base64");
    const data = await this.#ask("encrypt", { plaintext }, { context, secrets: [plaintext] });
    const text = data["ciphertext"];
    const version = typeof text === "string" ? versionOf(text) : null;
    if (typeof text !== "string" || version === null) throw this.#strange("encrypt");
    return { by: "vault", keyId: `${this.#options.mount}/${this.#options.key}:v${version}`, text };
  }

  async unwrap(wrapped: WrappedSecret, context: WrapContext): Promise<Uint8Array> {
    const { mount, key } = this.#options;
    if (wrapped.by !== "vault" || !wrapped.keyId.startsWith(`${mount}/${key}:`)) {
      throw new AtRestError(
        "WRONG_KEY",
        `the keyring was wrapped with ${wrapped.by === "vault" ? "Vault's key" : "key"} ${wrapped.keyId}, not with ` +
          `${mount}/${key}. Set the key-encryption key it was wrapped with; while the node runs it can be moved ` +
          "(CONFIG SET, then FERRITE.ATREST REWRAP)",
      );
    }
    const data = await this.#ask("decrypt", { ciphertext: wrapped.text }, { context, secrets: [] });
    const plaintext = data["plaintext"];
    if (typeof plaintext !== "string") throw this.#strange("decrypt");
    return Buffer.from(plaintext, "base64");
  }

  async #ask(
    operation: "encrypt" | "decrypt",
    body: Readonly<Record<string, string>>,
    bound: { readonly context: WrapContext; readonly secrets: readonly string[] },
  ): Promise<Readonly<Record<string, unknown>>> {
    const { address, mount, key, namespace, caCertFile, timeoutMs } = this.#options;
    return await askVault({
      url: `${address}/v1/${mount}/${operation}/${key}`,
      token: await this.#token(),
      namespace,
      ca:
        caCertFile === null
          ? null
          : (await readSmallFile("at-rest-vault-ca-cert-file", caCertFile, CA_BYTES_MAX)).bytes,
      timeoutMs,
      body: { ...body, associated_data: contextBytes(bound.context).toString("base64") },
      secrets: bound.secrets,
    });
  }

  /** Read each time: an agent renews it. */
  async #token(): Promise<string> {
    const path = this.#options.tokenFile;
    const { bytes } = await readSmallFile("at-rest-vault-token-file", path, TOKEN_BYTES_MAX);
    const token = bytes.toString("latin1").trim();
    // Anything else would break the header apart.
    if (/^[\x21-\x7e]+$/.test(token)) return token;
    throw new AtRestError(
      "KEY_UNREADABLE",
      `at-rest-vault-token-file ${path} can not be used: it does not hold one token on one line`,
    );
  }

  #strange(operation: string): AtRestError {
    return new AtRestError(
      "VAULT_REFUSED",
      `${this.place} answers ${operation} with something that is not transit's`,
    );
  }
}

/** `vault:v3:...` is of version 3. */
function versionOf(ciphertext: string): number | null {
  const match = /^vault:v(\d{1,9}):./.exec(ciphertext);
  return match === null ? null : Number(match[1]);
}
