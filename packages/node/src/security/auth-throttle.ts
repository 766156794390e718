/**
 * Slows down guessing (S26). Failures are counted twice: per user and address, against guessing one password, and per
 * address over all users, against trying one password on everybody. Further attempts are delayed until their slot, and
 * refused when too many wait already.
 *
 * What it must not be is a way to lock somebody out, or to learn something:
 * - connections that are logged in are never affected;
 * - clients on this machine are never delayed (the administrator's way in), nor are logins by certificate, which never
 *   come here; wrong guesses of theirs still cost the hashing thread's time;
 * - the right password waits like any other, or the throttle would answer guesses at full speed; it is never refused
 *   for failures of another address;
 * - names that belong to nobody are counted like those that do.
 *
 * Time comes from the caller, in ms from any origin, never going back.
 */
import { hash } from "node:crypto";
import { countFailure, delayAfter, forget, nextSlot } from "./throttle-record.ts";
import type { ThrottleRecord, ThrottleRule } from "./throttle-record.ts";
import { ThrottleTable } from "./throttle-table.ts";

export interface ThrottleSettings {
  readonly isEnabled: boolean;
  /** Longest delay between two attempts for one user from one address; over all users of an address a tenth of it. */
  readonly maxDelayMs: number;
}

export const THROTTLE_SETTINGS_DEFAULT: ThrottleSettings = { isEnabled: true, maxDelayMs: 10_000 };

/** Internal limits of the throttle. */
export interface ThrottleLimits {
  readonly freeFailuresPerUser: number;
  readonly freeFailuresPerAddress: number;
  readonly baseDelayMs: number;
  readonly waitingPerUserMax: number;
  readonly waitingPerAddressMax: number;
  readonly forgetAfterMs: number;
  /** Records of each kind. */
  readonly entriesMax: number;
}

export const THROTTLE_LIMITS_DEFAULT: ThrottleLimits = {
  freeFailuresPerUser: 3,
  freeFailuresPerAddress: 20,
  baseDelayMs: 100,
  waitingPerUserMax: 4,
  waitingPerAddressMax: 16,
  forgetAfterMs: 15 * 60_000,
  entriesMax: 10_000,
};

/** One attempt that was let in; to be given back by `settle`. */
export interface ThrottleTicket {
  readonly userKey: string;
  readonly addressKey: string;
  readonly user: ThrottleRecord;
  readonly address: ThrottleRecord;
  isWaiting: boolean;
}

export type ThrottleAdmission =
  | { readonly kind: "admitted"; readonly waitMs: number; readonly ticket: ThrottleTicket }
  | { readonly kind: "refused"; readonly retryAfterMs: number };

/** Longer names are counted by their hash: what is remembered of a client must not depend on what it sends. */
const NAME_BYTES_PLAIN_MAX = 64;
const ADDRESS_DELAY_DIVISOR = 10;

export class AuthThrottle {
  readonly #limits: ThrottleLimits;
  readonly #users: ThrottleTable;
  readonly #addresses: ThrottleTable;
  #isEnabled = true;
  #userRule!: ThrottleRule;
  #addressRule!: ThrottleRule;

  constructor(settings: ThrottleSettings, limits: Partial<ThrottleLimits> = {}) {
    this.#limits = { ...THROTTLE_LIMITS_DEFAULT, ...limits };
    const { entriesMax, freeFailuresPerUser, freeFailuresPerAddress } = this.#limits;
    this.#users = new ThrottleTable(entriesMax, freeFailuresPerUser);
    this.#addresses = new ThrottleTable(entriesMax, freeFailuresPerAddress);
    this.configure(settings);
  }

