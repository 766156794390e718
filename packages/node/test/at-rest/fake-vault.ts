/**
 * As much of Vault as a client of the transit engine sees: encrypt, decrypt, rewrap and rotate with versions of a key,
 * associated data, tokens and namespaces, sealed, slow, redirecting. Errors have Vault's own status and words.
 */
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";

export interface FakeVaultOptions {
  readonly mount?: string;
  readonly key?: string;
  readonly token?: string;
  readonly namespace?: string;
  /** With a certificate it speaks TLS. */
  readonly tls?: { readonly cert: Buffer; readonly key: Buffer };
  /** Default: one that is free. */
  readonly port?: number;
}

interface Answer {
  readonly status: number;
  readonly body: object;
  readonly headers?: Readonly<Record<string, string>>;
}

export class FakeVault {
  readonly mount: string;
  readonly key: string;
  token: string;
  isSealed = false;
  /** Every answer has this status instead. */
  failsWith: { readonly status: number; readonly errors: readonly string[] } | null = null;
  latencyMs = 0;
  redirectsTo: string | null = null;
  /** Ciphertexts of earlier versions do not open any more. */
  minDecryptionVersion = 1;
  /** Which of the two its policy allows. */
  mayDecrypt = true;
  requests = 0;
  readonly #namespace: string;
  readonly #versions: Buffer[] = [randomBytes(32)];
  readonly #server: Server;
  readonly #tls: boolean;

  static async start(options: FakeVaultOptions = {}): Promise<FakeVault> {
    const vault = new FakeVault(options);
    await new Promise<void>((resolve) => {
      vault.#server.listen(options.port ?? 0, "127.0.0.1", resolve);
    });
    return vault;
  }

  private constructor(options: FakeVaultOptions) {
    this.mount = options.mount ?? "transit";
    this.key = options.key ?? "ferrite";
    this.token = options.token ?? `hvs.${randomBytes(12).toString("hex")}`;
    this.#namespace = options.namespace ?? "";
    this.#tls = options.tls !== undefined;
    const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
      void this.#serve(request, response);
    };
    this.#server =
      options.tls === undefined ? createServer(onRequest) : createTlsServer(options.tls, onRequest);
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  get address(): string {
    return this.#tls ? `https://localhost:${this.port}` : `http://127.0.0.1:${this.port}`;
  }

  /** `vault write -f transit/keys/<key>/rotate` */
  rotate(): number {
    return this.#versions.push(randomBytes(32));
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.requests += 1;
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    if (this.latencyMs > 0) await new Promise((resolve) => setTimeout(resolve, this.latencyMs));
    const answer = this.#answer(request, Buffer.concat(pieces).toString("utf8"));
    response.writeHead(answer.status, { "content-type": "application/json", ...answer.headers });
    response.end(JSON.stringify(answer.body));
  }

  #answer(request: IncomingMessage, text: string): Answer {
    if (this.redirectsTo !== null) {
      return { status: 307, body: {}, headers: { location: this.redirectsTo + request.url } };
    }
    if (this.failsWith !== null) return refuse(this.failsWith.status, ...this.failsWith.errors);
    if (this.isSealed) return refuse(503, "Vault is sealed");
    const namespace = request.headers["x-vault-namespace"] ?? "";
    if (request.headers["x-vault-token"] !== this.token || namespace !== this.#namespace) {
      return refuse(403, "permission denied");
    }
    const match = /^\/v1\/(.+)\/(encrypt|decrypt|rewrap)\/([^/]+)$/.exec(request.url ?? "");
    if (match === null || match[1] !== this.mount) {
      return refuse(404, `no handler for route "${request.url?.slice(4)}". route entry not found.`);
    }
    // Without the right to create one, encrypting with a key that is not there is not allowed.
    if (match[3] !== this.key) {
      return match[2] === "encrypt"
        ? refuse(403, "1 error occurred:\n\t* permission denied\n\n")
        : refuse(400, "encryption key not found");
    }
    if (match[2] === "decrypt" && !this.mayDecrypt) return refuse(403, "permission denied");
    return this.#transit(match[2] ?? "", JSON.parse(text) as Readonly<Record<string, string>>);
  }

  #transit(operation: string, body: Readonly<Record<string, string>>): Answer {
    const associated = Buffer.from(body["associated_data"] ?? "", "base64");
    if (operation === "encrypt") {
      const plaintext = Buffer.from(body["plaintext"] ?? "", "base64");
      if (plaintext.toString("base64") !== body["plaintext"]) {
        return refuse(400, "failed to base64-decode plaintext");
      }
      return this.#encrypted(plaintext, associated);
    }
    // As in Vault: rewrap takes no associated data, and so does not open what was bound to some.
    const opened = this.#decrypted(
      body["ciphertext"] ?? "",
      operation === "rewrap" ? Buffer.alloc(0) : associated,
    );
    if (!Buffer.isBuffer(opened)) return opened;
    if (operation === "rewrap") return this.#encrypted(opened, Buffer.alloc(0));
    return { status: 200, body: { data: { plaintext: opened.toString("base64") } } };
  }

  #encrypted(plaintext: Buffer, associated: Buffer): Answer {
    const version = this.#versions.length;
    const nonce = randomBytes(12);
    const cipher = createCipheriv("aes-256-gcm", this.#versions[version - 1], nonce);
    cipher.setAAD(associated);
    const bytes = [nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()];
    const ciphertext = `vault:v${version}:${Buffer.concat(bytes).toString("base64")}`;
    return { status: 200, body: { data: { ciphertext, key_version: version } } };
  }

  #decrypted(ciphertext: string, associated: Buffer): Buffer | Answer {
    const match = /^vault:v(\d+):(.+)$/.exec(ciphertext);
    if (match === null) return refuse(400, "invalid ciphertext: no prefix");
    const version = Number(match[1]);
    const key = this.#versions[version - 1];
    if (key === undefined) return refuse(400, "invalid ciphertext: version is too new");
    if (version < this.minDecryptionVersion) {
      return refuse(400, "ciphertext or signature version is disallowed by policy (too old)");
    }
    const bytes = Buffer.from(match[2] ?? "", "base64");
    const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, 12));
    decipher.setAAD(associated);
    decipher.setAuthTag(bytes.subarray(bytes.length - 16));
    try {
      return Buffer.concat([
        decipher.update(bytes.subarray(12, bytes.length - 16)),
        decipher.final(),
      ]);
    } catch {
      return refuse(400, "cipher: message authentication failed");
    }
  }
}

function refuse(status: number, ...errors: readonly string[]): Answer {
  return { status, body: { errors } };
}
