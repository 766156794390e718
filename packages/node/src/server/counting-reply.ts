/** The replies of one client, with its errors counted for INFO stats and errorstats. */
import { RespReply, SilentReply } from "../resp/encoder.ts";
import type { ChunkPool } from "../resp/chunk-pool.ts";
import type { ErrorCounts } from "./statistics.ts";

export class CountingReply extends RespReply {
  readonly #errors: ErrorCounts;
  /** Errors answered on this connection: compare before and after a command to see whether it failed. */
  errorCount = 0;

  constructor(pool: ChunkPool, errors: ErrorCounts, bytesMax: () => number) {
    super(pool, bytesMax);
    this.#errors = errors;
  }

  override error(text: string): void {
    this.countError(text);
    super.error(text);
  }

  countError(text: string): void {
    this.errorCount++;
    this.#errors.count(text);
  }
}

/** The replies of a client that does not want to hear them (CLIENT REPLY): as in Redis, its errors are counted all the same. */
export class MutedReply extends SilentReply {
  readonly #reply: CountingReply;

  constructor(reply: CountingReply) {
    super();
    this.#reply = reply;
  }

  override error(text: string): void {
    this.#reply.countError(text);
  }
}
