/**
 * Listens on a Unix socket: the administrator's way in that needs no address, no certificate and, with the file's
 * permissions, no password. Nobody can connect before the permissions are those that were asked for.
 */
import { chmodSync, lstatSync, unlinkSync } from "node:fs";
import type { Stats } from "node:fs";
import { connect, createServer } from "node:net";
import type { Server, Socket } from "node:net";
import { ServerError } from "./errors.ts";
import type { ServerLogger } from "./logger.ts";

export interface UnixListenOptions {
  /** Absolute. */
  readonly path: string;
  /** Of the socket's file, like 0o700: who may connect. */
  readonly permissions: number;
  /** Connections the kernel holds ready. */
  readonly backlog: number;
}

/** Bytes of a path that the kernel takes (sun_path without its end); a longer one would be cut off silently. */
const PATH_BYTES_MAX = 107;
/** While the socket is made nobody else gets at it; files that other threads make at that moment lose nothing they need. */
const PRIVATE_UMASK = 0o077;

export class UnixListener {
  readonly #options: UnixListenOptions;
  readonly #logger: ServerLogger;
  readonly #onSocket: (socket: Socket) => void;
  #server: Server | null = null;

  constructor(
    options: UnixListenOptions,
    logger: ServerLogger,
    onSocket: (socket: Socket) => void,
  ) {
    this.#options = options;
    this.#logger = logger;
    this.#onSocket = onSocket;
  }

  /**
   * Begins to listen. A socket that a process left behind is replaced. Throws ServerError LISTEN_FAILED when somebody
   * listens there, the path is too long, or something else than a socket has that name; that is never touched.
   */
  async start(): Promise<void> {
    const { path } = this.#options;
    if (Buffer.byteLength(path) > PATH_BYTES_MAX) {
      throw failed(path, `the path is longer than ${PATH_BYTES_MAX} bytes`);
    }
    await this.#makeWay();
    this.#server = await this.#listen();
  }

  /** Stops accepting and removes the file. Connections that were accepted are not touched. */
  stop(): void {
    const server = this.#server;
    this.#server = null;
    // Closing removes the file.
    if (server?.listening === true) server.close();
  }

  /** Removes a socket that nobody listens on. */
  async #makeWay(): Promise<void> {
    const { path } = this.#options;
    const there = statOf(path);
    if (there === null) return;
    if (!there.isSocket()) throw failed(path, "a file that is no socket has that name");
    const problem = await connectionProblem(path);
    if (problem === null) throw failed(path, "another program listens there already");
    if (problem === "ENOENT") return;
    // Anything but a refusal leaves open whether somebody listens.
    if (problem !== "ECONNREFUSED")
      throw failed(path, `it can not be told who listens there (${problem})`);
    unlinkSync(path);
    this.#logger.info({ path }, "removed a Unix socket that nobody listened on");
  }

  #listen(): Promise<Server> {
    const { path, permissions, backlog } = this.#options;
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true });
    return new Promise((resolve, reject) => {
      const onError = (error: Error): void => reject(failed(path, error.message, error));
      server.once("error", onError);
      server.once("listening", () => {
        server.off("error", onError);
        server.on("error", (error) =>
          this.#logger.warn({ path, error: error.message }, "could not accept a connection"),
        );
        server.on("connection", this.#onSocket);
        resolve(server);
      });
      const umask = process.umask(PRIVATE_UMASK);
      try {
        // The file is made before this returns; "listening" comes later.
        server.listen({ path, backlog });
      } finally {
        process.umask(umask);
      }
      try {
        if (server.listening) chmodSync(path, permissions);
      } catch (error) {
        server.close();
        onError(error as Error);
      }
    });
  }
}

function statOf(path: string): Stats | null {
  try {
    return lstatSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw failed(path, (error as Error).message, error);
  }
}

/** Null when somebody listens there, else the error's code. */
function connectionProblem(path: string): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    socket.once("connect", () => {
      socket.destroy();
      resolve(null);
    });
    socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
}

function failed(path: string, why: string, cause?: unknown): ServerError {
  return new ServerError("LISTEN_FAILED", `can not listen on the Unix socket ${path}: ${why}`, {
    cause,
  });
}
