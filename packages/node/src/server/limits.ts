/**
 * What one connection may take of the server. Limits that users set are in NodeConfig; these are internal, with a
 * name, a unit and a reason each, and tests pass smaller ones.
 */
export interface ConnectionLimits {
  /** Reads and edge commands that wait behind writes of their own connection; then decoding pauses. */
  readonly deferredCommandsMax: number;
  /** Bytes of those commands. */
  readonly deferredBytesMax: number;
  /** Writes of one connection on their way through the log; then decoding pauses. */
  readonly writesInFlightMax: number;
  /** Bytes of those writes: one connection must not fill the node's proposal queue and make others fail. */
  readonly writeBytesInFlightMax: number;
  /** Undecoded bytes held while decoding is paused; then the socket is not read, and TCP slows the client down. */
  readonly pausedInputBytesMax: number;
  /** Replies collected before they are handed to the socket in the middle of a read event. */
  readonly outputChunkBytes: number;
  /** Replies that may wait for a client that has never authenticated (a flood of NOAUTH must not fill memory). */
  readonly unauthenticatedOutputBytesMax: number;
  /** Query buffer of a client that has not authenticated; Redis' value. */
  readonly unauthenticatedInputBytesMax: number;
  /** A client that was told to go gets this long to read its last replies. */
  readonly closeGraceMs: number;
}

/** TLS handshakes in progress: each costs this node a signature and some 50 KB, and the other side next to nothing. */
export const TLS_HANDSHAKES_MAX = 1000;
/** Of those from one address (of IPv6 its /64), so that one can not keep all others out. Not for this machine itself. */
export const TLS_HANDSHAKES_PER_ADDRESS_MAX = 500;
/** Open connections are looked at again in slices of this length after a change of authorities or revocations. */
export const REVIEW_SLICE_MS = 5;
/** Of failed handshakes of one reason, one is logged in this time; the others are counted. */
export const HANDSHAKE_LOG_INTERVAL_MS = 10_000;

export const DEFAULT_CONNECTION_LIMITS: ConnectionLimits = {
  deferredCommandsMax: 65_536,
  deferredBytesMax: 64 * 1024 * 1024,
  writesInFlightMax: 65_536,
  writeBytesInFlightMax: 16 * 1024 * 1024,
  pausedInputBytesMax: 1024 * 1024,
  outputChunkBytes: 256 * 1024,
  unauthenticatedOutputBytesMax: 64 * 1024,
  unauthenticatedInputBytesMax: 1024 * 1024,
  closeGraceMs: 5_000,
};
