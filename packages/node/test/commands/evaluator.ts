/** A table of commands over a keyspace in this process: requests in, the raw bytes of their replies out. */
import { Keyspace } from "@ferrite/storage";
import { createUserTable } from "@ferrite/acl";
import { commandCatalogue } from "../../src/commands/catalogue.ts";
import { createCommandTable } from "../../src/commands/all-commands.ts";
import type { KeyContext } from "../../src/commands/command.ts";
import type { CommandTable } from "../../src/commands/table.ts";
import { Argv } from "../../src/resp/argv.ts";
import { Decoder } from "../../src/resp/decoder.ts";
import { RespReply } from "../../src/resp/encoder.ts";
import type { EdgeContext } from "../../src/server/edge-context.ts";

export interface EvaluatorOptions {
  readonly nowMs: () => number;
  readonly random?: () => number;
}

export class Evaluator {
  readonly table: CommandTable = createCommandTable();
  keyspace: Keyspace = new Keyspace({ hashSeed: 0x5eed });
  readonly reply = new RespReply();
  readonly lookups = { hits: 0, misses: 0 };

  readonly #users = createUserTable(commandCatalogue(this.table));
  readonly #argv = new Argv();
  readonly #decoder = new Decoder();
  readonly #options: EvaluatorOptions;

  constructor(options: EvaluatorOptions) {
    this.#options = options;
  }

  /** Forgets all keys. */
  clear(): void {
    this.keyspace.clear();
  }

  /** Runs the one request that `request` is, and returns its reply as it would go to the client. */
  run(request: Buffer, protocol: 2 | 3 = 2): Buffer {
    const argv = this.#argv;
    const reply = this.reply;
    reply.protocol = protocol;
    const end = this.#decoder.decode(request, 0, request.length, argv);
    if (end !== request.length) throw new Error("the bytes are not one request");
    const command = this.table.lookup(argv);
    if (command === null) reply.error(this.table.refusal(argv));
    else if (command.kind === "edge") {
      const server = { access: { users: () => this.#users } };
      command.run({ argv, reply, server } as unknown as EdgeContext);
    } else command.run(this.#context());
    return reply.takePending();
  }

  #context(): KeyContext {
    return {
      argv: this.#argv,
      reply: this.reply,
      keyspace: this.keyspace,
      nowMs: this.#options.nowMs(),
      random: this.#options.random ?? (() => 0.5),
      lookups: this.lookups,
    };
  }
}
