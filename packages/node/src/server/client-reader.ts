/** How clients' bytes get to their connections: through one buffer for all of them where this Node allows it, else by events. */
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { ByteStream } from "./byte-stream.ts";
import type { ServerLogger } from "./logger.ts";
import { readIntoStaticBuffer } from "./static-read.ts";
import { readTlsIntoStaticBuffer } from "./tls-static-read.ts";

/** What takes bytes: they may be overwritten as soon as `receive` returns. */
export interface ByteReceiver {
  receive(bytes: Buffer, length: number): void;
}

/** Bytes read from a socket at a time, by all connections of the server in turn. */
const READ_BUFFER_BYTES = 64 * 1024;

export class ClientReader {
  #staticBuffer: Buffer | null = null;
  readonly #logger: ServerLogger;
  #isStatic: boolean;
  #isTlsStatic: boolean;

  /** `isStatic` false: by events only. */
  constructor(isStatic: boolean, logger: ServerLogger) {
    this.#isStatic = isStatic;
    this.#isTlsStatic = isStatic;
    this.#logger = logger;
  }

  /** Made for the first socket: who is read by events only does without it. */
  get #buffer(): Buffer {
    this.#staticBuffer ??= Buffer.allocUnsafeSlow(READ_BUFFER_BYTES);
    return this.#staticBuffer;
  }

  /** Whether plain connections are read into the static buffer. */
  get isStatic(): boolean {
    return this.#isStatic;
  }

  /** The same of connections over TLS. */
  get isTlsStatic(): boolean {
    return this.#isTlsStatic;
  }

  /** Reads an accepted socket that is paused. `add` makes the connection on the stream that stands for it from now on. */
  read(accepted: Socket, add: (stream: Socket) => ByteReceiver): void {
    const stream = this.#isStatic ? this.#readStatically(accepted, add) : false;
    if (!stream) this.readByEvents(accepted, add(accepted));
  }

  /** Reads a TLS socket whose handshake has just been done. */
  readTls(socket: TLSSocket, receiver: ByteReceiver): void {
    const buffer = this.#buffer;
    if (this.#isTlsStatic && socket.readableLength === 0) {
      const receive = (length: number): void => receiver.receive(buffer, length);
      if (readTlsIntoStaticBuffer(socket, buffer, receive)) return;
      this.#isTlsStatic = false;
      this.#tell("TLS");
    }
    this.readByEvents(socket, receiver);
  }

  readByEvents(stream: ByteStream, receiver: ByteReceiver): void {
    stream.on("data", (bytes: Buffer) => receiver.receive(bytes, bytes.length));
    stream.resume();
  }

  #readStatically(accepted: Socket, add: (stream: Socket) => ByteReceiver): boolean {
    const buffer = this.#buffer;
    // Reading may begin before there is a connection.
    let receiver: ByteReceiver | null = null;
    const stream = readIntoStaticBuffer(accepted, buffer, (_socket, length) => {
      receiver?.receive(buffer, length);
    });
    if (stream === null) {
      this.#isStatic = false;
      this.#tell("plain");
      return false;
    }
    receiver = add(stream);
    return true;
  }

  #tell(connections: string): void {
    const fields = { connections };
    this.#logger.warn(
      fields,
      "this Node version does not allow static read buffers; reading by events",
    );
  }
}
