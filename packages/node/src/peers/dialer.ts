/**
 * Keeps one outgoing link to one peer: dials, waits, dials again.
 *
 *   waiting ──> dialing ──> handshake ──> open ──lost──> dialing (at once)
 *      ^____________________failed___________|
 *
 * A link that broke is dialed again at once: if the peer's process is gone the answer is a refused connection within
 * a fraction of a millisecond, and an election can start without waiting for a timeout.
 *
 * A peer may have several addresses (dial-addresses.ts): a round tries each of them, and waits come between rounds.
 *
 * An open link may be renewed: a successor is dialed beside it, and takes its place once the peer has accepted it. What
 * is sent from then on waits until the peer has read the last of the old link, so nothing is lost or overtakes.
 */
import type { TLSSocket } from "node:tls";
import { DialAttempt } from "./dial-attempt.ts";
import type { DialFailure } from "./dial-attempt.ts";
import { DialAddresses } from "./dial-addresses.ts";
import type { KnownAddresses } from "./dial-addresses.ts";
import type { Hello } from "./hello.ts";
import { PeerLink } from "./link.ts";
import type { LinkHandlers, LinkServices } from "./link.ts";
import type { LinkCertificates, PeerGate } from "./peer-gate.ts";
import { reconnectDelayMs } from "./reconnect-delay.ts";

export interface DialerHandlers extends LinkHandlers {
  /** What to say first on a new link. */
  currentHello(): Hello;
  /** An attempt failed before a link was there. `isGone`: nobody listens where the peer was, or has to be. */
  onDialFailed(name: string, failure: DialFailure, isGone: boolean): void;
}

export class PeerDialer {
  readonly name: string;
  readonly addresses: DialAddresses;
  /** Dialed much less often: the operator names it and the cluster does not. */
  isStranger = false;
  readonly #gate: PeerGate;
  readonly #services: LinkServices & { random(): number };
  readonly #handlers: DialerHandlers;
  #stopped = false;
  /** Addresses of this round that are still to be tried. */
  #untried: readonly string[] = [];
  /** Where `#link`, or what is to become it, was dialed. */
  #dialedAddress = "";
  /** Rounds in a row that did not open a link. */
  #failures = 0;
  /** Links in a row that opened and broke soon. */
  #quickBreaks = 0;
  #openedAtMs: number | null = null;
  #cancelWait: (() => void) | null = null;
  #attempt: DialAttempt | null = null;
  #link: PeerLink | null = null;
  /** In its handshake, while `#link` is open. */
  #successor: PeerLink | null = null;
  /** Delivers what is still on it. */
  #predecessor: PeerLink | null = null;

  constructor(
    peer: {
      readonly name: string;
      readonly addresses: KnownAddresses;
      readonly gate: PeerGate;
    },
    services: LinkServices & { random(): number },
    handlers: DialerHandlers,
  ) {
    this.name = peer.name;
    this.addresses = new DialAddresses(peer.addresses);
    this.#gate = peer.gate;
    this.#services = services;
    this.#handlers = handlers;
  }

  /** The link in handshake or open, if there is one. */
  get link(): PeerLink | null {
    return this.#link;
  }

