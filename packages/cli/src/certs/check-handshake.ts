/** A real handshake with somebody: what the other side shows, and what it says to what we show. */
import { isIP } from "node:net";
import { checkServerIdentity, connect, type SecureContextOptions, type TLSSocket } from "node:tls";
import { connectionProblem } from "../connection/connection-problem.ts";

/** How long a handshake may take. */
export const HANDSHAKE_TIMEOUT_MS = 5000;
/** With TLS 1.3 a refusal comes after the handshake. Who says nothing for this long has taken us. */
export const REFUSAL_WAIT_MS = 1000;

export interface HandshakeOptions {
  readonly host: string;
  readonly port: number;
  /** What its certificate has to cover; null is the host. */
  readonly serverName: string | null;
  readonly context: Pick<SecureContextOptions, "ca" | "cert" | "key" | "passphrase">;
  /** Ask the other side for an answer in Redis' protocol: one that comes shows at once that we were taken. */
  readonly ping: boolean;
  readonly timeoutMs?: number;
  readonly refusalWaitMs?: number;
}

export interface HandshakeReport {
  /** Null: there was no handshake. */
  readonly protocol: string | null;
  readonly cipher: string | null;
  /** PEM of what it showed; null: nothing. */
  readonly shown: string | null;
  /** Whether it asked for a certificate of ours can not be seen; whether it took us can. */
  readonly problems: readonly string[];
}

/** Never rejects: what goes wrong is in the report. */
export async function shakeHands(options: HandshakeOptions): Promise<HandshakeReport> {
  let socket: TLSSocket;
  try {
    socket = open(options);
  } catch (error) {
    return failed(`Our files can not be used: ${connectionProblem(error)}.`);
  }
  const events = new SocketEvents(socket);
  try {
    const begun = await events.next("secureConnect", options.timeoutMs ?? HANDSHAKE_TIMEOUT_MS);
    if (begun !== "secureConnect") {
      return failed(`There was no handshake: ${wordsOf(begun, "no answer in time")}.`);
    }
    const problems = problemsOf(socket, options);
    const { protocol, cipher, shown } = facts(socket);
    if (options.ping) socket.write("PING\r\n");
    const after = await events.next("data", options.refusalWaitMs ?? REFUSAL_WAIT_MS);
    if (after instanceof Error) problems.push(`It refused us: ${connectionProblem(after, true)}.`);
    if (after === "close") problems.push("It refused us: it closed the connection at once.");
    return { protocol, cipher, shown, problems };
  } finally {
    socket.destroy();
  }
}

function open(options: HandshakeOptions): TLSSocket {
  const { host, port, serverName, context } = options;
  const name = serverName ?? host;
  return connect({
    ...context,
    host,
    port,
    minVersion: "TLSv1.2",
    // Everything is looked at below, and all of it told.
    rejectUnauthorized: false,
    ...(isIP(name) === 0 ? { servername: name } : {}),
  });
}

function facts(socket: TLSSocket): Omit<HandshakeReport, "problems"> {
  const certificate = socket.getPeerX509Certificate();
  return {
    protocol: socket.getProtocol(),
    cipher: socket.getCipher().standardName,
    shown: certificate === undefined ? null : certificate.toString(),
  };
}

function problemsOf(socket: TLSSocket, { host, serverName, context }: HandshakeOptions): string[] {
  const problems: string[] = [];
  const { authorizationError } = socket as { readonly authorizationError?: unknown };
  const code = codeOf(authorizationError);
  if (code !== null && code !== "ERR_TLS_CERT_ALTNAME_INVALID" && context.ca !== undefined) {
    problems.push(`We would refuse it: ${connectionProblem({ code, message: code })}.`);
  }
  const name = serverName ?? host;
  const wrongName = checkServerIdentity(name, socket.getPeerCertificate());
  if (wrongName !== undefined) {
    problems.push(`We would refuse it: its certificate does not cover "${name}".`);
  }
  return problems;
}

/** Node gives the code itself, or an error that has it. */
function codeOf(authorizationError: unknown): string | null {
  if (typeof authorizationError === "string") return authorizationError;
  const { code } = (authorizationError ?? {}) as { readonly code?: unknown };
  return typeof code === "string" ? code : null;
}

type SocketEvent = "secureConnect" | "data" | "close" | "late" | Error;

/** What happens to a socket, asked for one thing at a time; an error is never missed. */
class SocketEvents {
  readonly #socket: TLSSocket;
  #ended: "close" | Error | null = null;
  #waiter: ((event: SocketEvent) => void) | null = null;

  constructor(socket: TLSSocket) {
    this.#socket = socket;
    socket.on("error", (error) => this.#end(error));
    socket.on("close", () => this.#end("close"));
  }

  async next(wanted: "secureConnect" | "data", timeoutMs: number): Promise<SocketEvent> {
    if (this.#ended !== null) return this.#ended;
    const { promise, resolve } = Promise.withResolvers<SocketEvent>();
    this.#waiter = resolve;
    const timer = setTimeout(() => resolve("late"), timeoutMs);
    const onWanted = (): void => resolve(wanted);
    this.#socket.once(wanted, onWanted);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#waiter = null;
      this.#socket.off(wanted, onWanted);
    }
  }

  #end(how: "close" | Error): void {
    this.#ended ??= how;
    this.#waiter?.(this.#ended);
  }
}

function wordsOf(event: SocketEvent, late: string): string {
  if (event === "late") return late;
  return event instanceof Error ? connectionProblem(event, true) : "the connection was closed";
}

function failed(problem: string): HandshakeReport {
  return { protocol: null, cipher: null, shown: null, problems: [problem] };
}
