/** A TCP client that sends exactly the bytes it is given and keeps what comes back. */
import { connect, type Socket } from "node:net";
import { until } from "./cluster.ts";

export class RawClient {
  readonly #socket: Socket;
  #received = "";
  #receivedBytes = 0;
  #closed = false;

  static async connect(port: number): Promise<RawClient> {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("error", reject);
    });
    return new RawClient(socket);
  }

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (bytes: Buffer) => {
      this.#received += bytes.toString("latin1");
      this.#receivedBytes += bytes.length;
    });
    // A reset is one of the ends that tests wait for.
    socket.on("error", () => undefined);
    socket.on("close", () => (this.#closed = true));
  }

  get received(): string {
    return this.#received;
  }

  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  /** Resolves when the kernel has taken the bytes, or when the connection is gone. */
  send(bytes: Buffer | string): Promise<void> {
    return new Promise((resolve) => {
      if (this.#closed || this.#socket.destroyed) return resolve();
      const done = (): void => {
        this.#socket.off("close", done);
        resolve();
      };
      this.#socket.once("close", done);
      this.#socket.write(bytes, done);
    });
  }

  /** Hands bytes over without waiting for the kernel. */
  push(bytes: Buffer | string): void {
    this.#socket.write(bytes);
  }

  /** No more reading: the receive window fills up. */
  stopReading(): void {
    this.#socket.pause();
  }

  /** Bytes that the other side has not taken. */
  get unsentBytes(): number {
    return this.#socket.writableLength;
  }

  async receives(text: string): Promise<void> {
    await until(`${JSON.stringify(text)} is received`, () => this.#received.includes(text));
  }

  async isClosedByServer(): Promise<void> {
    await until("the connection is closed", () => this.#closed);
  }

  close(): void {
    this.#socket.destroy();
  }
}
