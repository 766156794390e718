/**
 * Connections that have to log in and have not yet (S23): how many there may be, and for how long. Strangers must not
 * take the places of those who have a password. Clients on this machine have their deadline but take no places, so that
 * the administrator gets in while strangers hold all of them.
 */
import { addressGroup, isLocalOrigin } from "./client-origin.ts";
import type { ClientOrigin } from "./client-origin.ts";

export interface PreAuthLimits {
  /** unauthenticated-clients-max */
  readonly clientsMax: number;
  /** unauthenticated-clients-per-address-max */
  readonly clientsPerAddressMax: number;
  /** auth-timeout-ms, 0 = none */
  readonly timeoutMs: number;
}

/** Where a client is; `address` without port, null for a Unix socket. */
export interface ClientPlace {
  readonly origin: ClientOrigin;
  readonly address: string | null;
}

interface Stranger {
  /** Null for a client that takes no place. */
  readonly group: string | null;
  /** Time used up, without that of checks. */
  usedMs: number;
  /** Since when time counts; null while a password is checked. */
  sinceMs: number | null;
}

export class PreAuthRegistry {
  readonly #limits: () => PreAuthLimits;
  readonly #strangers = new Map<number, Stranger>();
  readonly #perGroup = new Map<string, number>();
  #placesTaken = 0;

  /** `limits` is asked every time, so that changed settings hold at once. */
  constructor(limits: () => PreAuthLimits) {
    this.#limits = limits;
  }

  /** Connections that are not logged in. */
  get count(): number {
    return this.#strangers.size;
  }

  /** Which limit a new connection from there would cross, or null. */
  refusal(place: ClientPlace): "total" | "address" | null {
    const group = groupOf(place);
    if (group === null) return null;
    const { clientsMax, clientsPerAddressMax } = this.#limits();
    if (this.#placesTaken >= clientsMax) return "total";
    return (this.#perGroup.get(group) ?? 0) >= clientsPerAddressMax ? "address" : null;
  }

  /** A client has to log in: a new one, or one that has lost what it was (RESET, a password for the default user). */
  add(id: number, place: ClientPlace, nowMs: number): void {
    if (this.#strangers.has(id)) return;
    const group = groupOf(place);
    this.#strangers.set(id, { group, usedMs: 0, sinceMs: nowMs });
    if (group === null) return;
    this.#placesTaken++;
    this.#perGroup.set(group, (this.#perGroup.get(group) ?? 0) + 1);
  }

  /** A client has logged in, or has left. */
  remove(id: number): void {
    const stranger = this.#strangers.get(id);
    if (stranger === undefined) return;
    this.#strangers.delete(id);
    const { group } = stranger;
    if (group === null) return;
    this.#placesTaken--;
    const left = (this.#perGroup.get(group) ?? 0) - 1;
    if (left > 0) this.#perGroup.set(group, left);
    else this.#perGroup.delete(group);
  }

  /** The client's password is being checked, or waits for it: that is the node's time, not the client's. */
  beginCheck(id: number, nowMs: number): void {
    const stranger = this.#strangers.get(id);
    if (stranger === undefined || stranger.sinceMs === null) return;
    stranger.usedMs += nowMs - stranger.sinceMs;
    stranger.sinceMs = null;
  }

  endCheck(id: number, nowMs: number): void {
    const stranger = this.#strangers.get(id);
    if (stranger !== undefined && stranger.sinceMs === null) stranger.sinceMs = nowMs;
  }

  /** Those whose time is up. They stay until `remove`. */
  overdue(nowMs: number): number[] {
    const { timeoutMs } = this.#limits();
    if (timeoutMs === 0) return [];
    const overdue: number[] = [];
    for (const [id, { usedMs, sinceMs }] of this.#strangers) {
      if (sinceMs !== null && usedMs + nowMs - sinceMs >= timeoutMs) overdue.push(id);
    }
    return overdue;
  }
}

function groupOf({ origin, address }: ClientPlace): string | null {
  return isLocalOrigin(origin) ? null : addressGroup(address);
}
