/** Who waits for an internal write: takes the answer of apply as a value instead of bytes. */
import type { Index } from "@ferrite/raft";
import { SilentReply } from "../resp/silent-reply.ts";
import type { Reply } from "../resp/reply.ts";
import type { WriteClient } from "./write-path.ts";

export type InternalOutcome =
  | { readonly ok: true; readonly index: Index; readonly count: number }
  | { readonly ok: false; readonly errorText: string };

/** What apply answers to an internal write: an error, or how many it concerned. */
class CapturedReply extends SilentReply {
  errorText: string | null = null;
  count = 0;

  override error(text: string): void {
    this.errorText = text;
  }

  override integer(value: number | bigint): void {
    this.count = Number(value);
  }
}

/** Waits for one write. */
export class InternalClient implements WriteClient {
  readonly #reply: CapturedReply = new CapturedReply();
  readonly #done: (outcome: InternalOutcome) => void;

  constructor(done: (outcome: InternalOutcome) => void) {
    this.#done = done;
  }

  replyForWrite(): Reply {
    return this.#reply;
  }

  writeApplied(index: Index): void {
    const { errorText, count } = this.#reply;
    this.#done(errorText === null ? { ok: true, index, count } : { ok: false, errorText });
  }

  writeFailed(errorText: string): void {
    this.#done({ ok: false, errorText });
  }
}
