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
 *   leadership ask   requestId f64 | timeoutMs f64 | wish u8 | has target u8 | target 16 bytes (zero without one)
 *   leadership answer  requestId f64 | answer u8
 *   of lent snapshots  see snapshot-codec.ts
 */
import type { NodeId } from "@ferrite/raft";
import type { LeadershipAnswer, LeadershipWish } from "../replica/leadership-control.ts";
import type { PeerPayload } from "../replica/transport.ts";
import { PeerError } from "./errors.ts";
import { FrameKind, GROUP_ID, type LinkEnds } from "./frame.ts";
import { malformed } from "./frame-reader.ts";
import type { FrameReader } from "./frame-reader.ts";
import type { FrameWriter } from "./frame-writer.ts";
import { raftBodyBytes, readRaftMessage, writeRaftMessage } from "./raft-codec.ts";
import { loanBodyBytes, readLoan, writeLoan } from "./snapshot-codec.ts";

type LeadershipAsk = Extract<PeerPayload, { readonly kind: "leadershipAsk" }>;
type ForwardRefusal = Extract<PeerPayload, { readonly kind: "forwardRefused" }>["reason"];

/** The place in the list is the byte on the wire: append only. */
const REFUSAL_REASONS: readonly ForwardRefusal[] = ["notLeader", "busy", "noSpace", "gap"];

/** As the reasons: append only. */
const WISHES: readonly LeadershipWish["kind"][] = ["transfer", "stepDown", "cancel"];
const LEADERSHIP_ANSWERS: readonly LeadershipAnswer[] = [
  "accepted",
  "notLeader",
  "nobody",
  "underWay",
  "nothing",
];
/** Stands where there is no target. */
const NO_TARGET: NodeId = "00000000-0000-0000-0000-000000000000";

const FIXED_BODY_BYTES = {
  forwardRefused: 17,
  copiesQuery: 32,
  copiesAnswer: 16,
  settleQuery: 16,
  settleAnswer: 8,
  appliedQuery: 8,
  appliedAnswer: 8,
  leadershipAsk: 34,
  leadershipAnswer: 9,
} as const;

/** @throws PeerError notEncodable */
export function payloadBodyBytes(payload: PeerPayload): number {
  switch (payload.kind) {
    case "raft":
      return raftBodyBytes(payload.message);
    case "forward":
      return payload.batch.length;
    case "snapshotAsk":
    case "snapshotOffer":
    case "chunkNotice":
    case "chunkRead":
    case "chunkBytes":
      return loanBodyBytes(payload);
    default:
      return FIXED_BODY_BYTES[payload.kind];
  }
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
    case "leadershipAsk":
      writer.begin(FrameKind.LeadershipAsk, GROUP_ID, senderTimeMs, bodyBytes, bodyBytes);
      writeLeadershipAsk(writer, payload);
      return;
    case "leadershipAnswer":
      writer.begin(FrameKind.LeadershipAnswer, GROUP_ID, senderTimeMs, bodyBytes, bodyBytes);
      writer.f64(payload.requestId);
      writer.u8(LEADERSHIP_ANSWERS.indexOf(payload.answer));
      return;
    default:
      writeLoan(writer, payload, senderTimeMs, bodyBytes);
  }
}

function writeLeadershipAsk(writer: FrameWriter, payload: LeadershipAsk): void {
  const { wish } = payload;
  const target = wish.kind === "transfer" ? wish.target : null;
  writer.f64(payload.requestId);
  writer.f64(payload.timeoutMs);
  writer.u8(WISHES.indexOf(wish.kind));
  writer.u8(target === null ? 0 : 1);
  writer.nodeId(target ?? NO_TARGET);
}

/**
 * Reads one frame's body, all of it.
 * @throws PeerError frameMalformed, frameUnknownKind
 */
export function readPayload(kind: number, reader: FrameReader, ends: LinkEnds): PeerPayload {
  const message = readRaftMessage(kind, reader, ends);
  const payload: PeerPayload =
    message === null
      ? (readLoan(kind, reader, ends) ?? readOther(kind, reader))
      : { kind: "raft", message };
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
    case FrameKind.LeadershipAsk:
      return readLeadershipAsk(reader);
    case FrameKind.LeadershipAnswer:
      return {
        kind: "leadershipAnswer",
        requestId: reader.count(),
        answer: wordAt(LEADERSHIP_ANSWERS, reader.u8()),
      };
    default:
      throw new PeerError(
        "frameUnknownKind",
        `A frame is of kind ${kind}, which this version does not know.`,
      );
  }
}

function readLeadershipAsk(reader: FrameReader): LeadershipAsk {
  const requestId = reader.count();
  const timeoutMs = reader.count();
  const kind = wordAt(WISHES, reader.u8());
  const hasTarget = reader.boolean();
  const id = reader.nodeId();
  const target = hasTarget ? id : null;
  const wish: LeadershipWish = kind === "transfer" ? { kind, target } : { kind };
  return { kind: "leadershipAsk", requestId, wish, timeoutMs };
}

function readReason(reader: FrameReader): ForwardRefusal {
  return wordAt(REFUSAL_REASONS, reader.u8());
}

/** What a byte stands for in a list of words. */
function wordAt<T extends string>(words: readonly T[], place: number): T {
  const word = words[place];
  if (word === undefined) {
    throw malformed(`${place} is none of ${words.join(", ")}`);
  }
  return word;
}
