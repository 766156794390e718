/**
 * Listens on the configured addresses and hands over accepted sockets. A failed accept (no file descriptors, a client
 * that left already) is logged and does not stop listening.
 */
import { createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";
import { ServerError } from "./errors.ts";
import type { ServerLogger } from "./logger.ts";

export interface ListenOptions {
  /** `bind`: "*" and "::*" mean every interface. */
  readonly hosts: readonly string[];
  /** Those of them whose lack is no reason to stop (`bind -::1`). */
  readonly optionalHosts: ReadonlySet<string>;
  /** 0 picks a free one, the same for all hosts. */
  readonly port: number;
  /** Connections the kernel holds ready. */
  readonly backlog: number;
  /** 0 = off. */
  readonly keepaliveSeconds: number;
}

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** Errors that say that a host has no such address: machines without IPv6 are many. */
const ADDRESS_LACKING: ReadonlySet<string> = new Set([
  "EADDRNOTAVAIL",
  "EAFNOSUPPORT",
  "EPROTONOSUPPORT",
]);
/** A port picked for the first address may be taken on the second: tries before giving up. */
const PICKED_PORT_ATTEMPTS = 20;

export class Listener {
  readonly #options: ListenOptions;
  readonly #logger: ServerLogger;
  readonly #onSocket: (socket: Socket) => void;
  #servers: Server[] = [];

  constructor(options: ListenOptions, logger: ServerLogger, onSocket: (socket: Socket) => void) {
    this.#options = options;
    this.#logger = logger;
    this.#onSocket = onSocket;
  }

  /** Where it listens. Throws ServerError LISTEN_FAILED, naming host and port; then nothing listens. */
  async start(): Promise<readonly ListenAddress[]> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#listenOnAll();
      } catch (error) {
        await this.stop();
        const taken = isNodeError(error) && error.code === "EADDRINUSE";
        if (this.#options.port === 0 && taken && attempt < PICKED_PORT_ATTEMPTS) continue;
        throw error instanceof ServerError ? error : describe(error, this.#options.port);
      }
    }
  }

  /** Stops accepting. Connections that were accepted are not touched. */
  async stop(): Promise<void> {
    const servers = this.#servers;
    this.#servers = [];
    for (const server of servers) {
      // `close` calls back when the last connection is gone; not accepting any more begins at once.
      if (server.listening) server.close();
    }
    await Promise.resolve();
  }

  async #listenOnAll(): Promise<readonly ListenAddress[]> {
    const addresses: ListenAddress[] = [];
    let port = this.#options.port;
    let lacking: unknown = null;
    for (const host of this.#options.hosts) {
      try {
        const address = await this.#listen(interfaceName(host), port);
        port = address.port;
        addresses.push(address);
      } catch (error) {
        if (!this.#mayLack(host, error)) throw error;
        lacking = error;
        this.#logger.info({ host, port }, "address is not available, not listening on it");
      }
    }
    if (addresses.length > 0) return addresses;
    throw lacking === null
      ? new ServerError("LISTEN_FAILED", "no address to listen on: bind is empty")
      : describe(lacking, port);
  }

  #mayLack(host: string, error: unknown): boolean {
    if (!isNodeError(error) || !ADDRESS_LACKING.has(error.code ?? "")) return false;
    return this.#options.optionalHosts.has(host) || host === "::1" || host === "::*";
  }

  #listen(host: string, port: number): Promise<ListenAddress> {
    const keepAlive = this.#options.keepaliveSeconds > 0;
    const server = createServer({
      allowHalfOpen: true,
      pauseOnConnect: true,
      noDelay: true,
      keepAlive,
      keepAliveInitialDelay: this.#options.keepaliveSeconds * 1000,
    });
    return new Promise((resolve, reject) => {
      server.once("error", reject);
      const listenOptions = {
        host,
        port,
        backlog: this.#options.backlog,
        ipv6Only: host.includes(":"),
      };
      server.listen(listenOptions, () => {
        server.off("error", reject);
        server.on("error", (error) =>
          this.#logger.warn({ host, port, error: error.message }, "could not accept a connection"),
        );
        server.on("connection", this.#onSocket);
        this.#servers.push(server);
        const bound = server.address() as AddressInfo;
        resolve({ host: bound.address, port: bound.port });
      });
    });
  }
}

function interfaceName(host: string): string {
  if (host === "*") return "0.0.0.0";
  return host === "::*" ? "::" : host;
}

interface NodeError extends Error {
  readonly code?: string;
  readonly address?: string;
  readonly port?: number;
}

function isNodeError(error: unknown): error is NodeError {
  return error instanceof Error;
}

function describe(error: unknown, port: number): ServerError {
  const known = isNodeError(error) ? error : new Error(String(error));
  const { code = "", address = "", message } = known as NodeError;
  const where = `${address.includes(":") ? `[${address}]` : address}:${(known as NodeError).port ?? port}`;
  const why =
    code === "EADDRINUSE"
      ? "another program listens there already; stop it or set another port"
      : message;
  return new ServerError("LISTEN_FAILED", `can not listen on ${where}: ${why}`, { cause: error });
}
