/**
 * Why a node will not talk to another. Said to the other side in one last frame, so that both logs tell the reason.
 *
 *   body:  reason u8 | UTF-8 text to the end of the frame
 */
import { FrameKind, GROUP_ID } from "./frame.ts";
import { malformed } from "./frame-reader.ts";
import type { FrameReader } from "./frame-reader.ts";
import type { FrameWriter } from "./frame-writer.ts";

/** The place in the list is the byte on the wire: append only. */
export const REFUSAL_REASONS = [
  "protocolVersion",
  "wrongGroup",
  "wrongToken",
  "wrongCluster",
  "wrongName",
  "wrongCertificate",
  "unknownMember",
  "replacedDisk",
  "expectedMembers",
  "sameNode",
  "badFrame",
  /** The disk was a member and is none any more, for good. */
  "removed",
  /** The cluster writes what the sender's version does not know. */
  "featureLevel",
  /** More nodes ask to join than are listened to. */
  "tooManyAsking",
] as const;
export type RefusalReason = (typeof REFUSAL_REASONS)[number];

export interface Refusal {
  readonly reason: RefusalReason;
  /** A sentence or two: what is wrong and what to do. */
  readonly text: string;
}

const TEXT_BYTES_MAX = 1024;

/** Appends a refusal frame; a longer text is cut. */
export function writeRefusal(writer: FrameWriter, refusal: Refusal, senderTimeMs: number): void {
  const text = Buffer.from(refusal.text, "utf8").subarray(0, TEXT_BYTES_MAX);
  writer.begin(FrameKind.Refusal, GROUP_ID, senderTimeMs, 1 + text.length, 1);
  writer.u8(REFUSAL_REASONS.indexOf(refusal.reason));
  writer.bytes(text);
}

/** @throws PeerError frameMalformed */
export function readRefusal(reader: FrameReader): Refusal {
  const value = reader.u8();
  const reason = REFUSAL_REASONS[value];
  if (reason === undefined) {
    throw malformed(`a refusal's reason is ${value}`);
  }
  if (reader.remainingBytes > TEXT_BYTES_MAX) {
    throw malformed("a refusal's text is too long");
  }
  const text = reader.bytes(reader.remainingBytes).toString("utf8");
  reader.finish();
  // It goes into our log: control characters of a stranger could forge lines or drive a terminal.
  return { reason, text: text.replaceAll(/[\p{Cc}\p{Cf}]/gu, " ") };
}
