/**
 * Raft messages as frame bodies. Every body begins with the sender's term; what follows, by kind (numbers are f64
 * counts of 8 bytes unless said otherwise):
 *
 *   vote requests       term | lastIndex | lastTerm | transfer u8
 *   vote responses      term | granted u8
 *   append              term | previousIndex | previousTerm | commit | count u32 | count x entry
 *     entry             term | kind u8, zero u24 | length u32 | data           (index = previousIndex + place)
 *   append response     term | answer u8 | matchIndex | rejectedIndex | hintIndex | hintTerm
 *     answer            0: refused, 1: success, 2: refused, and the damaged log ends at matchIndex
 *   heartbeat           term | commit | readRound | lease tick | promise ticks      (tick 0: no lease wanted)
 *   heartbeat response  term | readRound | lease tick                               (0: nothing promised)
 *   snapshot chunk      its head (snapshot-codec.ts) | data to the end of the frame
 *   snapshot response   term | index | nextOffset | installed u8
 *   timeout now         term
 *   read index request  term | requestId
 *   read index response term | requestId | index
 *
 * `from` and `to` are not written: see frame.ts.
 */
import { EntryKind } from "@ferrite/raft";
import type {
  AppendRequest,
  AppendResponse,
  Entry,
  Heartbeat,
  HeartbeatResponse,
  Message,
} from "@ferrite/raft";
import { PeerError } from "./errors.ts";
import { FrameKind, GROUP_ID, type LinkEnds } from "./frame.ts";
import { malformed } from "./frame-reader.ts";
import type { FrameReader } from "./frame-reader.ts";
import type { FrameWriter } from "./frame-writer.ts";
import { chunkHeadBytes, readChunk, writeChunkHead } from "./snapshot-codec.ts";

const ENTRY_HEADER_BYTES = 16;
const APPEND_FIXED_BYTES = 36;
const HIGHEST_ENTRY_KIND = Math.max(...Object.values(EntryKind));

const FRAME_KINDS: Readonly<Record<Message["kind"], FrameKind>> = {
  preVoteRequest: FrameKind.PreVoteRequest,
  voteRequest: FrameKind.VoteRequest,
  preVoteResponse: FrameKind.PreVoteResponse,
  voteResponse: FrameKind.VoteResponse,
  append: FrameKind.Append,
  appendResponse: FrameKind.AppendResponse,
  heartbeat: FrameKind.Heartbeat,
  heartbeatResponse: FrameKind.HeartbeatResponse,
  snapshotChunk: FrameKind.SnapshotChunk,
  snapshotResponse: FrameKind.SnapshotResponse,
  timeoutNow: FrameKind.TimeoutNow,
  readIndexRequest: FrameKind.ReadIndexRequest,
  readIndexResponse: FrameKind.ReadIndexResponse,
};

/**
 * Length of the message's body. Checks what the format relies on, so that writing can not fail half-way through a
 * frame.
 * @throws PeerError notEncodable
 */
export function raftBodyBytes(message: Message): number {
  switch (message.kind) {
    case "append":
      return appendBodyBytes(message);
    case "snapshotChunk":
      return chunkHeadBytes(message) + message.data.length;
    default:
      return FIXED_BODY_BYTES[message.kind];
  }
}

/** Appends the message's frame. `bodyBytes` comes from `raftBodyBytes`. */
export function writeRaftMessage(
  writer: FrameWriter,
  message: Message,
  senderTimeMs: number,
  bodyBytes: number,
): void {
  const kind = FRAME_KINDS[message.kind];
  if (message.kind === "append") {
    writer.begin(kind, GROUP_ID, senderTimeMs, bodyBytes, APPEND_FIXED_BYTES);
    writeAppend(writer, message);
  } else if (message.kind === "snapshotChunk") {
    const headBytes = bodyBytes - message.data.length;
    writer.begin(kind, GROUP_ID, senderTimeMs, bodyBytes, headBytes);
    writeChunkHead(writer, message);
    writer.bytes(message.data);
  } else {
    writer.begin(kind, GROUP_ID, senderTimeMs, bodyBytes, bodyBytes);
    writeFixed(writer, message);
  }
}

