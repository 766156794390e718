/**
 * What the clients of one user were told, in the order in which the test process came to know it. One clock, that of the
 * test process, dates both what was sent and the answer to a revocation: what was sent after that answer was seen may not
 * succeed.
 */

/** What a client sends: a login, a read or a write. */
export type Sent = "login" | "read" | "write";

/** A rule of the cluster that forbids the user everything, or everything but logging in. */
export interface Ban {
  readonly what: string;
  readonly forbidsLogin: boolean;
}

const TOLD_MAX = 20;

export class Ledger {
  /** Successes that must not have been, in words. Kept over all rounds. */
  readonly violations: string[] = [];
  /** Error texts of what was sent after a revocation, by how often, over all rounds. */
  readonly refusals = new Map<string, number>();
  /** Keys of writes that were sent after a revocation and must never be there. Kept over all rounds. */
  readonly forbiddenKeys: string[] = [];
  /** Keys of writes that were acknowledged in this round. */
  acknowledgedKeys: string[] = [];
  /** Commands that succeeded, over all rounds. */
  succeeded = 0;
  /** Sent after a revocation and refused, over all rounds. */
  refused = 0;
  /** Connections that ended with something outstanding that was sent after a revocation, over all rounds. */
  lost = 0;
  /** When the newest command was sent that succeeded, ms of the process clock. */
  lastSuccessSentAtMs = 0;
  #ban: (Ban & { readonly sinceMs: number }) | null = null;
  #toldViolations = 0;

  /** The answer to a revocation has just been seen; `graceMs` later nothing may succeed that is sent from then on. */
  revoked(ban: Ban, graceMs = 0): void {
    this.#ban = { ...ban, sinceMs: performance.now() + graceMs };
  }

  /** The user is about to get its rights back; nothing is outstanding. */
  pardoned(): void {
    this.#ban = null;
    this.acknowledgedKeys = [];
  }

  /** Whether something that is sent now must fail. */
  isForbidden(sent: Sent, sentAtMs: number): boolean {
    const ban = this.#ban;
    return ban !== null && sentAtMs >= ban.sinceMs && (sent !== "login" || ban.forbidsLogin);
  }

  wasSent(sent: Sent, sentAtMs: number, key: string | null): void {
    if (key !== null && this.isForbidden(sent, sentAtMs)) this.forbiddenKeys.push(key);
  }

  hasSucceeded(sent: Sent, sentAtMs: number, key: string | null, where: string): void {
    this.succeeded++;
    this.lastSuccessSentAtMs = Math.max(this.lastSuccessSentAtMs, sentAtMs);
    if (key !== null) this.acknowledgedKeys.push(key);
    if (!this.isForbidden(sent, sentAtMs)) return;
    if (this.#toldViolations++ >= TOLD_MAX) return;
    const lateMs = (sentAtMs - this.#ban!.sinceMs).toFixed(3);
    this.violations.push(
      `a ${sent} ${where} succeeded that was sent ${lateMs} ms after ${this.#ban!.what}`,
    );
  }

  /** True when it counts: it was sent after the revocation. */
  wasRefused(sent: Sent, sentAtMs: number, errorText: string): boolean {
    if (!this.isForbidden(sent, sentAtMs)) return false;
    this.refused++;
    const text = errorText.replaceAll(/\d+/g, "N");
    this.refusals.set(text, (this.refusals.get(text) ?? 0) + 1);
    return true;
  }

  wasLost(sent: Sent, sentAtMs: number): void {
    if (this.isForbidden(sent, sentAtMs)) this.lost++;
  }
}