  /** All that are not ended: also one that will take the link's place, and one whose place was taken. */
  get links(): readonly PeerLink[] {
    return [this.#link, this.#successor, this.#predecessor].filter((link) => link !== null);
  }

  /** A link is being renewed, or the one before is still being emptied. */
  get isRenewing(): boolean {
    const begun = this.#link !== null && this.#attempt !== null;
    return begun || this.#successor !== null || this.#predecessor !== null;
  }

  start(): void {
    this.#dialSoon(0);
  }

  /** There is news that the peer is up, or of where it is: do not wait out the delay. */
  dialNow(): void {
    if (this.#cancelWait !== null) {
      this.#cancelWait();
      this.#cancelWait = null;
      this.#untried = [];
      this.#dialSoon(0);
    }
  }

  /** Dials a successor of the open link. If that fails the link stays as it is. */
  renew(): void {
    if (this.#stopped || this.#link?.isOpen !== true || this.isRenewing) return;
    this.#untried = [];
    this.#dial();
  }

  /** The peer accepted us on this link. */
  opened(link: PeerLink): void {
    this.#openedAtMs = this.#services.clock.nowMs();
    this.#failures = 0;
    this.#untried = [];
    this.addresses.itWorked(this.#dialedAddress);
    if (link !== this.#successor) return;
    const before = this.#link;
    this.#link = link;
    this.#successor = null;
    if (before !== null) {
      this.#predecessor = before;
      this.#services.counters.linksRenewed++;
      link.succeed(before);
    }
  }

  /** No more dialing. The open link is ended in order. */
  stop(): void {
    this.#stopped = true;
    this.#cancelWait?.();
    this.#cancelWait = null;
    this.#attempt?.cancel();
    this.#attempt = null;
    for (const link of this.links) {
      link.end(null);
    }
  }

  #dialSoon(delayMs: number): void {
    if (this.#stopped) {
      return;
    }
    this.#cancelWait = this.#services.clock.after(delayMs, () => {
      this.#cancelWait = null;
      this.#dial();
    });
  }

  #dial(): void {
    if (this.#untried.length === 0) this.#untried = this.addresses.all();
    const [address, ...untried] = this.#untried;
    if (address === undefined) {
      this.#failed();
      return;
    }
    this.#untried = untried;
    this.#dialedAddress = address;
    const { connectTimeoutMs, handshakeTimeoutMs } = this.#services.limits;
    const hasOthers = this.addresses.all().length > 1;
    const target = {
      name: this.name,
      address,
      connectTimeoutMs: hasOthers ? Math.min(connectTimeoutMs, handshakeTimeoutMs) : null,
    };
    const attempt = new DialAttempt(target, this.#gate, this.#services, {
      connected: (socket, certificates) => {
        this.#attempt = null;
        this.#begin(socket, certificates);
      },
      failed: (failure) => {
        this.#attempt = null;
        this.#attemptFailed(failure);
      },
    });
    this.#attempt = attempt;
    attempt.start();
  }

  #begin(socket: TLSSocket, certificates: LinkCertificates): void {
    const handlers: LinkHandlers = {
      ...this.#handlers,
      onEnded: (link, error) => {
        this.#linkEnded(link, error);
      },
    };
    const options = { certificates, receivesPayload: false };
    const link = new PeerLink(socket, options, this.#services, handlers);
    const isSuccessor = this.#link !== null;
    if (isSuccessor) {
      this.#successor = link;
    } else {
      this.#link = link;
    }
    link.sayHello({ ...this.#handlers.currentHello(), successor: isSuccessor });
  }

  #linkEnded(link: PeerLink, error: Error | null): void {
    if (link === this.#link) {
      this.#lost(link, error);
      return;
    }
    if (link === this.#successor) this.#successor = null;
    if (link === this.#predecessor) this.#predecessor = null;
    this.#handlers.onEnded(link, error);
  }

  #lost(link: PeerLink, error: Error | null): void {
    // A successor in its handshake is as good as one that was dialed now.
    this.#link = this.#successor;
    this.#successor = null;
    const { clock, limits } = this.#services;
    const openedAtMs = this.#openedAtMs;
    this.#openedAtMs = null;
    this.#handlers.onEnded(link, error);
    if (this.#link !== null || this.#attempt !== null) {
      return;
    }
    if (openedAtMs === null) {
      this.#failed();
      return;
    }
    // A link that opens and breaks again and again must not be dialed in a tight loop.
    const held = clock.nowMs() - openedAtMs >= limits.reconnectDelayMaxMs;
    this.#quickBreaks = held ? 0 : this.#quickBreaks + 1;
    this.#dialSoon(this.#quickBreaks <= 1 ? 0 : this.#delayMsAfter(this.#quickBreaks - 1));
  }

  #attemptFailed(failure: DialFailure): void {
    const { worked } = this.addresses;
    const isOnly = this.addresses.all().length <= 1;
    const isGone = failure.refused && (isOnly || failure.address === worked);
    this.#handlers.onDialFailed(this.name, failure, isGone);
    if (this.#link === null) this.#failed();
  }

  /** The next address at once; after the last one a pause. */
  #failed(): void {
    if (this.#untried.length > 0) {
      this.#dialSoon(0);
      return;
    }
    this.#failures++;
    this.#dialSoon(this.#delayMsAfter(this.#failures));
  }

  #delayMsAfter(failures: number): number {
    const { limits } = this.#services;
    const delayMs = reconnectDelayMs(failures, limits, this.#services.random());
    return this.isStranger ? delayMs * limits.strangerDelayFactor : delayMs;
  }
}
