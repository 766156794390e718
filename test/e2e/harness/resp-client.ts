/**
 * A RESP2 client of the tests' own, as small as it can be: it shows exactly what came over the wire, tells errors from
 * answers, and says when its connection ended with answers outstanding. (ioredis and node-redis have tests of their own.)
 */
import { connect, type Socket } from "node:net";
import { connect as connectTls, type ConnectionOptions } from "node:tls";

export type RespValue = string | number | null | RespError | readonly RespValue[];

/** An error reply. A value, not a throw: tests look at it. */
export class RespError {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export class ConnectionLost extends Error {}

interface Waiter {
  readonly resolve: (value: RespValue) => void;
  readonly reject: (error: Error) => void;
}

export class RespClient {
  readonly #socket: Socket;
  #buffer: Buffer = Buffer.alloc(0);
  /** Who waits for an answer, oldest at `#head`. */
  #waiting: Waiter[] = [];
  #head = 0;
  #ended = false;

  /** Rejects when nobody listens. */
  static connect(port: number, host = "127.0.0.1"): Promise<RespClient> {
    return RespClient.#over(connect({ port, host, noDelay: true }));
  }

  /** Over a Unix socket. Rejects when nobody listens. */
  static connectUnix(path: string): Promise<RespClient> {
    return RespClient.#over(connect({ path }));
  }

  /** Over TLS, the server's certificate verified as `options` say. Rejects when either side refuses the other's. */
  static connectTls(port: number, options: ConnectionOptions): Promise<RespClient> {
    const socket = connectTls({ host: "127.0.0.1", ...options, port });
    socket.setNoDelay(true);
    return RespClient.#over(socket, "secureConnect");
  }

  static async #over(socket: Socket, event = "connect"): Promise<RespClient> {
    await new Promise<void>((resolve, reject) => {
      socket.once(event, resolve);
      socket.once("error", reject);
    });
    return new RespClient(socket);
  }

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (bytes: Buffer) => this.#receive(bytes));
    socket.on("error", () => this.#end());
    socket.on("close", () => this.#end());
  }

  get isOpen(): boolean {
    return !this.#ended;
  }

  /** Rejects with ConnectionLost when the connection ends before the answer: the outcome is unknown. */
  call(...words: readonly (string | Buffer)[]): Promise<RespValue> {
    return this.pipeline([words])[0];
  }

  /** Sends all commands in one write. Each answer comes, or is lost, on its own. */
  pipeline(commands: readonly (readonly (string | Buffer)[])[]): Promise<RespValue>[] {
    if (this.#ended) {
      return commands.map(() => Promise.reject(new ConnectionLost("the connection has ended")));
    }
    const answers = commands.map(
      () =>
        new Promise<RespValue>((resolve, reject) => {
          this.#waiting.push({ resolve, reject });
        }),
    );
    this.#socket.write(Buffer.concat(commands.map(encodeCommand)));
    return answers;
  }

  close(): void {
    this.#socket.destroy();
    this.#end();
  }

  #end(): void {
    this.#ended = true;
    const waiting = this.#waiting.slice(this.#head);
    this.#waiting = [];
    this.#head = 0;
    for (const waiter of waiting) waiter.reject(new ConnectionLost("the connection ended"));
  }

  #receive(bytes: Buffer): void {
    this.#buffer = this.#buffer.length === 0 ? bytes : Buffer.concat([this.#buffer, bytes]);
    for (;;) {
      const parsed = parse(this.#buffer, 0);
      if (parsed === null) return;
      this.#buffer = this.#buffer.subarray(parsed.end);
      this.#waiting[this.#head++]?.resolve(parsed.value);
      if (this.#head === this.#waiting.length) {
        this.#waiting = [];
        this.#head = 0;
      }
    }
  }
}

/** One command as an array of bulk strings. */
export function encodeCommand(words: readonly (string | Buffer)[]): Buffer {
  const parts: Buffer[] = [Buffer.from(`*${words.length}\r\n`)];
  for (const word of words) {
    const bytes = Buffer.from(word);
    parts.push(Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from("\r\n"));
  }
  return Buffer.concat(parts);
}

function parse(
  buffer: Buffer,
  start: number,
): { readonly value: RespValue; readonly end: number } | null {
  const lineEnd = buffer.indexOf("\r\n", start);
  if (lineEnd < 0) return null;
  const line = buffer.toString("utf8", start + 1, lineEnd);
  const next = lineEnd + 2;
  switch (String.fromCharCode(buffer[start])) {
    case "+":
      return { value: line, end: next };
    case "-":
      return { value: new RespError(line), end: next };
    case ":":
      return { value: Number(line), end: next };
    case "$": {
      const length = Number(line);
      if (length < 0) return { value: null, end: next };
      if (buffer.length < next + length + 2) return null;
      return { value: buffer.toString("utf8", next, next + length), end: next + length + 2 };
    }
    case "*": {
      const count = Number(line);
      if (count < 0) return { value: null, end: next };
      const values: RespValue[] = [];
      let at = next;
      for (let index = 0; index < count; index++) {
        const parsed = parse(buffer, at);
        if (parsed === null) return null;
        values.push(parsed.value);
        at = parsed.end;
      }
      return { value: values, end: at };
    }
    default:
      throw new Error(`not a RESP2 reply: ${line}`);
  }
}
