/** Buckets grow by this factor, so that a percentile is off by at most two percent. */
const GROWTH = 1.02;
const BUCKET_COUNT = 1200;
const SMALLEST_MS = 0.001;
const LOG_GROWTH = Math.log(GROWTH);

/** Counts latencies in buckets of constant relative width; its memory does not grow. */
export class LatencyHistogram {
  readonly #counts = new Float64Array(BUCKET_COUNT);
  #total = 0;
  #maxMs = 0;

  record(latencyMs: number): void {
    const bucket = Math.ceil(Math.log(Math.max(latencyMs, SMALLEST_MS) / SMALLEST_MS) / LOG_GROWTH);
    this.#counts[Math.min(bucket, BUCKET_COUNT - 1)] += 1;
    this.#total += 1;
    this.#maxMs = Math.max(this.#maxMs, latencyMs);
  }

  /** The latency that `share` of all stay below (0.99 for the 99th percentile), in ms. */
  percentileMs(share: number): number {
    const wanted = share * this.#total;
    let seen = 0;
    for (let bucket = 0; bucket < BUCKET_COUNT; bucket++) {
      seen += this.#counts[bucket];
      if (seen >= wanted && seen > 0) {
        return Math.min(SMALLEST_MS * GROWTH ** bucket, this.#maxMs);
      }
    }
    return this.#maxMs;
  }

  get maxMs(): number {
    return this.#maxMs;
  }
}
