/** A client that sends what it is told, byte for byte, and hands out replies as raw RESP text. */
import { connect } from "node:net";
import type { Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { ConnectionOptions } from "node:tls";

export class RawClient {
  readonly socket: Socket;
  /** Received and not read yet: `#received[#start, #end)`. */
  #received: Buffer = Buffer.alloc(1024);
  #start = 0;
  #end = 0;
  #waiters: (() => void)[] = [];
  #closed = false;
  readonly closed: Promise<void>;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (bytes) => {
      this.#append(bytes);
      this.#wake();
    });
    socket.on("error", () => undefined);
    this.closed = new Promise((resolve) => {
      socket.on("close", () => {
        this.#closed = true;
        this.#wake();
        resolve();
      });
      socket.on("end", () => socket.end());
    });
  }

  static connect(port: number, options: { allowHalfOpen?: boolean } = {}): Promise<RawClient> {
    return RawClient.#open(connect({ port, host: "127.0.0.1", noDelay: true, ...options }));
  }

  /** Over a Unix socket. */
  static connectTo(path: string): Promise<RawClient> {
    return RawClient.#open(connect({ path }));
  }

  /** Over TLS; resolves when the handshake is done on this side. */
  static connectTls(port: number, options: ConnectionOptions): Promise<RawClient> {
    return RawClient.#open(connectTls({ port, host: "127.0.0.1", ...options }), "secureConnect");
  }

  static #open(socket: Socket, event = "connect"): Promise<RawClient> {
    return new Promise((resolve, reject) => {
      socket.once("error", reject);
      socket.once(event, () => {
        socket.off("error", reject);
        resolve(new RawClient(socket));
      });
    });
  }

  write(bytes: string | Buffer): void {
    this.socket.write(bytes);
  }

  /** Sends commands given as words, in one write. */
  send(...commands: string[]): void {
    this.write(commands.map((command) => request(...command.split(" "))).join(""));
  }

  /** The next `length` bytes as latin1 text; what came when the connection closed first. */
  async read(length: number): Promise<string> {
    while (this.receivedBytes < length && !this.#closed) await this.#more();
    const end = Math.min(this.#end, this.#start + length);
    const text = this.#received.toString("latin1", this.#start, end);
    this.#start = end;
    return text;
  }

  /** Reads as many bytes as `expected` has and returns them. */
  async expectBytes(expected: string): Promise<string> {
    return this.read(Buffer.byteLength(expected, "latin1"));
  }

  /** One whole reply as RESP text. */
  async reply(): Promise<string> {
    for (;;) {
      const waiting = this.#received.subarray(this.#start, this.#end);
      const end = replyEnd(waiting, 0);
      if (end >= 0) return this.read(end);
      if (this.#closed)
        throw new Error(`closed after ${JSON.stringify(waiting.toString("latin1"))}`);
      await this.#more();
    }
  }

  /** Sends one command given as words and returns its reply as RESP text. */
  async ask(...words: string[]): Promise<string> {
    this.write(request(...words));
    return this.reply();
  }

  /** Everything until the connection is closed. */
  async rest(): Promise<string> {
    await this.closed;
    return this.read(this.receivedBytes);
  }

  get receivedBytes(): number {
    return this.#end - this.#start;
  }

  destroy(): void {
    this.socket.destroy();
  }

  #append(bytes: Buffer): void {
    const needed = this.receivedBytes + bytes.length;
    if (this.#end + bytes.length > this.#received.length) {
      const next = needed * 2 > this.#received.length ? Buffer.alloc(needed * 2) : this.#received;
      this.#received.copy(next, 0, this.#start, this.#end);
      this.#received = next;
      this.#end -= this.#start;
      this.#start = 0;
    }
    bytes.copy(this.#received, this.#end);
    this.#end += bytes.length;
  }

  #more(): Promise<void> {
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  #wake(): void {
    for (const resolve of this.#waiters.splice(0)) resolve();
  }
}

/** A command as RESP. */
export function request(...words: string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join("")}`;
}

/** Where the reply that starts at `at` ends, or -1 when it is not complete. */
function replyEnd(bytes: Buffer, at: number): number {
  const lineEnd = bytes.indexOf("\r\n", at);
  if (lineEnd < 0) return -1;
  const type = String.fromCharCode(bytes[at]);
  const count = Number(bytes.toString("latin1", at + 1, lineEnd));
  const next = lineEnd + 2;
  if (type === "$" || type === "=") {
    const end = count < 0 ? next : next + count + 2;
    return end <= bytes.length ? end : -1;
  }
  if (!"*~>%".includes(type) || count < 0) return next;
  let end = next;
  for (let left = type === "%" ? count * 2 : count; left > 0; left--) {
    end = replyEnd(bytes, end);
    if (end < 0) return -1;
  }
  return end;
}
