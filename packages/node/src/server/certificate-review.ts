/**
 * Looks again at the certificates of connections that are open, after authorities or revocations have changed (S33, S35).
 * Thousands of them are looked at in slices, so that others are served in between; equal certificates once.
 */
import type { CertificateRefusal } from "../certificates/live-credentials.ts";
import type { ClientTls } from "./client-tls.ts";

/** A connection over TLS. */
export interface ReviewedConnection {
  readonly tls: ClientTls | null;
}

export interface ReviewParts<T extends ReviewedConnection> {
  readonly connections: () => Iterable<T>;
  readonly examine: (tls: ClientTls) => CertificateRefusal | null;
  /** Called for connections that have closed meanwhile, too. */
  readonly refuse: (connection: T, refusal: CertificateRefusal) => void;
  /** How long others wait at most. */
  readonly sliceMs: number;
}

export class CertificateReview<T extends ReviewedConnection> {
  readonly #parts: ReviewParts<T>;
  /** The number of the review that runs: an older one gives up. */
  #current = 0;

  constructor(parts: ReviewParts<T>) {
    this.#parts = parts;
  }

  /** Begins; what is under way already begins anew, with what is true now. */
  start(): void {
    const number = ++this.#current;
    const waiting = [...this.#parts.connections()].filter((each) => each.tls !== null);
    const known = new Map<string, CertificateRefusal | null>();
    const slice = (): void => {
      const endMs = performance.now() + this.#parts.sliceMs;
      while (number === this.#current && waiting.length > 0 && performance.now() < endMs) {
        this.#look(waiting.pop() as T, known);
      }
      if (number === this.#current && waiting.length > 0) setImmediate(slice);
    };
    slice();
  }

  stop(): void {
    this.#current++;
  }

  #look(connection: T, known: Map<string, CertificateRefusal | null>): void {
    const { tls } = connection;
    if (tls === null) return;
    const key = tls.certificate?.fingerprint ?? "";
    let refusal = known.get(key);
    if (refusal === undefined) {
      refusal = this.#parts.examine(tls);
      known.set(key, refusal);
    }
    if (refusal !== null) this.#parts.refuse(connection, refusal);
  }
}