  /** Takes over changed settings (CONFIG SET). Switching it off forgets everything. */
  configure(settings: ThrottleSettings): void {
    const limits = this.#limits;
    this.#isEnabled = settings.isEnabled;
    this.#userRule = {
      freeFailures: limits.freeFailuresPerUser,
      baseDelayMs: limits.baseDelayMs,
      maxDelayMs: settings.maxDelayMs,
      waitingMax: limits.waitingPerUserMax,
      forgetOneAfterMs: limits.forgetAfterMs,
      forgetAllAfterMs: limits.forgetAfterMs,
    };
    this.#addressRule = {
      freeFailures: limits.freeFailuresPerAddress,
      baseDelayMs: limits.baseDelayMs,
      maxDelayMs: Math.max(Math.floor(settings.maxDelayMs / ADDRESS_DELAY_DIVISOR), 1),
      waitingMax: limits.waitingPerAddressMax,
      // Many people can share an address: a failure now and then by one of them never adds up.
      forgetOneAfterMs: Math.floor(limits.forgetAfterMs / limits.freeFailuresPerAddress),
      forgetAllAfterMs: limits.forgetAfterMs,
    };
    if (settings.isEnabled) return;
    this.#users.clear();
    this.#addresses.clear();
  }

  /** Whether an attempt from there (addressGroup) may be checked, and when. Null: nothing is counted. */
  admit(name: string, address: string, nowMs: number): ThrottleAdmission | null {
    if (!this.#isEnabled) return null;
    const userKey = throttleKey(name, address);
    const user = this.#users.obtain(userKey);
    const addressRecord = this.#addresses.obtain(address);
    forget(user, this.#userRule, nowMs);
    forget(addressRecord, this.#addressRule, nowMs);
    const userSlotMs = nextSlot(user, this.#userRule, nowMs);
    const addressSlotMs = nextSlot(addressRecord, this.#addressRule, nowMs);
    if (userSlotMs === null || addressSlotMs === null) {
      const freeAtMs = Math.max(user.nextSlotMs, addressRecord.nextSlotMs);
      return { kind: "refused", retryAfterMs: freeAtMs - nowMs };
    }
    const slotMs = Math.max(userSlotMs, addressSlotMs);
    const isWaiting = slotMs > nowMs;
    const ticket = { userKey, addressKey: address, user, address: addressRecord, isWaiting };
    this.#reserve(ticket, userSlotMs, addressSlotMs);
    return { kind: "admitted", waitMs: slotMs - nowMs, ticket };
  }

  /** The wait is over, the attempt is being checked. */
  begin(ticket: ThrottleTicket): void {
    if (!ticket.isWaiting) return;
    ticket.isWaiting = false;
    ticket.user.waiting--;
    ticket.address.waiting--;
  }

  /** What came of it. `unknown`: it was not checked after all. */
  settle(ticket: ThrottleTicket, outcome: "success" | "failure" | "unknown", nowMs: number): void {
    this.begin(ticket);
    ticket.user.inFlight--;
    ticket.address.inFlight--;
    if (outcome === "failure") {
      countFailure(ticket.user, this.#userRule, nowMs);
      countFailure(ticket.address, this.#addressRule, nowMs);
    }
    // Somebody there knows this user's password. The address is not forgiven: an attacker may have a user, too.
    if (outcome === "success") {
      ticket.user.failures = 0;
      ticket.user.nextSlotMs = nowMs;
    }
    if (!this.#isEnabled) return;
    this.#put(this.#users, ticket.userKey, ticket.user);
    this.#put(this.#addresses, ticket.addressKey, ticket.address);
  }

  /** Pairs of user and address whose attempts are delayed. */
  get delayedUsers(): number {
    return this.#users.delayedCount;
  }

  get delayedAddresses(): number {
    return this.#addresses.delayedCount;
  }

  /** Records held, for the bound on memory. */
  get entries(): number {
    return this.#users.size + this.#addresses.size;
  }

  /** Each kind of record keeps its own rhythm: waiting for one does not use up slots of the other. */
  #reserve(ticket: ThrottleTicket, userSlotMs: number, addressSlotMs: number): void {
    const { user, address } = ticket;
    user.inFlight++;
    address.inFlight++;
    if (ticket.isWaiting) {
      user.waiting++;
      address.waiting++;
    }
    // As if all that are being checked were wrong: else any number of guesses could be made at the same time. Not so
    // for the address, where many users may log in at once after a restart; the hashing queue bounds those.
    user.nextSlotMs = userSlotMs + delayAfter(user.failures + user.inFlight, this.#userRule);
    address.nextSlotMs = addressSlotMs + delayAfter(address.failures, this.#addressRule);
  }

  #put(table: ThrottleTable, key: string, record: ThrottleRecord): void {
    // Nobody's failures need no memory. A record that was pushed out meanwhile comes back with what it has counted.
    if (record.failures === 0 && record.inFlight === 0) table.drop(key);
    else table.settle(key, record);
  }
}

function throttleKey(name: string, address: string): string {
  const short = name.length <= NAME_BYTES_PLAIN_MAX ? `=${name}` : `#${hash("sha256", name)}`;
  return `${address} ${short}`;
}
