/**
 * A client of the simulated cluster: it speaks RESP with a node over a connection of its own, one request or a small pipeline at a
 * time, on one node until that node dies, does not answer, or the client has had enough. It appends to lists, sets registers, counts,
 * and reads all of them, under one promise per connection.
 */
import type { Outcome } from "../../checkers/history.ts";
import type { ClientRecord, ReadMode, RecordedOperation } from "../oracle/client-record.ts";
import { splitTokens } from "../oracle/history.ts";
import { commandBytes, inlineBytes } from "./command-bytes.ts";
import { ReplyReader, type SimReply } from "./edge/reply-reader.ts";
import type { VirtualStream } from "./edge/virtual-stream.ts";
import type { Prng } from "./prng.ts";
import type { Scheduler } from "./scheduler.ts";
import type { SimNode } from "./sim-node.ts";

export { commandBytes } from "./command-bytes.ts";

/** Few keys, so that clients meet; the oracle reads their final values. */
export const CLIENT_KEYS: readonly string[] = ["a", "b", "c", "d"];
export const REGISTER_KEYS: readonly string[] = ["r0", "r1"];
export const COUNTER_KEYS: readonly string[] = ["n0"];
/** Without an answer for so long a client goes to another node and counts the outcome as unknown. */
const PATIENCE_MS = 15_000;
const PIPELINE_MAX = 4;
/** A write that is in the state of the client's own node for this long must have been answered. */
const ANSWER_WITHIN_MS = 300;
/** Between two operations of one client. */
const THINK_MS_MAX = 100;
/** Of requests that are typed instead of encoded; of pipelines that end in the middle, or right behind the last byte. */
const INLINE_RATE = 0.1;
const CUT_OFF_RATE = 0.01;
const LEAVE_RATE = 0.02;
const HALF_CLOSE_RATE = 0.01;

const READ_MODES: readonly ReadMode[] = ["session", "session", "linearizable", "lease", "local"];

interface Request {
  readonly words: readonly string[];
  /** Its answer is there. */
  readonly answered: (reply: SimReply) => void;
  /** No answer will come; `isSent`: the node may have got all of it. */
  readonly lost: (isSent: boolean) => void;
  /** Of an append: what the node's own state would show. */
  readonly token?: { readonly key: string; readonly text: string };
}

interface OpenConnection {
  readonly node: SimNode;
  readonly number: number;
  readonly mode: ReadMode;
  readonly stream: VirtualStream;
  readonly replies: ReplyReader;
}

export class SimClient {
  readonly #id: number;
  readonly #nodes: readonly SimNode[];
  readonly #scheduler: Scheduler;
  readonly #prng: Prng;
  readonly #record: ClientRecord;
  readonly #trace: (line: string) => void;
  readonly #problem: (sentence: string) => void;
  readonly #count: (kind: string) => void;
  #connection: OpenConnection | null = null;
  #avoided: ReadonlySet<SimNode> = new Set();
  #connections = 0;
  #tokens = 0;
  #answers = 0;
  #pending: Request[] = [];
  #stopping = false;
  #generation = 0;
  isIdle = true;

  constructor(options: {
    readonly id: number;
    readonly nodes: readonly SimNode[];
    readonly scheduler: Scheduler;
    readonly prng: Prng;
    readonly record: ClientRecord;
    readonly trace: (line: string) => void;
    /** A promise was broken that the history does not show. */
    readonly problem: (sentence: string) => void;
    /** Something worth counting among the faults. */
    readonly count: (kind: string) => void;
  }) {
    this.#id = options.id;
    this.#nodes = options.nodes;
    this.#scheduler = options.scheduler;
    this.#prng = options.prng;
    this.#record = options.record;
    this.#trace = options.trace;
    this.#problem = options.problem;
    this.#count = options.count;
  }

  start(): void {
    this.#later(() => this.#next());
  }

  /** Finishes what is open and begins nothing new. */
  stop(): void {
    this.#stopping = true;
  }

  /** From now on it keeps away from these nodes. */
  avoid(nodes: ReadonlySet<SimNode>): void {
    this.#avoided = nodes;
    const connection = this.#connection;
    if (connection === null || !nodes.has(connection.node)) return;
    connection.stream.resetByClient();
    this.#disconnected();
  }

