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

/** One thing that one client has sent. */
export interface Command {
  readonly client: string;
  readonly sent: Sent;
  /** Ms of the process clock. */
  readonly sentAtMs: number;
  /** What a write writes. */
  readonly key: string | null;
}

const TOLD_MAX = 20;

export class Ledger {
  /** Successes that must not have been, in words. Kept over all rounds. */
  readonly violations: string[] = [];
  /** Error texts of what was sent after a revocation, by how often, over all rounds. */
  readonly refusals = new Map<string, number>();
  /** Keys of writes that were sent after a revocation and must never be there, with when. Kept over all rounds. */
  readonly forbidden = new Map<string, string>();
  /** Keys of writes that were acknowledged in this round. */
  acknowledgedKeys: string[] = [];
  /** Commands that succeeded, over all rounds. */
  succeeded = 0;
  /** Sent after a revocation and refused, over all rounds. */
  refused = 0;
  /** Connections that ended with something outstanding that was sent after a revocation, over all rounds. */
  lost = 0;
  /** By client: when its newest command was sent that succeeded, ms of the process clock. */
  readonly #lastSuccesses = new Map<string, number>();
  #ban: (Ban & { readonly sinceMs: number; graceMs(client: string): number }) | null = null;

  /**
   * The answer to a revocation has just been seen: nothing that a client sends from now on may succeed, or from
   * `graceMs` on for clients of a node that can not know.
   */
  revoked(ban: Ban, graceMs: (client: string) => number = () => 0): void {
    this.#ban = { ...ban, sinceMs: performance.now(), graceMs };
  }

  /** The user is about to get its rights back; nothing is outstanding. */
  pardoned(): void {
    this.#ban = null;
    this.acknowledgedKeys = [];
  }

  /** The newest command that succeeded of those clients whose name begins so, ms of the process clock; 0: none. */
  lastSuccessOf(prefix: string): number {
    const times = [...this.#lastSuccesses].filter(([client]) => client.startsWith(prefix));
    return Math.max(0, ...times.map(([, sentAtMs]) => sentAtMs));
  }

  wasSent({ client, sent, sentAtMs, key }: Command): void {
    const ban = this.#ban;
    if (key === null || ban === null || !this.#isForbidden(client, sent, sentAtMs)) return;
    this.forbidden.set(key, this.#when(sentAtMs, ban));
  }

  hasSucceeded({ client, sent, sentAtMs, key }: Command): void {
    this.succeeded++;
    this.#lastSuccesses.set(client, sentAtMs);
    if (key !== null) this.acknowledgedKeys.push(key);
    const ban = this.#ban;
    if (ban === null || !this.#isForbidden(client, sent, sentAtMs)) return;
    if (this.violations.length >= TOLD_MAX) return;
    const when = this.#when(sentAtMs, ban);
    this.violations.push(`a ${sent} of ${client} succeeded that was sent ${when}`);
  }

  /** True when it counts: it was sent after the revocation. */
  wasRefused({ client, sent, sentAtMs }: Command, errorText: string): boolean {
    if (!this.#isForbidden(client, sent, sentAtMs)) return false;
    this.refused++;
    const text = errorText.replaceAll(/\d+/g, "N");
    this.refusals.set(text, (this.refusals.get(text) ?? 0) + 1);
    return true;
  }

  wasLost({ client, sent, sentAtMs }: Command): void {
    if (this.#isForbidden(client, sent, sentAtMs)) this.lost++;
  }

  #when(sentAtMs: number, ban: { readonly what: string; readonly sinceMs: number }): string {
    return `${(sentAtMs - ban.sinceMs).toFixed(3)} ms after the OK to ${ban.what}`;
  }

  /** Whether what a client sends at that time must fail. */
  #isForbidden(client: string, sent: Sent, sentAtMs: number): boolean {
    const ban = this.#ban;
    if (ban === null || (sent === "login" && !ban.forbidsLogin)) return false;
    return sentAtMs >= ban.sinceMs + ban.graceMs(client);
  }
}
