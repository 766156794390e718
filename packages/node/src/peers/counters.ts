/** What the peer network counts, for metrics. Plain numbers that only grow; the reader makes rates of them. */
import type { RefusalReason } from "./refusal.ts";
import { REFUSAL_REASONS } from "./refusal.ts";

export interface PeerCounters {
  bytesSent: number;
  bytesReceived: number;
  framesSent: number;
  framesReceived: number;
  /** Pieces of frames that were too long to go whole. */
  fragmentsSent: number;
  fragmentsReceived: number;
  /** Payloads given to `send` that had no open link. */
  droppedNoLink: number;
  /** Payloads given to `send` whose link's queue was full. */
  droppedQueueFull: number;
  /** Large payloads given to `send` while the same one still waited. */
  droppedRepeated: number;
  /** Payloads larger than a frame may be. */
  droppedTooLarge: number;
  /** Payload frames that came before this node was active. */
  droppedInactive: number;
  /** Attempts to reach a peer. */
  dials: number;
  /** Dialed links that opened. */
  linksOpened: number;
  /** Those of them that took the place of one with older certificates. */
  linksRenewed: number;
  /** Open dialed links that broke. */
  linksLost: number;
  /** Accepted links that opened. */
  linksAccepted: number;
  /** Links that broke the frame rules. */
  protocolErrors: number;
  /** Handshakes, TLS or hello, that failed or were not done in time. */
  handshakesFailed: number;
  /** Connections closed at once, as too many were in their handshake. */
  handshakesRefused: number;
  /** Links ended because the peer took no bytes for too long. */
  linksStalled: number;
  /** Refusals this node spoke, by reason. */
  readonly refusalsSent: Record<RefusalReason, number>;
  /** Refusals this node was told, by reason. */
  readonly refusalsReceived: Record<RefusalReason, number>;
}

export function createPeerCounters(): PeerCounters {
  return {
    bytesSent: 0,
    bytesReceived: 0,
    framesSent: 0,
    framesReceived: 0,
    fragmentsSent: 0,
    fragmentsReceived: 0,
    droppedNoLink: 0,
    droppedQueueFull: 0,
    droppedRepeated: 0,
    droppedTooLarge: 0,
    droppedInactive: 0,
    dials: 0,
    linksOpened: 0,
    linksRenewed: 0,
    linksLost: 0,
    linksAccepted: 0,
    protocolErrors: 0,
    handshakesFailed: 0,
    handshakesRefused: 0,
    linksStalled: 0,
    refusalsSent: zeroPerReason(),
    refusalsReceived: zeroPerReason(),
  };
}

function zeroPerReason(): Record<RefusalReason, number> {
  return Object.fromEntries(REFUSAL_REASONS.map((reason) => [reason, 0])) as Record<
    RefusalReason,
    number
  >;
}
