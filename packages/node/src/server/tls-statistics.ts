/** What INFO and the metrics say about TLS. */
import type { TlsView } from "./edge-context.ts";
import { HANDSHAKE_FAILURE_REASONS, type HandshakeFailureReason } from "./tls-failure.ts";

export class TlsStatistics implements TlsView {
  handshakes = 0;
  plaintextRefusals = 0;
  certificatesClosed = 0;
  readonly #connected: () => number;
  readonly #failures = new Map<HandshakeFailureReason, number>();

  /** `connected`: how many clients are connected over TLS now. */
  constructor(connected: () => number) {
    this.#connected = connected;
    this.reset();
  }

  get connectedClients(): number {
    return this.#connected();
  }

  get handshakeFailures(): number {
    let sum = 0;
    for (const count of this.#failures.values()) sum += count;
    return sum;
  }

  failuresByReason(): readonly (readonly [string, number])[] {
    return [...this.#failures];
  }

  countFailure(reason: HandshakeFailureReason): void {
    this.#failures.set(reason, (this.#failures.get(reason) ?? 0) + 1);
  }

  /** CONFIG RESETSTAT. */
  reset(): void {
    this.handshakes = 0;
    this.plaintextRefusals = 0;
    this.certificatesClosed = 0;
    for (const reason of HANDSHAKE_FAILURE_REASONS) this.#failures.set(reason, 0);
  }
}
