/** ACL LOG: what was denied on this node lately. It is told to clients, and gone with the process. */
import type { AclLogEntry, AclLogReason, AclLogView } from "./access-view.ts";

/** How many of the newest entries are compared with a new one, as in Redis. */
const GROUPED_ENTRIES_MAX = 10;
/** Equal denials further apart than this are entries of their own, as in Redis. */
const GROUPED_WITHIN_MS = 60_000;
/** Of each text of an entry (object, user name, client): what was sent may be as large as a request. */
export const ACL_LOG_TEXT_BYTES_MAX = 512;

export interface Denial {
  readonly reason: AclLogReason;
  readonly object: string;
  readonly username: string;
  readonly clientInfo: string;
}

/**
 * Newest first. A denial like one of the newest (reason, object and user are the same, within a minute) raises that one's count,
 * takes its client over and moves it to the front. Texts are cut after ACL_LOG_TEXT_BYTES_MAX bytes, so that the log holds
 * no more than `lengthMax` times three of them; what is beyond the cut does not tell entries apart.
 */
export class AclLog implements AclLogView {
  /** acllog-max-len: asked at every denial, as CONFIG SET may change it. */
  readonly #lengthMax: () => number;
  /** Newest last: adding and moving touch the end only. */
  readonly #entries: AclLogEntry[] = [];
  #nextId = 0;

  constructor(lengthMax: () => number) {
    this.#lengthMax = lengthMax;
  }

  entries(): readonly AclLogEntry[] {
    return this.#entries.toReversed();
  }

  add(denial: Denial, nowMs: number): void {
    const object = capped(denial.object);
    const username = capped(denial.username);
    const clientInfo = capped(denial.clientInfo);
    const at = this.#findEqual({ ...denial, object, username }, nowMs);
    if (at >= 0) {
      const [entry] = this.#entries.splice(at, 1);
      this.#entries.push({ ...entry, count: entry.count + 1, updatedAtMs: nowMs, clientInfo });
      return;
    }
    this.#entries.push({
      id: this.#nextId++,
      count: 1,
      reason: denial.reason,
      context: "toplevel",
      object,
      username,
      createdAtMs: nowMs,
      updatedAtMs: nowMs,
      clientInfo,
    });
    const surplus = this.#entries.length - Math.max(0, this.#lengthMax());
    if (surplus > 0) this.#entries.splice(0, surplus);
  }

  reset(): void {
    this.#entries.length = 0;
  }

  #findEqual(denial: Denial, nowMs: number): number {
    const oldest = Math.max(0, this.#entries.length - GROUPED_ENTRIES_MAX);
    for (let at = this.#entries.length - 1; at >= oldest; at--) {
      if (isEqual(this.#entries[at], denial, nowMs)) return at;
    }
    return -1;
  }
}

function isEqual(entry: AclLogEntry, denial: Denial, nowMs: number): boolean {
  return (
    entry.reason === denial.reason &&
    entry.object === denial.object &&
    entry.username === denial.username &&
    nowMs - entry.updatedAtMs <= GROUPED_WITHIN_MS
  );
}

/** Byte strings: one character is one byte. The copy keeps the request that the text was cut from out of memory. */
function capped(text: string): string {
  if (text.length <= ACL_LOG_TEXT_BYTES_MAX) return text;
  return Buffer.from(text.slice(0, ACL_LOG_TEXT_BYTES_MAX), "latin1").toString("latin1");
}
