/** Answers FERRITE.AUDIT: from memory where the records are there, from the files where they are not. */
import type { AuditPage } from "./audit-log-view.ts";
import type { AuditClock } from "./clock.ts";
import type { FileReader } from "./files/file-reader.ts";
import { FOLLOWERS_MAX, PAGE_BYTES_MAX, PAGE_RECORDS_MAX } from "./limits.ts";
import type { Ring } from "./ring.ts";

type Done = (page: AuditPage) => void;

interface Follower {
  readonly after: number;
  readonly wake: () => void;
}

export class PageReader {
  readonly #ring: Ring;
  readonly #files: FileReader;
  readonly #clock: AuditClock;
  readonly #followers = new Set<Follower>();

  constructor(ring: Ring, files: FileReader, clock: AuditClock) {
    this.#ring = ring;
    this.#files = files;
    this.#clock = clock;
  }

  /** The newest records up to `head`, newest first. */
  newest(head: number, count: number, done: Done): void {
    const wanted = Math.min(count, PAGE_RECORDS_MAX);
    this.since(head - wanted, wanted, (page) => {
      done(page.ok ? { ok: true, lines: page.lines.toReversed() } : page);
    });
  }

  since(after: number, count: number, done: Done): void {
    const wanted = Math.min(count, PAGE_RECORDS_MAX);
    if (this.#ring.oldestSequence <= after + 1) {
      done({ ok: true, lines: this.#fromRing(after, wanted) });
      return;
    }
    void this.#answerFromFiles(after, wanted, done);
  }

  async #answerFromFiles(after: number, count: number, done: Done): Promise<void> {
    done(await this.#fromFiles(after, count));
  }

  async #fromFiles(after: number, count: number): Promise<AuditPage> {
    try {
      const lines = await this.#files.above(after, count);
      // What is not in a file yet is in memory.
      return { ok: true, lines: lines.length > 0 ? lines : this.#fromRing(after, count) };
    } catch (error) {
      const { message } = error as Error;
      return { ok: false, errorText: `ERR the audit files can not be read: ${message}` };
    }
  }

  follow(
    query: {
      readonly after: number;
      readonly count: number;
      readonly timeoutMs: number;
      readonly head: number;
    },
    done: Done,
  ): () => void {
    if (query.after < query.head) {
      let wanted = true;
      this.since(query.after, query.count, (page) => {
        if (wanted) done(page);
      });
      return () => {
        wanted = false;
      };
    }
    if (this.#followers.size >= FOLLOWERS_MAX) {
      done({ ok: false, errorText: `ERR ${FOLLOWERS_MAX} clients follow the audit trail already` });
      return () => undefined;
    }
    return this.#wait(query, done);
  }

  /** A record was added. */
  added(sequence: number): void {
    for (const follower of this.#followers) if (follower.after < sequence) follower.wake();
  }

  /** Nobody waits any longer. */
  close(): void {
    for (const follower of this.#followers) follower.wake();
  }

  #wait(
    query: { readonly after: number; readonly count: number; readonly timeoutMs: number },
    done: Done,
  ): () => void {
    const leave = (): void => {
      cancel();
      this.#followers.delete(follower);
    };
    const answer = (): void => {
      leave();
      done({ ok: true, lines: this.#fromRing(query.after, query.count) });
    };
    const follower: Follower = { after: query.after, wake: answer };
    const cancel = this.#clock.after(query.timeoutMs, answer);
    this.#followers.add(follower);
    return leave;
  }

  #fromRing(after: number, count: number): Buffer[] {
    const lines: Buffer[] = [];
    let bytes = 0;
    for (const { line } of this.#ring.above(after, Math.min(count, PAGE_RECORDS_MAX))) {
      if (lines.length > 0 && bytes + line.length > PAGE_BYTES_MAX) break;
      lines.push(line);
      bytes += line.length;
    }
    return lines;
  }
}
