/** Where clients come in: the plain port, the TLS port and the Unix socket, opened together or not at all. */
import type { Socket } from "node:net";
import type { NodeConfig } from "../config/node-config.ts";
import { ServerError } from "./errors.ts";
import { Listener, type ListenAddress, type ListenOptions } from "./listener.ts";
import type { ServerLogger } from "./logger.ts";
import type { TlsService } from "./tls-service.ts";
import { UnixListener } from "./unix-listener.ts";

/** Connections that the kernel holds ready, as with Redis' tcp-backlog. */
const LISTEN_BACKLOG = 511;

export type DoorKind = "tcp" | "unix";

export interface DoorsParts {
  readonly logger: ServerLogger;
  /** Null where there are no certificates for clients. */
  readonly tls: TlsService | null;
  accept(socket: Socket, kind: DoorKind): void;
}

export class Doors {
  readonly #parts: DoorsParts;
  #plain: Listener | null = null;
  #unix: UnixListener | null = null;
  #tlsAddresses: readonly ListenAddress[] = [];

  constructor(parts: DoorsParts) {
    this.#parts = parts;
  }

  /** Where TLS is spoken; empty where it is not. */
  get tlsAddresses(): readonly ListenAddress[] {
    return this.#tlsAddresses;
  }

  /** Where plain clients come in. Throws a ServerError that names what is in the way; then nothing listens. */
  async open(config: NodeConfig): Promise<readonly ListenAddress[]> {
    if (this.#plain !== null) {
      throw new ServerError("ALREADY_STARTED", "the server was started already");
    }
    const { bind, bindOptional, port } = config;
    const options = listenOptions(bind, bindOptional, port, config);
    this.#plain = new Listener(options, this.#parts.logger, (socket) => {
      this.#parts.accept(socket, "tcp");
    });
    const addresses = await this.#plain.start();
    try {
      await this.#openTls(config);
      await this.#openUnix(config);
    } catch (error) {
      await this.close();
      throw error;
    }
    return addresses;
  }

  /** Nobody comes in any more; who is in stays. */
  async close(): Promise<void> {
    this.#unix?.stop();
    await this.#plain?.stop();
    await this.#parts.tls?.stop();
  }

  async #openTls(config: NodeConfig): Promise<void> {
    const { tlsBind, tlsBindOptional, tlsPort } = config;
    const { tls } = this.#parts;
    if (tls === null || tlsPort === null) return;
    this.#tlsAddresses = await tls.start(listenOptions(tlsBind, tlsBindOptional, tlsPort, config));
  }

  async #openUnix(config: NodeConfig): Promise<void> {
    const { unixSocket: path, unixSocketPermissions: permissions } = config;
    if (path === null) return;
    const options = { path, permissions, backlog: LISTEN_BACKLOG };
    this.#unix = new UnixListener(options, this.#parts.logger, (socket) => {
      this.#parts.accept(socket, "unix");
    });
    await this.#unix.start();
  }
}

function listenOptions(
  hosts: readonly string[],
  optionalHosts: readonly string[] | undefined,
  port: number,
  config: NodeConfig,
): ListenOptions {
  return {
    hosts,
    optionalHosts: new Set(optionalHosts),
    port,
    backlog: LISTEN_BACKLOG,
    keepaliveSeconds: config.tcpKeepaliveSeconds,
  };
}
