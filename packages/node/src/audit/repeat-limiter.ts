/**
 * S52: somebody who guesses passwords must not be able to push everything else out of the trail. Of equal failures of one
 * address the first few in each window are recorded one by one; the others are counted, and one record at the end of the
 * window says how many they were.
 */
import type { AuditEvent } from "./audit-trail.ts";
import { REPEAT_KEYS_MAX, REPEAT_WINDOW_MS } from "./limits.ts";

interface Window {
  readonly beganMs: number;
  admitted: number;
  suppressed: number;
  /** The newest of the suppressed: the summary has its fields. */
  last: AuditEvent | null;
}

/** Takes a summary: the event, and of how many it speaks. */
export type Summarize = (event: AuditEvent, count: number) => void;

export class RepeatLimiter {
  readonly #limit: number;
  readonly #summarize: Summarize;
  /** In the order in which the windows began. */
  readonly #windows = new Map<string, Window>();

  /** `limit` 0 lets everything through. */
  constructor(limit: number, summarize: Summarize) {
    this.#limit = limit;
    this.#summarize = summarize;
  }

  /** False when the event is only counted. */
  admit(event: AuditEvent, nowMs: number): boolean {
    if (this.#limit === 0 || event.outcome !== "failure" || event.client === undefined) return true;
    const key = `${event.action} ${hostOf(event.client.address)}`;
    const window = this.#windowOf(key, nowMs);
    if (window.admitted < this.#limit) {
      window.admitted++;
      return true;
    }
    window.suppressed++;
    window.last = event;
    return false;
  }

  /** Ends the windows whose time is over; all of them when `nowMs` is Infinity. */
  expire(nowMs: number): void {
    for (const [key, window] of this.#windows) {
      if (nowMs - window.beganMs < REPEAT_WINDOW_MS) return;
      this.#end(key, window);
    }
  }

  #windowOf(key: string, nowMs: number): Window {
    const known = this.#windows.get(key);
    if (known !== undefined && nowMs - known.beganMs < REPEAT_WINDOW_MS) return known;
    if (known !== undefined) this.#end(key, known);
    if (this.#windows.size >= REPEAT_KEYS_MAX) this.#endOldest();
    const window: Window = { beganMs: nowMs, admitted: 0, suppressed: 0, last: null };
    this.#windows.set(key, window);
    return window;
  }

  #endOldest(): void {
    for (const [key, window] of this.#windows) return this.#end(key, window);
  }

  #end(key: string, window: Window): void {
    this.#windows.delete(key);
    if (window.last === null) return;
    const reason = `repeated ${window.suppressed} times within ${REPEAT_WINDOW_MS / 1000} seconds`;
    const told = window.last.reason === undefined ? reason : `${reason}: ${window.last.reason}`;
    this.#summarize({ ...window.last, reason: told }, window.suppressed);
  }
}

/** Ports differ from connection to connection. */
function hostOf(address: string): string {
  const colon = address.lastIndexOf(":");
  return colon < 0 ? address : address.slice(0, colon);
}
