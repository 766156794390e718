/**
 * Clients of the users: they append tokens as long as their node takes them for allowed, as the edge of a real node does. What
 * becomes of a token is told by the history (was it answered?) and by the log (where did it take effect?).
 */
import { ChunkPool, RespReply, type WriteClient } from "@ferrite/node/simulation";
import { splitTokens, TOKEN_LENGTH, type AppendRecord, type History } from "../oracle/history.ts";
import type { UsersOracle } from "../oracle/users-oracle.ts";
import type { Prng } from "./prng.ts";
import type { Scheduler } from "./scheduler.ts";
import { commandBytes } from "./sim-client.ts";
import type { SimNode } from "./sim-node.ts";
import { USER_KEYS } from "./user-admin.ts";

const PAUSE_MS_MAX = 400;
const PIPELINE_MAX = 3;
/** Users that exist are looked at this often: does anybody honour one that is gone? */
const LOOK_MS = 20;

export class UserWriters {
  readonly #nodes: readonly SimNode[];
  readonly #scheduler: Scheduler;
  readonly #prng: Prng;
  readonly #history: History;
  readonly #oracle: UsersOracle;
  readonly #trace: (line: string) => void;
  readonly #allInContact: () => boolean;
  readonly #pool: ChunkPool = new ChunkPool();
  readonly #reply: RespReply = new RespReply(this.#pool);
  readonly #userOfToken: Map<string, number> = new Map();
  /** Of each key, the bytes that were there when it was looked at last, and at which position that was. */
  readonly #seenBytes: Map<string, number> = new Map();
  #seenIndex = 0;
  #tokens = 0;
  #stopped = false;

  constructor(options: {
    readonly nodes: readonly SimNode[];
    readonly scheduler: Scheduler;
    readonly prng: Prng;
    readonly history: History;
    readonly oracle: UsersOracle;
    readonly trace: (line: string) => void;
    readonly allInContact: () => boolean;
  }) {
    this.#nodes = options.nodes;
    this.#scheduler = options.scheduler;
    this.#prng = options.prng;
    this.#history = options.history;
    this.#oracle = options.oracle;
    this.#trace = options.trace;
    this.#allInContact = options.allInContact;
  }

  start(): void {
    this.#write();
    this.#look();
  }

  stop(): void {
    this.#stopped = true;
  }

  /** All who may still do it write as this user, right now: something is about to become of it. */
  rush(name: string): void {
    for (const node of this.#nodes) {
      const user = node.replica?.access.users().get(name);
      if (user === undefined || !this.#prng.chance(0.7)) continue;
      if (node.honouredUsers().includes(user.id)) this.#append(node, user.id);
    }
  }

  /** A node has applied the log up to `index`: tokens that are new there took effect at this position. */
  applied(node: SimNode, index: number): void {
    if (index <= this.#seenIndex) return;
    this.#seenIndex = index;
    for (const key of USER_KEYS) {
      const seen = this.#seenBytes.get(key) ?? 0;
      const added = node.valueFrom(key, seen);
      if (added.length === 0) continue;
      this.#seenBytes.set(key, seen + added.length);
      for (const token of splitTokens(added)) {
        const userId = this.#userOfToken.get(token);
        if (userId !== undefined) this.#oracle.wrote(userId, token, index);
      }
    }
  }

  #write(): void {
    this.#scheduler.after(this.#prng.next() * PAUSE_MS_MAX, () => {
      if (this.#stopped) return;
      const node = this.#prng.pick(this.#nodes);
      const honoured = node.isUp && !node.isPaused ? node.honouredUsers() : [];
      if (honoured.length > 0) this.#append(node, this.#prng.pick(honoured));
      this.#write();
    });
  }

  #look(): void {
    this.#scheduler.after(LOOK_MS, () => {
      this.#oracle.check({
        nowMs: this.#scheduler.nowMs,
        nodes: this.#nodes,
        allInContact: this.#allInContact(),
      });
      if (!this.#stopped) this.#look();
    });
  }

  #append(node: SimNode, userId: number): void {
    const count = this.#prng.between(1, PIPELINE_MAX + 1);
    for (let position = 0; position < count; position++) {
      const token = `u${String(this.#tokens++).padStart(TOKEN_LENGTH - 2, "0")};`;
      const append: AppendRecord = {
        client: -1 - userId,
        key: this.#prng.pick(USER_KEYS),
        token,
        startMs: this.#scheduler.nowMs,
        endMs: Infinity,
        outcome: "unknown",
      };
      this.#history.appends.push(append);
      this.#userOfToken.set(token, userId);
      const bytes = commandBytes("APPEND", append.key, token);
      const refusal = node.replica!.submit(bytes, 0, bytes.length, this.#client(append), userId);
      if (refusal !== null) append.outcome = "failed";
    }
  }

  #client(append: AppendRecord): WriteClient {
    const end = (outcome: AppendRecord["outcome"]): void => {
      append.endMs = this.#scheduler.nowMs;
      append.outcome = outcome;
      this.#trace(`user ${-1 - append.client} ${append.token} ${outcome}`);
    };
    return {
      replyForWrite: () => this.#reply,
      writeApplied: () => {
        const answer = this.#reply.takePending();
        const text = answer.toString("latin1");
        this.#pool.release(answer);
        end(text.startsWith(":") ? "applied" : "failed");
      },
      writeFailed: (errorText) =>
        end(errorText.startsWith("UNKNOWNOUTCOME") ? "unknown" : "failed"),
    };
  }
}
