/**
 * Whatever arrives is taken in at once, and one round soon after does the work for all of it together. A round that throws
 * has met a broken invariant: it is the last one.
 */
export interface RoundsPorts {
  /** Runs soon, after the I/O that is ready now. */
  defer(run: () => void): void;
  isStopped(): boolean;
  work(): void;
  failed(error: Error): void;
}

export class Rounds {
  readonly #ports: RoundsPorts;
  #isPlanned = false;

  constructor(ports: RoundsPorts) {
    this.#ports = ports;
  }

  /** A round is to come; one is enough for everybody who asks. */
  plan(): void {
    if (this.#isPlanned || this.#ports.isStopped()) return;
    this.#isPlanned = true;
    this.#ports.defer(this.#round);
  }

  readonly #round = (): void => {
    this.#isPlanned = false;
    if (this.#ports.isStopped()) return;
    try {
      this.#ports.work();
    } catch (error) {
      this.#ports.failed(error as Error);
    }
  };
}
