/** Runs read commands against the local state. One context is reused for all of them. */
import type { KeyspaceApi } from "@ferrite/storage";
import type { KeyContext, LookupCounters, ReadCommand } from "../commands/command.ts";
import type { Argv } from "../resp/argv.ts";
import type { Reply } from "../resp/reply.ts";
import { Argv as ArgvClass } from "../resp/argv.ts";
import { SilentReply } from "../resp/encoder.ts";

class ReadContext implements KeyContext {
  argv: Argv = new ArgvClass();
  reply: Reply = new SilentReply();
  keyspace: KeyspaceApi;
  nowMs = 0;
  lookups: LookupCounters = { hits: 0, misses: 0 };
  readonly #random: () => number;

  constructor(keyspace: KeyspaceApi, random: () => number) {
    this.keyspace = keyspace;
    this.#random = random;
  }

  random(): number {
    return this.#random();
  }
}

export class ReadRunner {
  readonly #context: ReadContext;
  readonly #nowMs: () => number;

  constructor(keyspace: KeyspaceApi, ports: { nowMs(): number; random(): number }) {
    this.#context = new ReadContext(keyspace, () => ports.random());
    this.#nowMs = () => ports.nowMs();
  }

  set lookups(counters: LookupCounters) {
    this.#context.lookups = counters;
  }

  /** A received snapshot brought another keyspace. */
  set keyspace(keyspace: KeyspaceApi) {
    this.#context.keyspace = keyspace;
  }

  run(command: ReadCommand, argv: Argv, reply: Reply): void {
    const context = this.#context;
    context.argv = argv;
    context.reply = reply;
    context.nowMs = this.#nowMs();
    command.run(context);
  }
}
