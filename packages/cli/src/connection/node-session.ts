/** One connection to a node: requests in order, each with its reply. RESP2 over TCP, TLS or a Unix socket. */
import type { Socket } from "node:net";
import { formatHostPort } from "@ferrite/node/config";
import { CliError } from "../errors.ts";
import { connectionProblem } from "./connection-problem.ts";
import { openSocket, type NodeAddress } from "./node-socket.ts";
import { encodeCommand, parseReply, RespError, type RespValue } from "./resp-value.ts";
import type { TlsSettings } from "./tls-options.ts";

/** All users there may be are 8 MiB. */
const ANSWER_BYTES_MAX: number = 64 * 1024 * 1024;

export interface SessionOptions {
  readonly tls: TlsSettings | null;
  readonly timeoutMs: number;
  /** All answers of one `ask` together. Default 64 MiB. */
  readonly answerBytesMax?: number;
}

interface Exchange {
  readonly count: number;
  readonly replies: RespValue[];
  resolve(replies: readonly RespValue[]): void;
  reject(error: Error): void;
}

export class NodeSession {
  readonly where: string;
  readonly #socket: Socket;
  readonly #timeoutMs: number;
  readonly #answerBytesMax: number;
  readonly #isTls: boolean;
  /** Requests are sent when the other side is known: nobody else shall read them. */
  readonly #ready: Promise<void>;
  #received: Buffer = Buffer.alloc(0);
  #exchange: Exchange | null = null;
  #ended: Error | null = null;

  /**
   * Connects; what goes wrong there is thrown by the first `ask`.
   * @throws CliError badArgument for a certificate or key of ours that can not be used
   */
  constructor(address: NodeAddress, options: SessionOptions) {
    const { tls } = options;
    this.where = "path" in address ? address.path : formatHostPort(address);
    this.#timeoutMs = options.timeoutMs;
    this.#answerBytesMax = options.answerBytesMax ?? ANSWER_BYTES_MAX;
    this.#isTls = tls !== null;
    const { socket, ready } = open(address, tls);
    this.#socket = socket;
    this.#ready = new Promise((resolve) => socket.once(ready, resolve));
    this.#socket.on("data", (bytes) => this.#take(bytes));
    this.#socket.once("error", (error) => this.#end(error));
    this.#socket.once("close", () => {
      const hint = this.#isTls ? " (does the node take our certificate? its log says why not)" : "";
      this.#end(new Error(`the connection was closed without an answer${hint}`));
    });
  }

  /**
   * Sends the requests at once and resolves with their replies, errors among them. One call at a time.
   * @throws CliError "unreachable" with the reason when not all of them come back in time
   */
  async ask(requests: readonly (readonly string[])[]): Promise<readonly RespValue[]> {
    const timeoutMs = this.#timeoutMs;
    const timer = setTimeout(() => {
      this.#end(new Error(`no answer within ${timeoutMs} ms`));
    }, timeoutMs);
    try {
      return await this.#send(requests);
    } catch (error) {
      throw new CliError("unreachable", `${this.where}: ${connectionProblem(error, this.#isTls)}`, {
        cause: error,
      });
    } finally {
      clearTimeout(timer);
    }
  }

  /** One request. @throws CliError "unreachable", or "refused" with the node's words when the reply is an error */
  async askOne(...request: readonly string[]): Promise<RespValue> {
    const [reply = null] = await this.ask([request]);
    if (reply instanceof RespError) throw refused(reply);
    return reply;
  }

  close(): void {
    this.#socket.destroy();
  }

  #send(requests: readonly (readonly string[])[]): Promise<readonly RespValue[]> {
    return new Promise((resolve, reject) => {
      if (this.#ended !== null) return reject(this.#ended);
      this.#exchange = { count: requests.length, replies: [], resolve, reject };
      void this.#ready.then(() => this.#socket.write(requests.map(encodeCommand).join("")));
      return undefined;
    });
  }

  #take(bytes: Buffer): void {
    this.#received = Buffer.concat([this.#received, bytes]);
    if (this.#received.length > this.#answerBytesMax) {
      this.#end(new Error("the answer is too large"));
      return;
    }
    try {
      this.#takeReplies();
    } catch (error) {
      this.#end(error as Error);
    }
  }

  /** Bytes that nobody asked for are kept until the next request, whose place they then take: no node sends any. */
  #takeReplies(): void {
    const exchange = this.#exchange;
    if (exchange === null) return;
    let at = 0;
    while (exchange.replies.length < exchange.count) {
      const parsed = parseReply(this.#received, at);
      if (parsed === null) break;
      exchange.replies.push(parsed.value);
      at = parsed.end;
    }
    this.#received = this.#received.subarray(at);
    if (exchange.replies.length < exchange.count) return;
    this.#exchange = null;
    exchange.resolve(exchange.replies);
  }

  #end(error: Error): void {
    this.#ended ??= error;
    const exchange = this.#exchange;
    this.#exchange = null;
    exchange?.reject(this.#ended);
    this.#socket.destroy();
  }
}

/** What OpenSSL does not take of our files is told as what it is: nobody was asked yet. */
function open(address: NodeAddress, tls: TlsSettings | null): ReturnType<typeof openSocket> {
  try {
    return openSocket(address, tls);
  } catch (error) {
    throw new CliError("badArgument", connectionProblem(error), { cause: error });
  }
}

/** The node's words, without the code that only says that it is an error. */
export function refused(reply: RespError): CliError {
  return new CliError("refused", reply.text.replace(/^ERR /, ""));
}
