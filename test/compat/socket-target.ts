/** A server behind a TCP port or a Unix socket. */
import { connect } from "node:net";
import type { NetConnectOpts, Socket } from "node:net";
import { readReply } from "../../packages/node/test/commands/reply-tree.ts";
import { encodeWords } from "./requests.ts";
import type { Session, Target } from "./target.ts";

/** Waiting for one batch of replies. */
const REPLY_TIMEOUT_MS = 30_000;

export class SocketTarget implements Target {
  readonly name: string;
  readonly #address: NetConnectOpts;

  constructor(name: string, address: NetConnectOpts) {
    this.name = name;
    this.#address = address;
  }

  async open(protocol: 2 | 3): Promise<Session> {
    const socket = connect(this.#address);
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("error", reject);
    });
    const session = new SocketSession(socket);
    if (protocol === 3) await session.exchange([encodeWords(["HELLO", "3"])]);
    return session;
  }
}

class SocketSession implements Session {
  readonly #socket: Socket;
  #received: Buffer = Buffer.alloc(0);
  #onData: () => void = () => {};
  #failure: Error | null = null;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (bytes) => {
      this.#received = Buffer.concat([this.#received, bytes]);
      this.#onData();
    });
    socket.on("error", (error) => this.#fail(error));
    socket.on("close", () => this.#fail(new Error("the server closed the connection")));
  }

  async exchange(requests: readonly Buffer[]): Promise<readonly Buffer[]> {
    this.#socket.write(Buffer.concat(requests));
    const replies: Buffer[] = [];
    return await new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`${replies.length} of ${requests.length} replies came in time`)),
        REPLY_TIMEOUT_MS,
      );
      this.#onData = () => {
        this.#takeReplies(replies, requests.length);
        if (replies.length < requests.length && this.#failure === null) return;
        clearTimeout(timer);
        if (replies.length === requests.length) resolve(replies);
        else reject(this.#failure ?? new Error("no reply"));
      };
      this.#onData();
    });
  }

  async clear(): Promise<void> {
    await this.exchange([encodeWords(["FLUSHALL"])]);
  }

  async close(): Promise<void> {
    if (this.#socket.closed) return;
    const closed = new Promise<void>((resolve) => this.#socket.once("close", () => resolve()));
    this.#socket.destroy();
    await closed;
  }

  #takeReplies(replies: Buffer[], wanted: number): void {
    let from = 0;
    while (replies.length < wanted) {
      const reply = readReply(this.#received, from);
      if (reply === null) break;
      replies.push(Buffer.from(this.#received.subarray(from, reply.end)));
      from = reply.end;
    }
    this.#received = this.#received.subarray(from);
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#onData();
  }
}
