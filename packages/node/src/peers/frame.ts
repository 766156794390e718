/**
 * The frame: what travels on a link between two nodes, inside TLS. Numbers are little-endian.
 *
 *   0        4      5      8        12             20
 *   +--------+------+------+--------+--------------+------------------
 *   | length | kind | zero | group  | sender time  | body
 *   |  u32   |  u8  |  u24 |  u32   |   f64, ms    | by kind
 *   +--------+------+------+--------+--------------+------------------
 *            |<---------------- length -----------------------------|
 *
 * `length` counts what follows it. `group` names the Raft group (0 today). `sender time` is the sender's logical clock.
 * Whole numbers that may pass 2^32 (terms, indexes, sequences) are f64: exact up to 2^53, which is all JavaScript
 * counts to, and cheaper to write than a 64-bit integer.
 *
 * A frame names neither its sender nor its receiver. A link has exactly one node at each end, both proved by
 * certificate and hello; the decoder writes their ids into the message. So a node can not speak for another (S32):
 * the format has no place to say so.
 */
import type { NodeId } from "@ferrite/raft";

/**
 * Version of everything in this folder. Raised when a frame changes; a peer of another version is refused. A kind of frame
 * that is added needs no new version where only those are sent it who say in their hello that they know it.
 */
export const PROTOCOL_VERSION = 4;

export const LENGTH_FIELD_BYTES = 4;
export const HEADER_BYTES = 20;
/**
 * No frame of an open link is longer than this; a longer one travels in fragments (fragment.ts). It is what a heartbeat
 * waits for at most, and what a receiver keeps besides the frame it puts together.
 */
export const FRAGMENT_BYTES: number = 256 * 1024;
/** The only group there is today. */
export const GROUP_ID = 0;

/** Frames until the peer has proved who it is (hello, refusal): small, so that a stranger can not make us keep much. */
export const HANDSHAKE_FRAME_BYTES_MAX: number = 128 * 1024;
/** Default of `peer-frame-bytes-max`: room for one log batch of 64 MiB and its wrapping. */
export const PEER_FRAME_BYTES_MAX_DEFAULT: number = 80 * 1024 * 1024;
/** The smallest setting that still lets the hello of a cluster through. */
export const PEER_FRAME_BYTES_MAX_LEAST: number = HANDSHAKE_FRAME_BYTES_MAX;

/** On the wire as one byte. Never reuse a number. */
export const FrameKind = {
  Hello: 1,
  Refusal: 2,
  Fragment: 3,

  PreVoteRequest: 16,
  VoteRequest: 17,
  PreVoteResponse: 18,
  VoteResponse: 19,
  Append: 20,
  AppendResponse: 21,
  Heartbeat: 22,
  HeartbeatResponse: 23,
  SnapshotChunk: 24,
  SnapshotResponse: 25,
  TimeoutNow: 26,
  ReadIndexRequest: 27,
  ReadIndexResponse: 28,

  Forward: 48,
  ForwardRefused: 49,
  CopiesQuery: 50,
  CopiesAnswer: 51,
  SettleQuery: 52,
  SettleAnswer: 53,
  AppliedQuery: 54,
  AppliedAnswer: 55,
  LeadershipAsk: 56,
  LeadershipAnswer: 57,
  SnapshotAsk: 58,
  SnapshotOffer: 59,
  ChunkNotice: 60,
  ChunkRead: 61,
  ChunkBytes: 62,
} as const;
export type FrameKind = (typeof FrameKind)[keyof typeof FrameKind];

/** The two ends of the link a frame came over; they become `from` and `to` of what it says. */
export interface LinkEnds {
  readonly from: NodeId;
  readonly to: NodeId;
}
