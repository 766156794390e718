/** The client of a scenario: appends tokens to one key on the node it is told, and reads them there. */
import {
  Argv,
  ChunkPool,
  RespReply,
  createCommandTable,
  readCommandRecord,
  type ReadCommand,
  type WriteClient,
} from "@ferrite/node/simulation";
import { History, TOKEN_LENGTH, splitTokens, type AppendRecord } from "../../oracle/history.ts";
import type { Scheduler } from "../../world/scheduler.ts";
import { commandBytes } from "../../world/sim-client.ts";
import type { SimNode } from "../../world/sim-node.ts";

export const STAGE_KEY = "a";

class OneWrite implements WriteClient {
  readonly #append: AppendRecord;
  readonly #nowMs: () => number;
  readonly #reply: RespReply;

  constructor(append: AppendRecord, pool: ChunkPool, nowMs: () => number) {
    this.#append = append;
    this.#nowMs = nowMs;
    this.#reply = new RespReply(pool);
  }

  replyForWrite(): RespReply {
    return this.#reply;
  }

  writeApplied(): void {
    const answer = this.#reply.takePending().toString("latin1");
    this.#end(answer.startsWith("-") ? "failed" : "applied");
  }

  writeFailed(errorText: string): void {
    this.#end(errorText.startsWith("UNKNOWNOUTCOME") ? "unknown" : "failed");
  }

  #end(outcome: AppendRecord["outcome"]): void {
    this.#append.endMs = this.#nowMs();
    this.#append.outcome = outcome;
  }
}

/** A linearizable read that was asked for. */
export interface StageRead {
  /** Null while it waits; false: refused. */
  outcome: readonly string[] | false | null;
}

export class StageClient {
  readonly history: History = new History();
  readonly #scheduler: Scheduler;
  readonly #pool: ChunkPool = new ChunkPool();
  readonly #table = createCommandTable();
  readonly #open: Map<AppendRecord, SimNode> = new Map();
  #tokens = 0;

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  get isIdle(): boolean {
    return [...this.#open.keys()].every((append) => append.endMs !== Infinity);
  }

  /** Begins a write; its record tells what became of it. */
  write(node: SimNode): AppendRecord {
    const token = `0.${String(this.#tokens++).padStart(TOKEN_LENGTH - 3, "0")};`;
    const append: AppendRecord = {
      client: 0,
      key: STAGE_KEY,
      token,
      startMs: this.#scheduler.nowMs,
      endMs: Infinity,
      outcome: "unknown",
    };
    this.history.appends.push(append);
    this.#submit(node, append, commandBytes("APPEND", STAGE_KEY, token));
    return append;
  }

  /** Begins a write of a large value to one of some keys of its own. */
  writeLarge(node: SimNode, valueBytes: number, number: number): AppendRecord {
    const append: AppendRecord = {
      client: 0,
      key: `large${number}`,
      token: "",
      startMs: this.#scheduler.nowMs,
      endMs: Infinity,
      outcome: "unknown",
    };
    this.#submit(node, append, commandBytes("SET", append.key, "x".repeat(valueBytes)));
    return append;
  }

  #submit(node: SimNode, append: AppendRecord, bytes: Buffer): void {
    const client = new OneWrite(append, this.#pool, () => this.#scheduler.nowMs);
    this.#open.set(append, node);
    const error = node.replica!.submit(bytes, 0, bytes.length, client, 0);
    if (error !== null) client.writeFailed(error);
  }

  /** What was open on a node that died has an unknown outcome. */
  nodeDied(node: SimNode): void {
    for (const [append, at] of this.#open) {
      if (at === node) this.#open.delete(append);
    }
  }

  /** Begins a linearizable read. */
  read(node: SimNode): StageRead {
    const read: StageRead = { outcome: null };
    const startMs = this.#scheduler.nowMs;
    node.replica!.confirmRead((error) => {
      read.outcome = error === null ? this.#record(node, startMs) : false;
    });
    return read;
  }

  /** What the node's state says now is what a linearizable read has seen. */
  #record(node: SimNode, startMs: number): readonly string[] {
    const { reads } = this.history;
    const tokens = this.#tokensOf(node);
    reads.push({
      client: 0,
      node: node.member.name,
      connection: reads.length,
      key: STAGE_KEY,
      mode: "linearizable",
      startMs,
      endMs: this.#scheduler.nowMs,
      tokens,
      ownAcknowledged: [],
    });
    return tokens;
  }

  /** Reads by the node's lease, if it says that it has one: in this step, without asking anybody. */
  readByLease(node: SimNode): void {
    if (node.replica?.mayReadNow("lease", 0) !== true) return;
    this.#record(node, this.#scheduler.nowMs);
  }

  #tokensOf(node: SimNode): string[] {
    const bytes = commandBytes("GET", STAGE_KEY);
    const argv = new Argv();
    readCommandRecord(bytes, 0, bytes.length, argv);
    const reply = new RespReply(this.#pool);
    node.replica!.runRead(this.#table.lookup(argv) as ReadCommand, argv, reply);
    const answer = reply.takePending().toString("latin1");
    return splitTokens(answer.startsWith("$-1") ? "" : answer.slice(answer.indexOf("\n") + 1, -2));
  }
}
