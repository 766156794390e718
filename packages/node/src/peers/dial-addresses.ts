/**
 * Where a peer may be. Addresses are hints (O05): a peer may have moved while this node, or all, were down, and any of the
 * sources may be the one that is right. They are tried one after the other; what led to the peer last goes first.
 *
 *   the last that worked, configured, what the peer said itself, the table, what other members say
 *
 * What the operator configured goes before what the peer says of itself: the way there may lead through a proxy.
 */
import { parseHostPort } from "../config/host-port.ts";

/** Addresses of one peer that are tried. */
const ADDRESSES_MAX = 16;

/** What is known of a peer's place without the peer; host:port each. */
export interface KnownAddresses {
  readonly configured: string | null;
  /** The best first. */
  readonly others: readonly string[];
}

export class DialAddresses {
  #known: KnownAddresses;
  #said: string | null = null;
  #worked: string | null = null;

  constructor(known: KnownAddresses) {
    this.#known = known;
  }

  /** What led to the peer last. */
  get worked(): string | null {
    return this.#worked;
  }

  /** What the peer said of itself. */
  get said(): string | null {
    return this.#said;
  }

  /** The sources besides the peer itself have changed. */
  setKnown(known: KnownAddresses): void {
    this.#known = known;
  }

  /** The peer says where it is. True when that is news, and an address. */
  say(address: string): boolean {
    if (address === this.#said || !isDialable(address)) return false;
    this.#said = address;
    return true;
  }

  /** A link with the peer opened there. */
  itWorked(address: string): void {
    this.#worked = address;
  }

  /** In the order in which they are to be tried. */
  all(): readonly string[] {
    const { configured, others } = this.#known;
    const ordered = [this.#worked, configured, this.#said, ...others];
    const dialable = ordered.filter((address) => address !== null && isDialable(address));
    return [...new Set(dialable as string[])].slice(0, ADDRESSES_MAX);
  }
}

function isDialable(address: string): boolean {
  const parsed = parseHostPort(address);
  return parsed !== null && parsed.port !== 0;
}
