/**
 * What a link carries once it is open, as frames. Raft's messages are in raft-codec.ts; the rest is here:
 *
 *   forward          the sealed batch, to the end of the frame
 *   forward refused  incarnation f64 | sequence f64 | reason u8
 *   copies query     requestId f64 | index f64 | wanted f64 | timeoutMs f64
 *   copies answer    requestId f64 | count f64
 *   settle query     requestId f64 | index f64
 *   settle answer    requestId f64
 *   applied query    index f64
 *   applied answer   index f64
 */
import type { PeerPayload } from "../replica/transport.ts";
import { PeerError } from "./errors.ts";
import { FrameKind, GROUP_ID } from "./frame.ts";
import { malformed } from "./frame-reader.ts";
import type { FrameReader } from "./frame-reader.ts";
import type { FrameWriter } from "./frame-writer.ts";
import { raftBodyBytes, readRaftMessage, writeRaftMessage } from "./raft-codec.ts";
import type { LinkEnds } from "./raft-codec.ts";

type ForwardRefusal = Extract<PeerPayload, { readonly kind: "forwardRefused" }>["reason"];

/** The place in the list is the byte on the wire: append only. */
const REFUSAL_REASONS: readonly ForwardRefusal[] = ["notLeader", "busy", "noSpace", "gap"];

const FIXED_BODY_BYTES = {
  forwardRefused: 17,
  copiesQuery: 32,
  copiesAnswer: 16,
  settleQuery: 16,
  settleAnswer: 8,
  appliedQuery: 8,
  appliedAnswer: 8,
} as const;

/** @throws PeerError notEncodable */
export function payloadBodyBytes(payload: PeerPayload): number {
  if (payload.kind === "raft") {
    return raftBodyBytes(payload.message);
  }
  return payload.kind === "forward" ? payload.batch.length : FIXED_BODY_BYTES[payload.kind];
}

/** Appends the payload's frame. `bodyBytes` comes from `payloadBodyBytes`. */
export function writePayload(
  writer: FrameWriter,
  payload: PeerPayload,
  senderTimeMs: number,
  bodyBytes: number,
): void {
  switch (payload.kind) {
    case "raft":
      writeRaftMessage(writer, payload.message, senderTimeMs, bodyBytes);
      return;
    case "forward":
      writer.begin(FrameKind.Forward, GROUP_ID, senderTimeMs, bodyBytes, 0);
      writer.bytes(payload.batch);
      return;
    case "forwardRefused":
      writer.begin(FrameKind.ForwardRefused, GROUP_ID, senderTimeMs, bodyBytes, bodyBytes);
      writer.f64(payload.incarnation);
      writer.f64(payload.sequence);
      writer.u8(REFUSAL_REASONS.indexOf(payload.reason));
      return;
    case "copiesQuery":
      writer.begin(FrameKind.CopiesQuery, GROUP_ID, senderTimeMs, bodyBytes, bodyBytes);
      writer.f64(payload.requestId);
      writer.f64(payload.index);
      writer.f64(payload.wanted);
      writer.f64(payload.timeoutMs);
      return;
    case "copiesAnswer":
      writer.begin(FrameKind.CopiesAnswer, GROUP_ID, senderTimeMs, bodyBytes, bodyBytes);
      writer.f64(payload.requestId);
      writer.f64(payload.count);
      return;
    case "settleQuery":
      writer.begin(FrameKind.SettleQuery, GROUP_ID, senderTimeMs, bodyBytes, bodyBytes);
      writer.f64(payload.requestId);
      writer.f64(payload.index);
      return;
    case "settleAnswer":
      writer.begin(FrameKind.SettleAnswer, GROUP_ID, senderTimeMs, bodyBytes, bodyBytes);
      writer.f64(payload.requestId);
      return;
    case "appliedQuery":
      writer.begin(FrameKind.AppliedQuery, GROUP_ID, senderTimeMs, bodyBytes, bodyBytes);
      writer.f64(payload.index);
      return;
    case "appliedAnswer":
      writer.begin(FrameKind.AppliedAnswer, GROUP_ID, senderTimeMs, bodyBytes, bodyBytes);
      writer.f64(payload.index);
      return;
  }
}

/**
 * Reads one frame's body, all of it.
 * @throws PeerError frameMalformed, frameUnknownKind
 */
export function readPayload(kind: number, reader: FrameReader, ends: LinkEnds): PeerPayload {
  const message = readRaftMessage(kind, reader, ends);
  const payload: PeerPayload =
    message === null ? readOther(kind, reader) : { kind: "raft", message };
  reader.finish();
  return payload;
}

function readOther(kind: number, reader: FrameReader): PeerPayload {
  switch (kind as FrameKind) {
    case FrameKind.Forward:
      return { kind: "forward", batch: reader.bytes(reader.remainingBytes) };
    case FrameKind.ForwardRefused:
      return {
        kind: "forwardRefused",
        incarnation: reader.count(),
        sequence: reader.count(),
        reason: readReason(reader),
      };
    case FrameKind.CopiesQuery:
      return {
        kind: "copiesQuery",
        requestId: reader.count(),
        index: reader.count(),
        wanted: reader.count(),
        timeoutMs: reader.count(),
      };
    case FrameKind.CopiesAnswer:
      return { kind: "copiesAnswer", requestId: reader.count(), count: reader.count() };
    case FrameKind.SettleQuery:
      return { kind: "settleQuery", requestId: reader.count(), index: reader.count() };
    case FrameKind.SettleAnswer:
      return { kind: "settleAnswer", requestId: reader.count() };
    case FrameKind.AppliedQuery:
      return { kind: "appliedQuery", index: reader.count() };
    case FrameKind.AppliedAnswer:
      return { kind: "appliedAnswer", index: reader.count() };
    default:
      throw new PeerError(
        "frameUnknownKind",
        `A frame is of kind ${kind}, which this version does not know.`,
      );
  }
}

function readReason(reader: FrameReader): ForwardRefusal {
  const value = reader.u8();
  const reason = REFUSAL_REASONS[value];
  if (reason === undefined) {
    throw malformed(`a refusal's reason is ${value}`);
  }
  return reason;
}
