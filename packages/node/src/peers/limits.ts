/** Every limit of the peer network, with its unit and its default. */
import { PeerError } from "./errors.ts";
import { PEER_FRAME_BYTES_MAX_DEFAULT, PEER_FRAME_BYTES_MAX_LEAST } from "./frame.ts";

export interface PeerLimits {
  /** Largest frame, sent or received, before it is cut (peer-frame-bytes-max). */
  readonly frameBytesMax: number;
  /**
   * Bytes that may wait for one peer. Beyond it `send` refuses, and Raft sends again later. A single frame is always
   * taken when nothing else waits but what the socket has, so that the largest write gets through. What is urgent is
   * counted by itself.
   */
  readonly queueBytesMax: number;
  /**
   * The socket is given more of what can wait only while it holds less than this: what it holds is ahead of every
   * heartbeat, and is encrypted in one go.
   */
  readonly socketBytesLow: number;
  /** First wait before dialing again; doubles up to the next one. Each wait is drawn from its upper half. */
  readonly reconnectDelayMinMs: number;
  readonly reconnectDelayMaxMs: number;
  /** From the TCP connection to the peer's hello. */
  readonly handshakeTimeoutMs: number;
  /** For the TCP connection, when the peer has other addresses to be tried. */
  readonly connectTimeoutMs: number;
  /** Accepted connections that may be in their handshake at once; more are closed unread. */
  readonly pendingHandshakesMax: number;
  /** A link whose peer takes nothing for this long, though something waits, is ended. */
  readonly stallTimeoutMs: number;
  /** Idle time after which TCP asks whether the other machine is still there. */
  readonly keepAliveIdleMs: number;
  /**
   * A link whose certificates are not the newest of its two nodes any more is replaced within this time, at a moment
   * drawn by chance; one that can not be replaced is tried again after it.
   */
  readonly linkRenewalMs: number;
  /** A node that is no member says so again after this time, on every link. */
  readonly joinAskIntervalMs: number;
  /** Nodes that are heard though they are no members; more are refused. */
  readonly askingNodesMax: number;
  /** A peer that the configuration names and the cluster does not know is dialed this much less often. */
  readonly strangerDelayFactor: number;
  /** The same complaint is logged at most once in this time. */
  readonly repeatedLogIntervalMs: number;
}

export const DEFAULT_PEER_LIMITS: PeerLimits = {
  frameBytesMax: PEER_FRAME_BYTES_MAX_DEFAULT,
  queueBytesMax: 64 * 1024 * 1024,
  socketBytesLow: 512 * 1024,
  reconnectDelayMinMs: 20,
  reconnectDelayMaxMs: 1000,
  handshakeTimeoutMs: 5000,
  connectTimeoutMs: 2000,
  pendingHandshakesMax: 64,
  stallTimeoutMs: 15_000,
  keepAliveIdleMs: 10_000,
  linkRenewalMs: 10_000,
  joinAskIntervalMs: 2000,
  askingNodesMax: 16,
  strangerDelayFactor: 10,
  repeatedLogIntervalMs: 5000,
};

/** @throws PeerError badOption */
export function checkPeerLimits(limits: PeerLimits): PeerLimits {
  for (const [name, value] of Object.entries(limits) as [keyof PeerLimits, number][]) {
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new PeerError(
        "badOption",
        `${name} must be a whole number of at least 1, not ${value}.`,
      );
    }
  }
  if (limits.frameBytesMax < PEER_FRAME_BYTES_MAX_LEAST) {
    throw new PeerError(
      "badOption",
      `frameBytesMax must be at least ${PEER_FRAME_BYTES_MAX_LEAST} bytes, not ${limits.frameBytesMax}.`,
    );
  }
  if (limits.reconnectDelayMaxMs < limits.reconnectDelayMinMs) {
    throw new PeerError(
      "badOption",
      "reconnectDelayMaxMs must not be less than reconnectDelayMinMs.",
    );
  }
  return limits;
}
