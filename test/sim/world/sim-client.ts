/**
 * A client of the simulated cluster, on the real write and read path: it appends tokens to keys and reads them back, one operation
 * or a small pipeline at a time, on one node until that node dies or does not answer.
 */
import {
  Argv,
  ChunkPool,
  RespReply,
  readCommandRecord,
  type CommandTable,
  type ReadCommand,
  type WriteClient,
} from "@ferrite/node/simulation";
import { splitTokens, type AppendRecord, type History } from "../oracle/history.ts";
import type { Prng } from "./prng.ts";
import type { Scheduler } from "./scheduler.ts";
import type { SimNode } from "./sim-node.ts";

/** Few keys, so that clients meet; the oracle reads their final values. */
export const CLIENT_KEYS: readonly string[] = ["a", "b", "c", "d"];
/** Without an answer for so long a client goes to another node and counts the outcome as unknown. */
const PATIENCE_MS = 15_000;
const PIPELINE_MAX = 4;
/** A write that is in the state of the client's own node for this long must have been answered. */
const ANSWER_WITHIN_MS = 300;
/** Between two operations of one client. */
const THINK_MS_MAX = 100;

export function commandBytes(...words: readonly string[]): Buffer {
  return Buffer.from(
    `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join("")}`,
  );
}

export class SimClient implements WriteClient {
  readonly #id: number;
  readonly #nodes: readonly SimNode[];
  readonly #scheduler: Scheduler;
  readonly #prng: Prng;
  readonly #history: History;
  readonly #table: CommandTable;
  readonly #trace: (line: string) => void;
  readonly #problem: (sentence: string) => void;
  #connection: { readonly node: SimNode; readonly life: number; readonly number: number } | null =
    null;
  #connections = 0;
  #tokens = 0;
  #pending: AppendRecord[] = [];
  readonly #pool: ChunkPool = new ChunkPool();
  #reply: RespReply = new RespReply(this.#pool);
  readonly #readReply: RespReply = new RespReply(this.#pool);
  readonly #readArgv: Argv = new Argv();
  #acknowledged: Map<string, string[]> = new Map();
  #stopping = false;
  #generation = 0;
  isIdle = true;

  constructor(options: {
    readonly id: number;
    readonly nodes: readonly SimNode[];
    readonly scheduler: Scheduler;
    readonly prng: Prng;
    readonly history: History;
    readonly table: CommandTable;
    readonly trace: (line: string) => void;
    /** A promise was broken that the history does not show. */
    readonly problem: (sentence: string) => void;
  }) {
    this.#id = options.id;
    this.#nodes = options.nodes;
    this.#scheduler = options.scheduler;
    this.#prng = options.prng;
    this.#history = options.history;
    this.#table = options.table;
    this.#trace = options.trace;
    this.#problem = options.problem;
  }

  start(): void {
    this.#later(() => this.#next());
  }

  /** Finishes what is open and begins nothing new. */
  stop(): void {
    this.#stopping = true;
  }

  /** A node died: what was open on it has an unknown outcome. */
  nodeDied(node: SimNode): void {
    if (this.#connection?.node === node) this.#disconnect();
  }

  replyForWrite(): RespReply {
    return this.#reply;
  }

  writeApplied(): void {
    const answer = this.#reply.takePending();
    const bytes = answer.toString("latin1");
    this.#pool.release(answer);
    const append = this.#pending.shift();
    if (append === undefined) return;
    append.endMs = this.#scheduler.nowMs;
    append.outcome = bytes.startsWith(":") ? "applied" : "failed";
    this.#trace(`client ${this.#id} ${append.token} ${append.outcome}`);
    const own = this.#acknowledged.get(append.key) ?? [];
    own.push(append.token);
    this.#acknowledged.set(append.key, own);
    if (this.#pending.length === 0) this.#later(() => this.#next());
  }

  writeFailed(errorText: string): void {
    const append = this.#pending.shift();
    if (append === undefined) return;
    append.endMs = this.#scheduler.nowMs;
    append.outcome = errorText.startsWith("UNKNOWNOUTCOME") ? "unknown" : "failed";
    this.#trace(`client ${this.#id} ${append.token} ${append.outcome}`);
    if (this.#pending.length === 0) this.#later(() => this.#next());
  }

  #later(run: () => void): void {
    const generation = this.#generation;
    this.#scheduler.after(this.#prng.next() * THINK_MS_MAX, () => {
      if (generation === this.#generation) run();
    });
  }

  #disconnect(): void {
    for (const append of this.#pending) append.endMs = Infinity;
    this.#pending = [];
    this.#reply = new RespReply(this.#pool);
    this.#acknowledged = new Map();
    this.#connection = null;
    this.#generation++;
    this.#later(() => this.#next());
  }

  #next(): void {
    this.isIdle = this.#stopping;
    if (this.#stopping) return;
    if (this.#connection === null && !this.#connect()) return this.#later(() => this.#next());
    const connection = this.#connection!;
    if (connection.node.life !== connection.life || !connection.node.isUp)
      return this.#disconnect();
    const generation = this.#generation;
    const asked = this.#connections * 1_000_000 + this.#tokens;
    this.#scheduler.after(PATIENCE_MS, () => {
      if (
        generation === this.#generation &&
        asked === this.#connections * 1_000_000 + this.#tokens &&
        !this.isIdle
      ) {
        this.#disconnect();
      }
    });
    if (this.#prng.chance(0.5)) this.#write(connection.node);
    else this.#read(connection);
  }

  #connect(): boolean {
    const node = this.#prng.pick(this.#nodes);
    if (!node.isUp || node.isPaused) return false;
    this.#connection = { node, life: node.life, number: ++this.#connections };
    return true;
  }