/** Messages whose body has one length. */
type FixedMessage = Exclude<Message, { readonly kind: "append" | "snapshotChunk" }>;

const FIXED_BODY_BYTES: Readonly<Record<FixedMessage["kind"], number>> = {
  preVoteRequest: 25,
  voteRequest: 25,
  preVoteResponse: 9,
  voteResponse: 9,
  appendResponse: 41,
  heartbeat: 40,
  heartbeatResponse: 24,
  snapshotResponse: 25,
  timeoutNow: 8,
  readIndexRequest: 16,
  readIndexResponse: 24,
};

function writeFixed(writer: FrameWriter, message: FixedMessage): void {
  writer.f64(message.term);
  switch (message.kind) {
    case "preVoteRequest":
    case "voteRequest":
      writer.f64(message.lastIndex);
      writer.f64(message.lastTerm);
      writer.u8(message.transfer ? 1 : 0);
      return;
    case "preVoteResponse":
    case "voteResponse":
      writer.u8(message.granted ? 1 : 0);
      return;
    case "appendResponse":
      writer.u8(appendAnswerOf(message));
      writer.f64(message.matchIndex);
      writer.f64(message.rejectedIndex);
      writer.f64(message.hintIndex);
      writer.f64(message.hintTerm);
      return;
    case "heartbeat":
      writer.f64(message.commit);
      writer.f64(message.readRound);
      writer.f64(message.lease?.tick ?? 0);
      writer.f64(message.lease?.promiseTicks ?? 0);
      return;
    case "heartbeatResponse":
      writer.f64(message.readRound);
      writer.f64(message.leaseTick ?? 0);
      return;
    case "snapshotResponse":
      writer.f64(message.index);
      writer.f64(message.nextOffsetBytes);
      writer.u8(message.installed ? 1 : 0);
      return;
    case "timeoutNow":
      return;
    case "readIndexRequest":
      writer.f64(message.requestId);
      return;
    case "readIndexResponse":
      writer.f64(message.requestId);
      writer.f64(message.index);
      return;
  }
}

/** How an append was answered, as one byte. */
const AppendAnswer = { Refused: 0, Success: 1, RefusedDamaged: 2 } as const;

function appendAnswerOf(message: AppendResponse): number {
  if (message.success) {
    return AppendAnswer.Success;
  }
  return message.lowersMatch === true ? AppendAnswer.RefusedDamaged : AppendAnswer.Refused;
}

function appendBodyBytes(message: AppendRequest): number {
  const entries = message.entries;
  let total = APPEND_FIXED_BYTES + entries.length * ENTRY_HEADER_BYTES;
  for (let i = 0; i < entries.length; i++) {
    const entry = entries[i];
    if (entry.index !== message.previousIndex + 1 + i) {
      throw new PeerError(
        "notEncodable",
        `Entry ${entry.index} does not follow ${message.previousIndex + i}.`,
      );
    }
    total += entry.data.length;
  }
  return total;
}

function writeAppend(writer: FrameWriter, message: AppendRequest): void {
  writer.f64(message.term);
  writer.f64(message.previousIndex);
  writer.f64(message.previousTerm);
  writer.f64(message.commit);
  writer.u32(message.entries.length);
  for (const entry of message.entries) {
    writer.reserve(ENTRY_HEADER_BYTES);
    writer.f64(entry.term);
    writer.u32(entry.kind);
    writer.u32(entry.data.length);
    writer.bytes(entry.data);
  }
}

/**
 * Reads the body of a frame of `kind`. Null when the kind is not one of Raft's.
 * @throws PeerError frameMalformed
 */
export function readRaftMessage(kind: number, reader: FrameReader, ends: LinkEnds): Message | null {
  if (kind < FrameKind.PreVoteRequest || kind > FrameKind.ReadIndexResponse) {
    return null;
  }
  const term = reader.count();
  switch (kind as FrameKind) {
    case FrameKind.Append:
      return readAppend(reader, ends, term);
    case FrameKind.AppendResponse:
      return readAppendResponse(reader, ends, term);
    case FrameKind.Heartbeat:
      return readHeartbeat(reader, ends, term);
    case FrameKind.HeartbeatResponse:
      return readHeartbeatResponse(reader, ends, term);
    case FrameKind.SnapshotChunk:
      return readChunk(reader, ends, term);
    default:
      return readRare(kind as FrameKind, reader, ends, term);
  }
}

