/** What clients ask for: registers, lists of tokens, counters and sets, each with keys of its own. */
import type { Prng } from "../../sim/world/prng.ts";
import { KeyPool } from "./key-pool.ts";
import type { Call, Consistency, Model } from "./operation.ts";

export interface Request {
  readonly model: Model;
  readonly key: string;
  readonly call: Call;
  readonly words: readonly string[];
  /** WAIT for so many other nodes behind the write. */
  readonly waitFor?: number;
}

/** How a client reads, and what it asks for. */
export interface Role {
  readonly consistency: Consistency;
  readonly next: (random: Prng) => Request;
}

/** What one run's clients share: their keys, and numbers that are given out once. */
export class Workloads {
  readonly #registers = new KeyPool("register", { keys: 6, usesMax: 150 });
  readonly #lists = new KeyPool("list", { keys: 4, usesMax: 300 });
  readonly #counters = new KeyPool("counter", { keys: 3, usesMax: 400 });
  readonly #nodes: number;
  #given = 0;

  constructor(nodes: number) {
    this.#nodes = nodes;
  }

  /** For clients that are numbered: one of each kind, in turns. */
  of(number: number): Role {
    const roles: readonly Role[] = [
      { consistency: "linearizable", next: (random) => this.#register(random) },
      { consistency: "session", next: (random) => this.#list(random) },
      { consistency: "linearizable", next: (random) => this.#counter(random) },
      { consistency: "linearizable", next: (random) => this.#list(random) },
      { consistency: "session", next: (random) => this.#element(random) },
    ];
    return roles[number % roles.length];
  }

  /** Writes, and nothing else. */
  probe(): Role {
    return { consistency: "session", next: () => this.#add() };
  }

  #register(random: Prng): Request {
    const model = "register";
    const key = this.#registers.next(random);
    if (random.chance(0.5)) return { model, key, call: { kind: "read" }, words: ["GET", key] };
    const value = this.#unique();
    const kind = random.chance(0.25) ? "swap" : "write";
    const words = kind === "swap" ? ["GETSET", key, value] : ["SET", key, value];
    return { model, key, call: { kind, value }, words };
  }

  #list(random: Prng): Request {
    const model = "list";
    const key = this.#lists.next(random);
    if (random.chance(0.4)) return { model, key, call: { kind: "read" }, words: ["GET", key] };
    const token = this.#unique();
    return { model, key, call: { kind: "append", token }, words: ["APPEND", key, `${token},`] };
  }

  #counter(random: Prng): Request {
    const model = "counter";
    const key = this.#counters.next(random);
    if (random.chance(0.3)) return { model, key, call: { kind: "read" }, words: ["GET", key] };
    return { model, key, call: { kind: "increment" }, words: ["INCR", key] };
  }

  #element(random: Prng): Request {
    const request = this.#add();
    return random.chance(0.2) ? { ...request, waitFor: random.between(1, this.#nodes) } : request;
  }

  #add(): Request {
    const key = `set:${this.#unique()}`;
    return { model: "set", key, call: { kind: "add" }, words: ["SET", key, key] };
  }

  #unique(): string {
    return String(this.#given++);
  }
}
