/**
 * One request to Vault over HTTP. Neither token nor secret is in an error, whatever the other side sends back. Redirects
 * are not followed: the token would go where somebody else says.
 */
import { request as requestPlain, type IncomingMessage } from "node:http";
import { request as requestTls } from "node:https";
import { AtRestError } from "./errors.ts";

/** Transit's answers have some hundred bytes. */
const ANSWER_BYTES_MAX: number = 64 * 1024;
const TOLD_CHARACTERS_MAX = 200;

export interface VaultRequest {
  readonly url: string;
  readonly token: string;
  /** Empty: none. */
  readonly namespace: string;
  /** PEM; null: the authorities that Node.js brings along. */
  readonly ca: Buffer | null;
  readonly timeoutMs: number;
  readonly body: Readonly<Record<string, string>>;
  /** Texts of the request that may be in no error. */
  readonly secrets: readonly string[];
}

/**
 * The `data` of the answer.
 * @throws AtRestError `VAULT_UNAVAILABLE` when asking again may help, else `VAULT_REFUSED`
 */
export async function askVault(ask: VaultRequest): Promise<Readonly<Record<string, unknown>>> {
  const { status, text } = await send(ask);
  if (status === 200) {
    const answer = readJson(text);
    const data = answer?.["data"];
    if (typeof data === "object" && data !== null) return data as Record<string, unknown>;
    throw new AtRestError(
      "VAULT_REFUSED",
      `${ask.url} answers with something that is not Vault's: check at-rest-vault-address`,
    );
  }
  throw refusal(ask, status, text);
}

function send(ask: VaultRequest): Promise<{ readonly status: number; readonly text: string }> {
  const body = Buffer.from(JSON.stringify(ask.body));
  const options = {
    method: "POST",
    agent: false,
    signal: AbortSignal.timeout(ask.timeoutMs),
    headers: {
      "content-type": "application/json",
      "content-length": body.length,
      "x-vault-token": ask.token,
      // Vault refuses requests without it where an agent in front of it wants to be sure of its clients.
      "x-vault-request": "true",
      ...(ask.namespace === "" ? {} : { "x-vault-namespace": ask.namespace }),
    },
  };
  return new Promise((resolve, reject) => {
    const onAnswer = (answer: IncomingMessage): void => {
      readAnswer(answer).then(
        (text) => resolve({ status: answer.statusCode ?? 0, text }),
        (error: Error) => reject(unavailable(ask, error)),
      );
    };
    const request = ask.url.startsWith("https:")
      ? requestTls(
          ask.url,
          { ...options, minVersion: "TLSv1.2", ...(ask.ca === null ? {} : { ca: ask.ca }) },
          onAnswer,
        )
      : requestPlain(ask.url, options, onAnswer);
    request.on("error", (error) => reject(unavailable(ask, error)));
    request.end(body);
  });
}

async function readAnswer(answer: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  let sizeBytes = 0;
  for await (const piece of answer) {
    const bytes = piece as Buffer;
    sizeBytes += bytes.length;
    if (sizeBytes > ANSWER_BYTES_MAX) {
      throw new Error(`the answer has more than ${ANSWER_BYTES_MAX} bytes`);
    }
    pieces.push(bytes);
  }
  return Buffer.concat(pieces).toString("utf8");
}

function readJson(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

function unavailable(ask: VaultRequest, error: Error): AtRestError {
  const { code, name } = error as NodeJS.ErrnoException;
  const timedOut = name === "TimeoutError" || name === "AbortError";
  const why = timedOut
    ? `no answer within ${ask.timeoutMs} ms (at-rest-vault-timeout-ms)`
    : (code ?? error.message);
  return new AtRestError(
    "VAULT_UNAVAILABLE",
    `Vault can not be reached at ${new URL(ask.url).origin}: ${why}`,
    { cause: timedOut ? undefined : error },
  );
}

function refusal(ask: VaultRequest, status: number, text: string): AtRestError {
  const path = new URL(ask.url).pathname;
  const said = toldBy(ask, text);
  const refused = (why: string): AtRestError =>
    new AtRestError("VAULT_REFUSED", `Vault refuses ${path} (status ${status}): ${why}${said}`);
  switch (status) {
    case 403:
      return refused(
        "the token in at-rest-vault-token-file is expired, or its policies do not allow `update` there",
      );
    case 404:
      return refused(
        "there is no such mount or key; check at-rest-vault-mount, at-rest-vault-transit-key and at-rest-vault-namespace",
      );
    case 503:
      return new AtRestError("VAULT_UNAVAILABLE", `Vault is sealed or in maintenance${said}`);
    // Too many requests, and what standbys of Vault answer while they can not pass on.
    case 412:
    case 429:
    case 472:
    case 473:
      return new AtRestError("VAULT_UNAVAILABLE", `Vault is busy (status ${status})${said}`);
    default:
  }
  if (status >= 300 && status < 400) {
    return refused("it is somewhere else; set at-rest-vault-address to the active node's address");
  }
  if (status >= 500) {
    return new AtRestError("VAULT_UNAVAILABLE", `Vault fails (status ${status})${said}`);
  }
  return refused("the request is not as it wants it");
}

/** What Vault says itself, made fit for a log line; nothing when it repeats what is secret. */
function toldBy(ask: VaultRequest, text: string): string {
  const errors = readJson(text)?.["errors"];
  if (!Array.isArray(errors) || errors.length === 0) return "";
  const told = errors
    .join("; ")
    .replaceAll(/[^\x20-\x7e]+/g, " ")
    .trim();
  if (told === "" || [ask.token, ...ask.secrets].some((secret) => told.includes(secret))) return "";
  return `. It says: ${told.slice(0, TOLD_CHARACTERS_MAX)}`;
}