function readRare(
  kind: FrameKind,
  reader: FrameReader,
  { from, to }: LinkEnds,
  term: number,
): Message | null {
  switch (kind) {
    case FrameKind.PreVoteRequest:
    case FrameKind.VoteRequest:
      return {
        kind: kind === FrameKind.VoteRequest ? "voteRequest" : "preVoteRequest",
        from,
        to,
        term,
        lastIndex: reader.count(),
        lastTerm: reader.count(),
        transfer: reader.boolean(),
      };
    case FrameKind.PreVoteResponse:
    case FrameKind.VoteResponse:
      return {
        kind: kind === FrameKind.VoteResponse ? "voteResponse" : "preVoteResponse",
        from,
        to,
        term,
        granted: reader.boolean(),
      };
    case FrameKind.SnapshotResponse:
      return {
        kind: "snapshotResponse",
        from,
        to,
        term,
        index: reader.count(),
        nextOffsetBytes: reader.count(),
        installed: reader.boolean(),
      };
    case FrameKind.TimeoutNow:
      return { kind: "timeoutNow", from, to, term };
    case FrameKind.ReadIndexRequest:
      return { kind: "readIndexRequest", from, to, term, requestId: reader.count() };
    case FrameKind.ReadIndexResponse:
      return {
        kind: "readIndexResponse",
        from,
        to,
        term,
        requestId: reader.count(),
        index: reader.count(),
      };
    default:
      return null;
  }
}

function readAppend(reader: FrameReader, { from, to }: LinkEnds, term: number): AppendRequest {
  const previousIndex = reader.count();
  const previousTerm = reader.count();
  const commit = reader.count();
  const count = reader.u32();
  if (count * ENTRY_HEADER_BYTES > reader.remainingBytes) {
    throw malformed(`${count} entries do not fit into it`);
  }
  if (!Number.isSafeInteger(previousIndex + count)) {
    throw malformed("its last index is beyond all counting");
  }
  const entries: Entry[] = [];
  for (let i = 0; i < count; i++) {
    const entryTerm = reader.count();
    const kind = reader.u32();
    if (kind > HIGHEST_ENTRY_KIND) {
      throw malformed(`an entry's kind is ${kind}`);
    }
    const data = reader.bytes(reader.u32());
    entries.push({ index: previousIndex + 1 + i, term: entryTerm, kind: kind as EntryKind, data });
  }
  return { kind: "append", from, to, term, previousIndex, previousTerm, entries, commit };
}

function readAppendResponse(
  reader: FrameReader,
  { from, to }: LinkEnds,
  term: number,
): AppendResponse {
  const answer = reader.u8();
  if (answer > AppendAnswer.RefusedDamaged) {
    throw malformed(`an append was answered with ${answer}`);
  }
  const response: AppendResponse = {
    kind: "appendResponse",
    from,
    to,
    term,
    success: answer === AppendAnswer.Success,
    matchIndex: reader.count(),
    rejectedIndex: reader.count(),
    hintIndex: reader.count(),
    hintTerm: reader.count(),
  };
  return answer === AppendAnswer.RefusedDamaged ? { ...response, lowersMatch: true } : response;
}

function readHeartbeat(reader: FrameReader, { from, to }: LinkEnds, term: number): Heartbeat {
  const commit = reader.count();
  const readRound = reader.count();
  const tick = reader.count();
  const promiseTicks = reader.count();
  const heartbeat: Heartbeat = { kind: "heartbeat", from, to, term, commit, readRound };
  return tick === 0 ? heartbeat : { ...heartbeat, lease: { tick, promiseTicks } };
}

function readHeartbeatResponse(
  reader: FrameReader,
  { from, to }: LinkEnds,
  term: number,
): HeartbeatResponse {
  const readRound = reader.count();
  const leaseTick = reader.count();
  const response: HeartbeatResponse = { kind: "heartbeatResponse", from, to, term, readRound };
  return leaseTick === 0 ? response : { ...response, leaseTick };
}