  #write(node: SimNode): void {
    const count = this.#prng.between(1, PIPELINE_MAX + 1);
    const key = this.#prng.pick(CLIENT_KEYS);
    let refused = 0;
    for (let position = 0; position < count; position++) {
      const token = `${this.#id}.${String(this.#tokens++).padStart(5, "0")};`.padStart(8, "0");
      const append: AppendRecord = {
        client: this.#id,
        key,
        token,
        startMs: this.#scheduler.nowMs,
        endMs: Infinity,
        outcome: "unknown",
      };
      this.#history.appends.push(append);
      const bytes = commandBytes("APPEND", key, token);
      this.#pending.push(append);
      const error = node.replica!.submit(bytes, 0, bytes.length, this, 0);
      if (error !== null) {
        this.#pending.pop();
        append.outcome = "failed";
        refused++;
      }
    }
    if (refused === count) this.#later(() => this.#next());
    else this.#expectAnswer();
  }

  /** What this node has applied it can answer: a client must not wait for its patience to end. */
  #expectAnswer(): void {
    const generation = this.#generation;
    const waiting = this.#pending[0];
    const node = this.#connection?.node;
    if (waiting === undefined || node === undefined) return;
    const isOverdue = (): boolean =>
      generation === this.#generation &&
      waiting === this.#pending[0] &&
      node.isUp &&
      !node.isPaused &&
      splitTokens(this.#get(node, waiting.key)).includes(waiting.token);
    this.#scheduler.after(ANSWER_WITHIN_MS, () => {
      if (!isOverdue()) {
        if (generation === this.#generation && this.#pending.length > 0) this.#expectAnswer();
        return;
      }
      this.#scheduler.after(ANSWER_WITHIN_MS, () => {
        if (isOverdue())
          this.#problem(
            `client ${this.#id} gets no answer to ${waiting.token}, which its node has applied`,
          );
      });
    });
  }

  #read(connection: { readonly node: SimNode; readonly number: number }): void {
    const replica = connection.node.replica!;
    const key = this.#prng.pick(CLIENT_KEYS);
    const startMs = this.#scheduler.nowMs;
    const ownAcknowledged = [...(this.#acknowledged.get(key) ?? [])];
    const generation = this.#generation;
    const finish = (mode: "session" | "linearizable"): void => {
      if (generation !== this.#generation) return;
      const tokens = splitTokens(this.#get(connection.node, key));
      this.#history.reads.push({
        client: this.#id,
        node: connection.node.member.name,
        connection: connection.number,
        key,
        mode,
        startMs,
        endMs: this.#scheduler.nowMs,
        tokens,
        ownAcknowledged,
      });
      this.#trace(`client ${this.#id} read ${key} ${tokens.length}`);
      this.#tokens++;
      this.#later(() => this.#next());
    };
    if (this.#prng.chance(0.5)) {
      if (replica.readRefusal() === null) return finish("session");
      this.#tokens++;
      return this.#later(() => this.#next());
    }
    replica.confirmRead((error) => {
      if (generation !== this.#generation) return;
      if (error === null) return finish("linearizable");
      this.#tokens++;
      return this.#later(() => this.#next());
    });
  }

  #get(node: SimNode, key: string): string {
    const bytes = commandBytes("GET", key);
    const argv = this.#readArgv;
    readCommandRecord(bytes, 0, bytes.length, argv);
    const reply = this.#readReply;
    node.replica!.runRead(this.#table.lookup(argv) as ReadCommand, argv, reply);
    const bytesOfAnswer = reply.takePending();
    const answer = bytesOfAnswer.toString("latin1");
    this.#pool.release(bytesOfAnswer);
    return answer.startsWith("$-1") ? "" : answer.slice(answer.indexOf("\n") + 1, -2);
  }
}
