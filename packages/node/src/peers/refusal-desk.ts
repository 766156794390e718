/** Where every refusal of a peer is counted, logged and handed to the trail, so that none is in one of them only. */
import type { X509Certificate } from "node:crypto";
import { PEER_REFUSAL_REASONS, shownCertificate } from "./connection-refusal.ts";
import type { PeerRefusal, PeerRefusalReason } from "./connection-refusal.ts";
import { LogLimiter } from "./log-limiter.ts";
import type { PeerPorts } from "./ports.ts";

export interface RefusedPeer {
  readonly side: PeerRefusal["side"];
  readonly remote: string;
  readonly peer: string | null;
  readonly certificate: X509Certificate | null;
}

export class RefusalDesk {
  /** Every refusal, also those that were not told. */
  readonly counts: Readonly<Record<PeerRefusalReason, number>>;
  readonly #counts: Record<PeerRefusalReason, number>;
  readonly #ports: PeerPorts;
  readonly #limiter: LogLimiter;

  constructor(ports: PeerPorts, repeatedLogIntervalMs: number) {
    this.#ports = ports;
    this.#limiter = new LogLimiter(repeatedLogIntervalMs);
    this.#counts = Object.fromEntries(PEER_REFUSAL_REASONS.map((reason) => [reason, 0])) as Record<
      PeerRefusalReason,
      number
    >;
    this.counts = this.#counts;
  }

  /** Counts it, and tells it unless the same host was refused for the same reason a moment ago. */
  tell(refusal: Pick<PeerRefusal, "reason" | "text">, who: RefusedPeer): void {
    const { reason, text } = refusal;
    this.#counts[reason]++;
    const key = `${reason} ${who.side} ${hostOf(who.remote)}`;
    const passed = this.#limiter.pass(key, this.#ports.clock.nowMs());
    if (passed === null) return;
    const certificate = who.certificate === null ? null : shownCertificate(who.certificate);
    const { side, remote, peer } = who;
    const told = { reason, text, side, remote, peer, certificate, ...passed };
    const level = reason === "ownExpired" ? "error" : "warn";
    this.#ports.logger[level](told, "A peer was refused");
    this.#ports.onRefused(told);
  }
}

/** Ports differ from connection to connection. */
function hostOf(remote: string): string {
  const colon = remote.lastIndexOf(":");
  return colon < 0 ? remote : remote.slice(0, colon);
}