  /** A node died: what was open on it has an unknown outcome. */
  nodeDied(node: SimNode): void {
    if (this.#connection?.node === node) this.#disconnected();
  }

  #later(run: () => void): void {
    const generation = this.#generation;
    this.#scheduler.after(this.#prng.next() * THINK_MS_MAX, () => {
      if (generation === this.#generation) run();
    });
  }

  /** The connection is over. Of a request that was not sent whole the node can have made nothing. */
  #disconnected(unsent: Request | null = null): void {
    const pending = this.#pending;
    this.#pending = [];
    this.#connection = null;
    this.#generation++;
    for (const request of pending) request.lost(request !== unsent);
    this.#later(() => this.#next());
  }

  #next(): void {
    this.isIdle = this.#stopping;
    if (this.#stopping) {
      this.#connection?.stream.endByClient();
      this.#connection = null;
      this.#generation++;
      return;
    }
    if (this.#connection !== null) this.#send(this.#connection);
    else if (!this.#connect()) this.#later(() => this.#next());
  }

  #connect(): boolean {
    const node = this.#prng.pick(this.#nodes);
    if (!node.isUp || node.isPaused || this.#avoided.has(node)) return false;
    const mode = this.#prng.pick(READ_MODES);
    const generation = this.#generation;
    const replies = new ReplyReader();
    const events = {
      onData: (bytes: Buffer) => {
        if (generation === this.#generation) this.#receive(replies.push(bytes));
      },
      onClosed: () => {
        if (generation === this.#generation) this.#disconnected();
      },
    };
    const stream = node.connect(events, this.#prng.fork());
    if (stream === null) return false;
    this.#connection = { node, number: ++this.#connections, mode, stream, replies };
    // What comes behind it may count on it only when it was answered.
    if (mode === "session") this.#send(this.#connection);
    else this.#sendAll(this.#connection, [this.#choose(mode)]);
    return true;
  }

  /** One request or a few at once; now and then the connection does not outlive them. */
  #send(connection: OpenConnection): void {
    const count = this.#prng.between(1, PIPELINE_MAX + 1);
    const key = this.#prng.pick(CLIENT_KEYS);
    const writes = this.#prng.chance(0.5);
    const requests = Array.from({ length: writes ? count : 1 }, (_, at) => {
      // Reads behind writes of the same pipeline have to show them.
      return writes && (at === 0 || this.#prng.chance(0.85))
        ? this.#writeRequest(connection, key)
        : this.#readRequest(connection, key);
    });
    if (this.#prng.chance(CUT_OFF_RATE)) return this.#cutOff(connection, requests);
    this.#sendAll(connection, requests);
    if (this.#prng.chance(LEAVE_RATE)) {
      this.#count("client resets its connection");
      connection.stream.resetByClient();
      this.#disconnected();
    } else if (this.#prng.chance(HALF_CLOSE_RATE)) {
      this.#count("client closes its side and still listens");
      connection.stream.endByClient();
    }
  }

  #sendAll(connection: OpenConnection, requests: readonly Request[]): void {
    this.#pending.push(...requests);
    connection.stream.send(Buffer.concat(requests.map((request) => this.#bytesOf(request))));
    this.#loosePatience();
    this.#expectAnswer(connection);
  }

  /** The client dies in the middle of a request: that one must not run, however much of it has arrived. */
  #cutOff(connection: OpenConnection, requests: readonly Request[]): void {
    this.#count("client dies in the middle of a request");
    const last = requests.at(-1)!;
    const lastBytes = this.#bytesOf(last);
    const part = lastBytes.subarray(0, this.#prng.between(1, lastBytes.length - 1));
    const whole = requests.slice(0, -1).map((request) => this.#bytesOf(request));
    this.#pending.push(...requests);
    connection.stream.send(Buffer.concat([...whole, part]));
    if (this.#prng.chance(0.5)) connection.stream.endByClient();
    else connection.stream.resetByClient();
    this.#disconnected(last);
  }

  #bytesOf({ words }: Request): Buffer {
    return this.#prng.chance(INLINE_RATE) ? inlineBytes(...words) : commandBytes(...words);
  }

  #receive(replies: readonly SimReply[]): void {
    for (const reply of replies) {
      const request = this.#pending.shift();
      if (request === undefined) {
        // Of a client that is not served it is told so, and asked nothing.
        if (reply.kind !== "error") this.#problem(`client ${this.#id} got an answer to nothing`);
        continue;
      }
      this.#answers++;
      request.answered(reply);
    }
    if (this.#pending.length === 0 && this.#connection !== null) this.#later(() => this.#next());
  }

  #loosePatience(): void {
    const generation = this.#generation;
    const answers = this.#answers;
    this.#scheduler.after(PATIENCE_MS, () => {
      const isStuck = answers === this.#answers && this.#pending.length > 0;
      if (generation !== this.#generation || !isStuck) return;
      this.#connection?.stream.resetByClient();
      this.#disconnected();
    });
  }

  /** What this node has applied it can answer: a client must not wait for its patience to end. */
  #expectAnswer({ node }: OpenConnection): void {
    const generation = this.#generation;
    const waiting = this.#pending.find(({ token }) => token !== undefined);
    const token = waiting?.token;
    if (token === undefined) return;
    const isOverdue = (): boolean =>
      generation === this.#generation &&
      this.#pending.includes(waiting!) &&
      node.isUp &&
      !node.isPaused &&
      splitTokens(node.valueFrom(token.key, 0)).includes(token.text);
    this.#scheduler.after(ANSWER_WITHIN_MS, () => {
      if (!isOverdue()) {
        if (generation === this.#generation && this.#pending.includes(waiting!))
          this.#expectAnswer({ node } as OpenConnection);
        return;
      }
      this.#scheduler.after(ANSWER_WITHIN_MS, () => {
        if (isOverdue())
          this.#problem(
            `client ${this.#id} gets no answer to ${token.text}, which its node has applied`,
          );
      });
    });
  }

  // ---- requests -------------------------------------------------------------------------------------------------

  /** The promise that this connection's reads are under. */
  #choose(mode: ReadMode): Request {
    return {
      words: ["FERRITE.CONSISTENCY", mode],
      answered: (reply) => {
        if (reply.kind === "text" && reply.text === "OK") return;
        this.#trace(`client ${this.#id} can not choose ${mode}: ${JSON.stringify(reply)}`);
        if (reply.kind !== "error") this.#problem(`client ${this.#id}: ${mode} was not chosen`);
        this.#connection?.stream.resetByClient();
        this.#disconnected();
      },
      lost: () => {},
    };
  }

  #writeRequest(connection: OpenConnection, listKey: string): Request {
    const kind = this.#prng.between(0, 10);
    if (kind === 0) return this.#increment(connection);
    if (kind === 1) return this.#set(connection);
    return this.#append(connection, listKey);
  }

  #readRequest(connection: OpenConnection, listKey: string): Request {
    const kind = this.#prng.between(0, 10);
    if (kind === 0) return this.#readCounter(connection);
    if (kind === 1) return this.#readRegister(connection);
    return this.#readList(connection, listKey);
  }

  #begin<Input>(
    connection: OpenConnection,
    key: string,
    input: Input,
  ): RecordedOperation<Input, never> {
    return {
      client: this.#id,
      connection: connection.number,
      mode: connection.mode,
      isAbandoned: false,
      key,
      startMs: this.#scheduler.nowMs,
      endMs: Infinity,
      outcome: "unknown",
      input,
      output: null,
    };
  }

  /** Fills in what became of an operation. */
  #follow<Output>(
    operation: RecordedOperation<unknown, Output>,
    words: readonly string[],
    output: (reply: SimReply) => Output | null,
  ): Request {
    const end = (outcome: Outcome, why = ""): void => {
      operation.outcome = outcome;
      if (outcome !== "unknown") operation.endMs = this.#scheduler.nowMs;
      this.#trace(`client ${this.#id} ${words.join(" ")} ${outcome}${why}`);
    };
    return {
      words,
      answered: (reply) => {
        if (reply.kind === "error") {
          const isUnknown = reply.text.startsWith("UNKNOWNOUTCOME");
          end(isUnknown ? "unknown" : "fail", `: ${reply.text}`);
          return;
        }
        operation.output = output(reply);
        end("ok");
      },
      lost: (isSent) => {
        operation.isAbandoned = true;
        end(isSent ? "unknown" : "fail");
      },
    };
  }

  #append(connection: OpenConnection, key: string): Request {
    const element = `${this.#id}.${String(this.#tokens++).padStart(5, "0")};`.padStart(8, "0");
    const operation = this.#begin(connection, key, { kind: "append", element } as const);
    this.#record.lists.push(operation);
    const request = this.#follow<{ length: number }>(operation, ["APPEND", key, element], (reply) =>
      reply.kind === "integer" ? { length: reply.value / element.length } : null,
    );
    return { ...request, token: { key, text: element } };
  }

  #readList(connection: OpenConnection, key: string): Request {
    const operation = this.#begin(connection, key, { kind: "read" } as const);
    this.#record.lists.push(operation);
    return this.#follow<{ elements: string[] }>(operation, ["GET", key], (reply) => {
      return { elements: splitTokens(textOf(reply) ?? "") };
    });
  }

  #set(connection: OpenConnection): Request {
    const key = this.#prng.pick(REGISTER_KEYS);
    const value = `${this.#id}:${this.#tokens++}`;
    const operation = this.#begin(connection, key, { kind: "set", value } as const);
    this.#record.registers.push(operation);
    return this.#follow<{ value: null }>(operation, ["SET", key, value], () => ({ value: null }));
  }

  #readRegister(connection: OpenConnection): Request {
    const key = this.#prng.pick(REGISTER_KEYS);
    const operation = this.#begin(connection, key, { kind: "get" } as const);
    this.#record.registers.push(operation);
    return this.#follow<{ value: string | null }>(operation, ["GET", key], (reply) => {
      return { value: textOf(reply) };
    });
  }

  #increment(connection: OpenConnection): Request {
    const key = this.#prng.pick(COUNTER_KEYS);
    const operation = this.#begin(connection, key, { kind: "increment" } as const);
    this.#record.counters.push(operation);
    return this.#follow<{ value: number }>(operation, ["INCR", key], (reply) => {
      return { value: reply.kind === "integer" ? reply.value : -1 };
    });
  }

  #readCounter(connection: OpenConnection): Request {
    const key = this.#prng.pick(COUNTER_KEYS);
    const operation = this.#begin(connection, key, { kind: "read" } as const);
    this.#record.counters.push(operation);
    return this.#follow<{ value: number }>(operation, ["GET", key], (reply) => {
      return { value: Number(textOf(reply) ?? "0") };
    });
  }
}

function textOf(reply: SimReply): string | null {
  return reply.kind === "bulk" ? reply.text : null;
}
