/**
 * How much of a request is believed before it is checked. Each limit ends a request with the error text Redis gives,
 * and each has a test that crosses it (test/resp/decoder-limits.test.ts).
 */
export interface DecoderLimits {
  /** Bytes of an inline request, or of a `*n` or `$n` line, without its line end. Redis: PROTO_INLINE_MAX_SIZE. */
  inlineBytesMax: number;
  /** Arguments of one request. Redis 7.0 takes up to 2^31-1; see `DEFAULT_LIMITS`. */
  multibulkMax: number;
  /** Bytes of one argument: proto-max-bulk-len. */
  bulkBytesMax: number;
  /** Arguments of a request on a connection that has not authenticated (CVE-2021-32675). */
  unauthenticatedMultibulkMax: number;
  /** Bytes of one argument on a connection that has not authenticated (CVE-2021-32675). */
  unauthenticatedBulkBytesMax: number;
  /**
   * Bytes of a request that are kept before the gate is asked. Smaller ones are always taken whole, so that what they
   * are answered does not depend on how the network has cut them.
   */
  unjudgedBytesMax: number;
}

/**
 * What a listener starts with. `multibulkMax` is Redis' own number from before 7.0 (1024 * 1024): 7.0 raised it to
 * 2^31-1, which lets one request of empty arguments take 16 GiB of bookkeeping. A write has to fit in one log batch
 * anyway, so nothing that could succeed is refused.
 */
export const DEFAULT_LIMITS: Readonly<DecoderLimits> = {
  inlineBytesMax: 64 * 1024,
  multibulkMax: 1024 * 1024,
  bulkBytesMax: 64 * 1024 * 1024,
  unauthenticatedMultibulkMax: 10,
  unauthenticatedBulkBytesMax: 16 * 1024,
  unjudgedBytesMax: 16 * 1024,
};

/**
 * For requests read back from the log: what was agreed once must decode for ever, whatever the limits were when it
 * came in.
 */
export const LOG_LIMITS: Readonly<DecoderLimits> = {
  inlineBytesMax: 64 * 1024,
  multibulkMax: 2 ** 31 - 1,
  bulkBytesMax: 2 ** 31 - 1,
  unauthenticatedMultibulkMax: 10,
  unauthenticatedBulkBytesMax: 16 * 1024,
  unjudgedBytesMax: 16 * 1024,
};
