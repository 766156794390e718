/**
 * Looks after links while they live: ends those whose peer takes nothing, whose certificate is over or not good any more,
 * and has those replaced that were made with certificates that are not the newest (S33, S34).
 *
 * A rotation alone ends no link: what was good stays good. But a link whose certificate is about to end, or whose
 * authority is about to be dropped, would break at that moment. So every link is renewed soon after either side has a new
 * certificate: one at a time, at a moment drawn by chance, the old one staying until the new one works. If the new
 * certificate is one that the peers do not take, that shows in the log while the old links still carry everything.
 */
import type { ConnectionRefusal } from "./connection-refusal.ts";
import type { LinkServices, PeerLink } from "./link.ts";
import type { PeerGate } from "./peer-gate.ts";
import type { PeerState } from "./peer-directory.ts";

/** How often links are looked at. */
const LOOK_INTERVAL_MS = 1000;
/** Of what is left of a certificate, the part in which its links are renewed at the latest. */
const REMAINING_PART = 1 / 3;

export interface WatchedLinks {
  peers(): readonly PeerState[];
  /** All links, also those whose peer has not said hello. */
  links(): Iterable<PeerLink>;
  /** Ends a link whose certificate is not good any more. */
  end(link: PeerLink, refusal: ConnectionRefusal): void;
}

export class LinkWatch {
  readonly #gate: PeerGate;
  readonly #services: LinkServices & { random(): number };
  readonly #watched: WatchedLinks;
  /** When the link of a peer is renewed next, by name. */
  readonly #dueAtMs = new Map<string, number>();
  #cancel: () => void = () => undefined;

  constructor(
    gate: PeerGate,
    services: LinkServices & { random(): number },
    watched: WatchedLinks,
  ) {
    this.#gate = gate;
    this.#services = services;
    this.#watched = watched;
  }

  /** Looks now, and from time to time until `stop`. */
  look(): void {
    this.#cancel();
    const { clock } = this.#services;
    const nowMs = clock.nowMs();
    for (const link of this.#watched.links()) {
      link.endIfStalled(nowMs);
      const ended = this.#gate.expiry(link.certificates);
      if (ended !== null) this.#watched.end(link, ended);
    }
    const nextMs = Math.min(LOOK_INTERVAL_MS, this.#renew(nowMs) - nowMs);
    this.#cancel = clock.after(Math.max(0, nextMs), () => {
      this.look();
    });
  }

  /** What makes a certificate good has changed: every link is judged anew, and ended if it does not pass. */
  review(): void {
    for (const link of this.#watched.links()) {
      const refusal = this.#gate.review(link.certificates, link.hello?.name ?? null);
      if (refusal !== null) this.#watched.end(link, refusal);
    }
  }

  stop(): void {
    this.#cancel();
  }

  /** Renews at most one link. Gives the time at which it is to be looked again. */
  #renew(nowMs: number): number {
    const peers = this.#watched.peers();
    const isBusy = peers.some((peer) => peer.dialer.isRenewing);
    let next: PeerState | null = null;
    let nextDueMs = Infinity;
    for (const peer of peers) {
      const dueMs = this.#dueMs(peer, nowMs);
      if (dueMs < nextDueMs) {
        next = peer;
        nextDueMs = dueMs;
      }
    }
    if (isBusy || next === null) return Infinity;
    if (nextDueMs > nowMs) return nextDueMs;
    // If it fails it is tried again then; if not, nothing is due.
    this.#dueAtMs.set(next.name, nowMs + this.#services.limits.linkRenewalMs);
    next.dialer.renew();
    return Infinity;
  }

  /** Infinity for a link that has nothing newer to be made with. */
  #dueMs(peer: PeerState, nowMs: number): number {
    const { link } = peer.dialer;
    if (link?.isOpen !== true || !this.#isOutdated(link) || this.#gate.ownRefusal() !== null) {
      this.#dueAtMs.delete(peer.name);
      return Infinity;
    }
    const known = this.#dueAtMs.get(peer.name);
    if (known !== undefined) return known;
    const { limits } = this.#services;
    const { peerValidUntilMs, ownValidUntilMs } = link.certificates;
    const remainingMs = Math.max(0, Math.min(peerValidUntilMs, ownValidUntilMs) - nowMs);
    const spanMs = Math.min(limits.linkRenewalMs, remainingMs * REMAINING_PART);
    const dueMs = nowMs + Math.floor(spanMs * this.#services.random());
    this.#dueAtMs.set(peer.name, dueMs);
    return dueMs;
  }

  #isOutdated(link: PeerLink): boolean {
    const { ownFingerprint, peerFingerprint } = link.certificates;
    const theirs = link.hello?.certificate ?? peerFingerprint;
    return ownFingerprint !== this.#gate.ownFingerprint || theirs !== peerFingerprint;
  }
}
