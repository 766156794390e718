/** One connection to a node: requests in order, each with its reply. RESP2 over TCP or a Unix socket. */
import { connect, type NetConnectOpts, type Socket } from "node:net";
import { formatHostPort } from "@ferrite/node/config";
import { CliError } from "../errors.ts";
import { connectionProblem } from "../status/ask-node.ts";
import { encodeCommand, parseReply, RespError, type RespValue } from "../status/resp-value.ts";

export type NodeAddress =
  | { readonly host: string; readonly port: number }
  | { readonly path: string };

/** All users there may be are 8 MiB. */
const ANSWER_BYTES_MAX: number = 64 * 1024 * 1024;

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
  #received: Buffer = Buffer.alloc(0);
  #exchange: Exchange | null = null;
  #ended: Error | null = null;

  /** Connects; what goes wrong there is thrown by the first `ask`. */
  constructor(address: NodeAddress, timeoutMs: number) {
    this.where = "path" in address ? address.path : formatHostPort(address);
    this.#timeoutMs = timeoutMs;
    this.#socket = connect(address satisfies NetConnectOpts);
    this.#socket.on("data", (bytes) => this.#take(bytes));
    this.#socket.once("error", (error) => this.#end(error));
    this.#socket.once("close", () => {
      this.#end(new Error("the connection was closed without an answer"));
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
      throw new CliError("unreachable", `${this.where}: ${connectionProblem(error)}`, {
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
      this.#socket.write(requests.map(encodeCommand).join(""));
      return undefined;
    });
  }

  #take(bytes: Buffer): void {
    this.#received = Buffer.concat([this.#received, bytes]);
    if (this.#received.length > ANSWER_BYTES_MAX) {
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

/** The node's words, without the code that only says that it is an error. */
export function refused(reply: RespError): CliError {
  return new CliError("refused", reply.text.replace(/^ERR /, ""));
}
